//! Real networks through the three formats, and with another head.

use burn::tensor::Device;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::{self, Format, Heads, Precision, StateDict};
use receptive_tests::devices;
use receptive_tests::variants::{self, Visit};

/// Name, shape and bits of every tensor.
fn contents(weights: &StateDict) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    weights
        .iter()
        .map(|(name, tensor)| {
            let values = tensor.data().unwrap().iter::<f32>().collect();
            (name.to_owned(), tensor.shape().to_vec(), values)
        })
        .collect()
}

/// Writes a network in each format, and reads it back into another of its kind.
struct RoundTrip {
    device: Device,
}

impl Visit for RoundTrip {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let folder = tempfile::tempdir().unwrap();
        let written = weights::state_dict(&config.init(&self.device));
        for (format, file) in [
            (Format::PyTorch, "weights.pth"),
            (Format::SafeTensors, "weights.safetensors"),
            (Format::Burnpack, "weights.bpk"),
        ] {
            let path = folder.path().join(file);
            written.save(&path, format, Precision::F32).unwrap();
            let read = StateDict::open(&path).unwrap();
            let network = weights::load(config.init(&self.device), &read, Heads::Load).unwrap();
            let read = weights::state_dict(&network);
            assert!(contents(&read) == contents(&written), "{file} differs");
        }
    }
}

/// Loads the weights of a network into one with another number of classes.
struct AnotherHead {
    device: Device,
}

impl Visit for AnotherHead {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let published = weights::state_dict(&config.init(&self.device));
        let smaller = config.clone().with_classes(7).init(&self.device);
        let head = weights::state_dict(&smaller);

        assert!(weights::load(smaller.clone(), &published, Heads::Load).is_err());
        let loaded = weights::load(smaller, &published, Heads::Keep).unwrap();
        let is_head = |name: &str| {
            C::Network::HEAD
                .iter()
                .any(|head| name.starts_with(&format!("{head}.")))
        };
        let loaded = contents(&weights::state_dict(&loaded));
        let (found_head, found_rest): (Vec<_>, Vec<_>) =
            loaded.into_iter().partition(|(name, ..)| is_head(name));
        let rest = |weights: &StateDict| {
            let mut rest = contents(weights);
            rest.retain(|(name, ..)| !is_head(name));
            rest
        };
        assert!(found_rest == rest(&published), "more than the head differs");
        let mut own_head = contents(&head);
        own_head.retain(|(name, ..)| is_head(name));
        assert!(!own_head.is_empty());
        assert!(found_head == own_head, "the head was not kept");
        assert!(found_head.iter().all(|(_, shape, _)| shape[0] == 7));

        let replaced = config.init(&self.device).with_classes(7);
        let output = replaced.forward(burn::tensor::Tensor::zeros(
            config.input().shape(),
            &self.device,
        ));
        assert_eq!(output.dims(), [1, 7]);
    }
}

macro_rules! cases {
    ($($test:ident: $name:literal,)*) => {
        mod formats {
            $(#[test]
            fn $test() {
                let device = super::devices::flex();
                super::variants::visit($name, super::RoundTrip { device });
            })*
        }

        mod another_head {
            $(#[test]
            fn $test() {
                let device = super::devices::flex();
                super::variants::visit($name, super::AnotherHead { device });
            })*
        }
    };
}

cases! {
    googlenet: "googlenet",
    googlenet_paper: "googlenet-paper",
    lenet5: "lenet5",
    mobilenet_v1_timm: "mobilenet-v1-timm",
    mobilenet_v1_quarter: "mobilenet-v1-0.25",
    mobilenet_v2: "mobilenet-v2",
    resnet18: "resnet18",
    resnet20_cifar: "resnet20-cifar",
}
