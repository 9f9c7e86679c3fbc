//! One training step of nine networks against PyTorch: the loss and every parameter's gradient.
//!
//! The reference is computed in float64. Float32 reaches 1e-5 of its loss and 1e-3 of each gradient
//! in the networks where no batch norm sees a mere handful of values. In the others (two images of
//! 64x64 leave maps of 2x2 in the last stage) a norm's gradient is a difference of nearly equal
//! numbers, and float32's rounding grows to a per cent on the way back to the first layer: these
//! run in float64, where they are equal to a millionth, on both CPU backends.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::DType;
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::{self, Heads, StateDict};
use receptive_tests::reference::{self, Reference};
use receptive_tests::variants::{self, Visit};
use receptive_tests::{devices, formula};

/// The loss, and the gradients in the place of the parameters, all in `dtype`.
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
            .unwrap_or_else(|e| panic!("{}: {e}", reference.name))
            .map(&mut In(dtype));

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

/// Changes the type of every parameter and statistic.
struct In(DType);

impl ModuleMapper for In {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trained = param.is_require_grad();
        param.map(|value| {
            let device = value.device();
            Tensor::from_data(value.into_data(), (&device, self.0)).set_require_grad(trained)
        })
    }
}

/// How far the loss may be off, relative, and each gradient's norm: relative to itself, or to the
/// largest of them where the true gradient is zero.
struct Bounds {
    dtype: DType,
    loss: f64,
    norm: f64,
}

const FLOAT64: Bounds = Bounds {
    dtype: DType::F64,
    loss: 1e-7,
    norm: 1e-6,
};

const FLOAT32: Bounds = Bounds {
    dtype: DType::F32,
    loss: 1e-5,
    norm: 1e-3,
};

/// A bias before a batch norm has no effect: PyTorch's gradient of it is float64's rounding.
const ZERO: f64 = 1e-10;

fn assert_matches_pytorch(name: &str, device: Device, bounds: &Bounds) {
    let reference = Reference::read(name);
    let step = reference.grad.as_ref().expect("a reference with gradients");
    let (loss, gradients) = variants::visit(
        name,
        Step {
            reference: &reference,
            step,
            device: &device.autodiff(),
            dtype: bounds.dtype,
        },
    );

    let off = (loss - step.loss).abs() / step.loss;
    println!("{name}: loss {off:.1e} off");
    assert!(off < bounds.loss, "loss {loss}, expected {}", step.loss);

    let largest = step.norms.values().copied().fold(0.0, f64::max);
    let mut worst = (0.0, "");
    let mut wrong = Vec::new();
    for (parameter, &expected) in &step.norms {
        let gradient = gradients.get(parameter).expect("a gradient of this name");
        let gradient = gradient.data().expect("the gradient's values");
        let norm = gradient.iter::<f64>().map(|g| g * g).sum::<f64>().sqrt();
        let scale = match expected < ZERO * largest {
            true => largest,
            false => expected,
        };
        let off = (norm - expected).abs() / scale;
        if off > worst.0 {
            worst = (off, parameter.as_str());
        }
        if off.is_nan() || off >= bounds.norm {
            wrong.push(format!("{parameter}: {norm:.6e}, expected {expected:.6e}"));
        }
    }
    println!("{name}: norm of {} {:.1e} off", worst.1, worst.0);
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
}

macro_rules! cases {
    ($($test:ident: $name:literal, $bounds:expr;)*) => {
        const CASES: &[&str] = &[$($name),*];

        mod ndarray {
            use super::*;
            $(#[test]
            fn $test() {
                assert_matches_pytorch($name, devices::ndarray(), $bounds);
            })*
        }

        mod flex {
            use super::*;
            $(#[test]
            fn $test() {
                assert_matches_pytorch($name, devices::flex(), $bounds);
            })*
        }
    };
}

cases! {
    alexnet: "alexnet", &FLOAT32;
    googlenet: "googlenet", &FLOAT64;
    lenet5: "lenet5", &FLOAT32;
    mobilenet_v1: "mobilenet-v1", &FLOAT64;
    mobilenet_v2: "mobilenet-v2", &FLOAT64;
    resnet18: "resnet18", &FLOAT32;
    resnet20_cifar: "resnet20-cifar", &FLOAT32;
    resnet50: "resnet50", &FLOAT64;
    vgg11: "vgg11", &FLOAT32;
}

#[test]
fn every_reference_with_gradients_is_a_case() {
    let with_gradients: Vec<String> = Reference::names()
        .into_iter()
        .filter(|name| Reference::read(name).grad.is_some())
        .collect();
    assert_eq!(with_gradients, CASES);
}
