//! Every network against PyTorch on every backend.

use burn::tensor::{Device, Tensor, TensorData};
use libtest_mimic::Trial;
use receptive::registry::Registry;
use receptive_layers::weights::StateDict;
use receptive_tests::networks::{self, Tested};
use receptive_tests::reference::{Reference, WITHOUT_REFERENCE, relative_difference};
use receptive_tests::{devices, formula};

use crate::{case, cases, slow_cases};

/// Checks that the network has the tensors of PyTorch's network, by name and shape, and as many
/// trainable parameters.
fn assert_same_tensors(found: &StateDict, reference: &Reference) {
    let found: Vec<(&str, &[usize])> = found.iter().map(|(n, t)| (n, t.shape())).collect();
    let expected: Vec<(&str, &[usize])> = reference
        .state
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .collect();
    assert_eq!(found, expected);

    let parameters: usize = found
        .iter()
        .filter(|(name, _)| !name.contains(".running_"))
        .map(|(_, shape)| shape.iter().product::<usize>())
        .sum();
    assert_eq!(parameters as u64, reference.parameters);
}

/// Fills the network's weights by the formula and compares its logits with PyTorch's. The largest
/// accepted difference is `tolerance` times the largest logit.
fn assert_matches_pytorch(name: &str, device: &Device, tolerance: f64) {
    let reference = Reference::read(name);
    let model = Tested::model(name).unwrap();
    let network = model
        .load(&reference.weights(), "the formula", device)
        .unwrap();
    assert_same_tensors(&network.state_dict(), &reference);

    let images = formula::images(&reference.salt, reference.input);
    let images = Tensor::from_data(TensorData::new(images, reference.input), device);
    let logits: Vec<f64> = network.forward(images).into_data().iter().collect();
    let difference = relative_difference(&logits, &reference.logits.concat());
    assert!(
        difference < tolerance,
        "{difference:.1e} of the largest logit, expected below {tolerance:.0e}"
    );
}

/// Every reference belongs to a network.
fn every_reference_has_a_network() {
    let names = networks::names();
    let mut unknown = Reference::names();
    unknown.retain(|name| !names.contains(&name.as_str()));
    assert_eq!(unknown, [""; 0]);
}

/// Every network has a reference, or is listed without one.
fn every_network_has_a_reference_or_is_listed_without() {
    let references = Reference::names();
    let mut missing = networks::names();
    missing.retain(|name| !references.iter().any(|reference| reference == name));
    missing.sort_unstable();
    let mut listed = WITHOUT_REFERENCE.to_vec();
    listed.sort_unstable();
    assert_eq!(missing, listed);
}

/// The networks that run on wgpu. AlexNet is missing: its fc6 exceeds the largest buffer of Mesa's
/// software device. GoogLeNet's paper edition covers the local response normalization.
#[cfg(feature = "wgpu")]
const WGPU: [&str; 5] = [
    "googlenet",
    "googlenet-paper",
    "lenet5",
    "mobilenet-v1-0.5",
    "resnet20-cifar",
];

pub fn trials() -> Vec<Trial> {
    let references = Reference::names();
    let ndarray = |name: &str| assert_matches_pytorch(name, &devices::ndarray(), 1e-5);
    let flex = |name: &str| assert_matches_pytorch(name, &devices::flex(), 1e-5);
    let mut trials = vec![
        case(
            "parity::every_reference_has_a_network",
            every_reference_has_a_network,
        ),
        case(
            "parity::every_network_has_a_reference_or_is_listed_without",
            every_network_has_a_reference_or_is_listed_without,
        ),
    ];
    // The backends share the kernels of the layers, so one network of each type is enough for the second.
    let firsts = references
        .iter()
        .filter(|name| networks::is_first_of_its_type(name));
    trials.extend(cases("parity::ndarray", firsts, ndarray));
    trials.extend(slow_cases(
        "parity::flex",
        &references,
        networks::is_first_of_its_type,
        flex,
    ));
    #[cfg(feature = "wgpu")]
    trials.extend(cases("parity::wgpu", WGPU, |name| {
        if let Some(device) = devices::wgpu() {
            assert_matches_pytorch(name, &device, 1e-4);
        }
    }));
    trials
}
