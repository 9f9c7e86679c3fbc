//! Every network against PyTorch on every backend.

use burn::tensor::{Device, Tensor, TensorData};
use receptive::registry;
use receptive_layers::weights::StateDict;
use receptive_tests::reference::{Reference, WITHOUT_REFERENCE, relative_difference};
use receptive_tests::{devices, formula};

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
    let model = registry::model(name).unwrap();
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
    println!("{difference:.1e} of the largest logit");
}

macro_rules! cases {
    ($($test:ident: $name:literal,)*) => {
        const CASES: &[&str] = &[$($name),*];

        mod ndarray {
            $(#[test]
            fn $test() {
                super::assert_matches_pytorch($name, &super::devices::ndarray(), 1e-5);
            })*
        }

        mod compiled {
            $(#[test]
            fn $test() {
                crate::compiled::assert_matches_pytorch($name);
            })*
        }

        mod flex {
            $(#[test]
            fn $test() {
                super::assert_matches_pytorch($name, &super::devices::flex(), 1e-5);
            })*
        }
    };
}

cases! {
    alexnet: "alexnet",
    alexnet_grouped: "alexnet-grouped",
    alexnet_torchvision: "alexnet-torchvision",
    googlenet: "googlenet",
    googlenet_paper: "googlenet-paper",
    lenet5: "lenet5",
    lenet5_1998: "lenet5-1998",
    mobilenet_v1: "mobilenet-v1",
    mobilenet_v1_quarter: "mobilenet-v1-0.25",
    mobilenet_v1_half: "mobilenet-v1-0.5",
    mobilenet_v1_three_quarters: "mobilenet-v1-0.75",
    mobilenet_v1_timm: "mobilenet-v1-timm",
    mobilenet_v2: "mobilenet-v2",
    resnet101: "resnet101",
    resnet110_cifar: "resnet110-cifar",
    resnet152: "resnet152",
    resnet18: "resnet18",
    resnet20_cifar: "resnet20-cifar",
    resnet32_cifar: "resnet32-cifar",
    resnet34: "resnet34",
    resnet44_cifar: "resnet44-cifar",
    resnet50: "resnet50",
    resnet50_v1: "resnet50-v1",
    resnet56_cifar: "resnet56-cifar",
    vgg11: "vgg11",
    vgg11_bn: "vgg11-bn",
    vgg13: "vgg13",
    vgg13_bn: "vgg13-bn",
    vgg16: "vgg16",
    vgg16_bn: "vgg16-bn",
    vgg19: "vgg19",
    vgg19_bn: "vgg19-bn",
}

#[test]
fn every_reference_is_a_case() {
    let mut cases = CASES.to_vec();
    cases.sort_unstable();
    assert_eq!(Reference::names(), cases);
}

#[test]
fn every_variant_has_a_reference_or_is_listed_without() {
    let missing: Vec<&str> = registry::models()
        .into_iter()
        .map(|model| model.name)
        .filter(|name| !CASES.contains(name) && !WITHOUT_REFERENCE.contains(name))
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[cfg(feature = "wgpu")]
mod wgpu {
    macro_rules! cases {
        ($($test:ident: $name:literal,)*) => {
            $(#[test]
            fn $test() {
                if let Some(device) = super::devices::wgpu() {
                    super::assert_matches_pytorch($name, &device, 1e-4);
                }
            })*
        };
    }

    // AlexNet is missing: its fc6 exceeds the largest buffer of Mesa's software device. GoogLeNet's
    // paper edition covers the local response normalization.
    cases! {
        googlenet: "googlenet",
        googlenet_paper: "googlenet-paper",
        lenet5: "lenet5",
        mobilenet_v1_half: "mobilenet-v1-0.5",
        resnet20_cifar: "resnet20-cifar",
    }
}
