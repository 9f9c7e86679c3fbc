//! One training step of nine networks against PyTorch: the loss and every parameter's gradient.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{DType, Device, FloatDType, Gradients, Int, Tensor, TensorData};
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::{self, Heads, StateDict};
use receptive_tests::reference::{self, Reference};
use receptive_tests::variants::{self, Visit};
use receptive_tests::{devices, formula};

/// The loss, and the gradients in the place of the parameters.
struct Step<'a> {
    reference: &'a Reference,
    step: &'a reference::Gradients,
    device: &'a Device,
    dtype: DType,
}

impl Visit for Step<'_> {
    type Output = (f64, StateDict);

    fn visit<C: NetworkConfig>(self, config: C) -> Self::Output {
        let Self {
            reference,
            step,
            device,
            dtype,
        } = self;
        let network = without_dropout(config.with_auxiliary(false)).init(device);
        let network = weights::load(network, &reference.weights(), Heads::Load)
            .unwrap_or_else(|e| panic!("{}: {e}", reference.name));
        let network = match dtype {
            DType::F64 => network.map(&mut ToDouble),
            _ => network,
        };

        let images = formula::images(&reference.salt, step.input);
        let images = Tensor::from_data(TensorData::new(images, step.input), (device, dtype));
        let target = TensorData::new(step.target.clone(), [step.target.len()]);
        let target = Tensor::<1, Int>::from_data(target, device);

        let loss = CrossEntropyLossConfig::new()
            .init(device)
            .forward(network.forward(images), target);
        let gradients = loss.backward();
        let loss = loss.into_scalar::<f64>();
        let network = network.map(&mut ParametersToGradients(&gradients));
        (loss, weights::state_dict(&network))
    }
}

/// The same configuration, its dropout rate 0 if it has one.
fn without_dropout<C: NetworkConfig>(config: C) -> C {
    let mut fields = serde_json::to_value(config).expect("a configuration as JSON");
    if let Some(rate) = fields.get_mut("dropout") {
        *rate = 0.0.into();
    }
    serde_json::from_value(fields).expect("a configuration from JSON")
}

/// Casts parameters and running statistics to float64; float32 is exact in it.
struct ToDouble;

impl ModuleMapper for ToDouble {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trained = param.is_require_grad();
        let value = param.val().detach().cast(FloatDType::F64);
        Param::initialized(param.id, value.set_require_grad(trained))
    }
}

/// Puts each parameter's gradient in its place, so that the network's own names apply.
struct ParametersToGradients<'a>(&'a Gradients);

impl ModuleMapper for ParametersToGradients<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match param.val().grad(self.0) {
            Some(gradient) => Param::initialized(param.id, gradient),
            None => param,
        }
    }
}

fn assert_matches_pytorch(name: &str, device: Device, dtype: DType) {
    let reference = Reference::read(name);
    let step = reference.grad.as_ref().expect("a reference with gradients");
    let (loss, gradients) = variants::visit(
        name,
        Step {
            reference: &reference,
            step,
            device: &device.autodiff(),
            dtype,
        },
    );

    let off = (loss - step.loss).abs() / step.loss;
    eprintln!("{name}: loss {off:.1e} off");
    assert!(off < 1e-5, "loss {loss}, expected {}", step.loss);

    let mut worst = (0.0, "");
    let mut wrong = Vec::new();
    for (parameter, &expected) in &step.norms {
        let gradient = gradients.get(parameter).expect("a gradient of this name");
        let gradient = gradient.data().expect("the gradient's values");
        let norm = gradient.iter::<f64>().map(|g| g * g).sum::<f64>().sqrt();
        let off = (norm - expected).abs() / expected;
        if off > worst.0 {
            worst = (off, parameter.as_str());
        }
        if off.is_nan() || off >= 1e-3 {
            wrong.push(format!("{parameter}: {norm:.6e}, expected {expected:.6e}"));
        }
    }
    eprintln!("{name}: norm of {} {:.1e} off", worst.1, worst.0);
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
}

macro_rules! cases {
    ($($test:ident: $name:literal,)*) => {
        const CASES: &[&str] = &[$($name),*];

        mod ndarray {
            $(#[test]
            fn $test() {
                super::assert_matches_pytorch($name, super::devices::ndarray(), super::DType::F32);
            })*
        }

        mod flex {
            $(#[test]
            fn $test() {
                super::assert_matches_pytorch($name, super::devices::flex(), super::DType::F64);
            })*
        }
    };
}

cases! {
    alexnet: "alexnet",
    googlenet: "googlenet",
    lenet5: "lenet5",
    mobilenet_v1: "mobilenet-v1",
    mobilenet_v2: "mobilenet-v2",
    resnet18: "resnet18",
    resnet20_cifar: "resnet20-cifar",
    resnet50: "resnet50",
    vgg11: "vgg11",
}

#[test]
fn every_reference_with_gradients_is_a_case() {
    let with_gradients: Vec<String> = Reference::names()
        .into_iter()
        .filter(|name| Reference::read(name).grad.is_some())
        .collect();
    assert_eq!(with_gradients, CASES);
}
