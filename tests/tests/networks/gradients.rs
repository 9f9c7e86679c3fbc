//! A training step of every network whose reference has one, against PyTorch: the loss, and of every
//! parameter's gradient the norm and the dot product with a probe vector, which depends on the sign
//! and order of the elements.
//!
//! The reference is computed in float64. Networks run in float32 if each batch norm averages many
//! values: the loss agrees to 1e-5 and each gradient to 1e-3. In the other networks two images of
//! 64x64 pixels leave maps of 2x2 in the last stage. The gradient of a norm over so few values is a
//! difference of nearly equal numbers, and float32's rounding error grows to 1 % at the first
//! layer. These networks run in float64, where the gradients agree to 1e-6.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::DType;
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use libtest_mimic::Trial;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::{self, Heads, StateDict};
use receptive_tests::networks::{self, Visit};
use receptive_tests::reference::{self, Reference};
use receptive_tests::{devices, formula};

use crate::{case, cases, slow_cases};

/// A training step in `dtype`. The result is the loss, and the gradients under the names of their
/// parameters.
struct TrainingStep<'a> {
    reference: &'a Reference,
    step: &'a reference::Gradients,
    device: &'a Device,
    dtype: DType,
}

impl Visit for TrainingStep<'_> {
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
            .map(&mut Convert(dtype));

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

/// Sets the dropout rate of the configuration, if any, to 0.
fn without_dropout<C: NetworkConfig>(config: C) -> C {
    let mut fields = serde_json::to_value(config).expect("a configuration as JSON");
    if let Some(rate) = fields.get_mut("dropout") {
        *rate = 0.0.into();
    }
    serde_json::from_value(fields).expect("a configuration from JSON")
}

/// Replaces each parameter by its gradient, which keeps the parameter's name.
struct ParametersToGradients<'a>(&'a Gradients);

impl ModuleMapper for ParametersToGradients<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match param.val().grad(self.0) {
            Some(gradient) => Param::initialized(param.id, gradient),
            None => param,
        }
    }
}

/// Converts every parameter and running statistic to a data type.
pub struct Convert(pub DType);

impl ModuleMapper for Convert {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trained = param.is_require_grad();
        param.map(|value| {
            let device = value.device();
            Tensor::from_data(value.into_data(), (&device, self.0)).set_require_grad(trained)
        })
    }
}

/// The largest accepted errors of the loss, relative to the loss, and of the norm and the dot
/// product of each gradient, relative to its norm. Errors of a gradient that is exactly zero are
/// relative to the largest norm.
///
/// One bound serves for both: an error `e` of a gradient changes the norm by at most `|e|` and the
/// dot product by about `|e| / sqrt(3)`, since the probe's elements are independent of `e` and have
/// a variance of 1/3. A wrong sign or order changes the dot product by about the norm.
struct Bounds {
    dtype: DType,
    loss: f64,
    gradient: f64,
}

const FLOAT64: Bounds = Bounds {
    dtype: DType::F64,
    loss: 1e-7,
    gradient: 1e-6,
};

const FLOAT32: Bounds = Bounds {
    dtype: DType::F32,
    loss: 1e-5,
    gradient: 1e-3,
};

/// Norms below this fraction of the largest norm are zero up to float64's rounding: a bias before a
/// batch norm has no effect.
const ZERO: f64 = 1e-10;

fn assert_matches_pytorch(name: &str, device: Device, bounds: &Bounds) {
    let reference = Reference::read(name);
    let step = reference.grad.as_ref().expect("a reference with gradients");
    let (loss, gradients) = networks::visit(
        name,
        TrainingStep {
            reference: &reference,
            step,
            device: &device.autodiff(),
            dtype: bounds.dtype,
        },
    );

    let error = (loss - step.loss).abs() / step.loss;
    assert!(error < bounds.loss, "loss {loss}, expected {}", step.loss);

    assert!(step.norms.keys().eq(step.dots.keys()));
    let largest = step.norms.values().copied().fold(0.0, f64::max);
    let mut wrong = Vec::new();
    for (parameter, &norm) in &step.norms {
        let gradient = gradients.get(parameter).expect("a gradient of this name");
        let gradient = gradient.data().expect("the gradient's values");
        let gradient: Vec<f64> = gradient.iter().collect();
        let probe = formula::probe(&reference.salt, parameter, gradient.len());
        let found_norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let found_dot: f64 = gradient.iter().zip(probe).map(|(g, p)| g * p).sum();
        let scale = match norm < ZERO * largest {
            true => largest,
            false => norm,
        };
        for (quantity, found, expected) in [
            ("norm", found_norm, norm),
            ("dot product", found_dot, step.dots[parameter]),
        ] {
            let error = (found - expected).abs() / scale;
            if error.is_nan() || error >= bounds.gradient {
                wrong.push(format!(
                    "{quantity} of {parameter}: {found:.6e}, expected {expected:.6e}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
}

/// The networks that are tested in float32. A network with another name is tested in float64.
const IN_FLOAT32: [&str; 6] = [
    "alexnet",
    "lenet5",
    "lenet5-1998",
    "resnet18",
    "resnet20-cifar",
    "vgg11",
];

/// The networks that are tested on ndarray as well. Its own loops, which run in float64, take minutes for
/// the others.
const ON_NDARRAY: [&str; 7] = [
    "alexnet",
    "lenet5",
    "lenet5-1998",
    "resnet18",
    "resnet20-cifar",
    "tiny",
    "vgg11",
];

/// A reference that loses its training step would lose its test without a failure.
fn every_network_in_float32_has_a_training_step() {
    for name in IN_FLOAT32 {
        assert!(Reference::read(name).grad.is_some(), "{name}");
    }
}

fn bounds(name: &str) -> &'static Bounds {
    match IN_FLOAT32.contains(&name) {
        true => &FLOAT32,
        false => &FLOAT64,
    }
}

/// The networks whose gradients are compared on wgpu, where tuned and fused kernels compute them. A
/// software driver takes a second to compile each kernel.
#[cfg(feature = "wgpu")]
const WGPU: [&str; 2] = ["lenet5", "resnet20-cifar"];

pub fn trials() -> Vec<Trial> {
    let mut references = Reference::names();
    references.retain(|name| Reference::read(name).grad.is_some());
    let ndarray = |name: &str| assert_matches_pytorch(name, devices::ndarray(), bounds(name));
    let flex = |name: &str| assert_matches_pytorch(name, devices::flex(), bounds(name));
    let mut trials = vec![case(
        "gradients::every_network_in_float32_has_a_training_step",
        every_network_in_float32_has_a_training_step,
    )];
    trials.extend(cases("gradients::ndarray", ON_NDARRAY, ndarray));
    trials.extend(slow_cases(
        "gradients::flex",
        &references,
        networks::is_first_of_its_type,
        flex,
    ));
    #[cfg(feature = "wgpu")]
    trials.extend(cases("gradients::wgpu", WGPU, |name| {
        if let Some(device) = devices::wgpu() {
            assert_matches_pytorch(name, device, &FLOAT32);
        }
    }));
    trials
}
