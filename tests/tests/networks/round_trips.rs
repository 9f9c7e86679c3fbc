//! Loading weights: through the three file formats, with another head, and after a run with other
//! weights.

use burn::tensor::{Device, Tensor, TensorData};
use libtest_mimic::Trial;
use receptive_kernels::ops;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::{self, FloatType, Format, Heads, StateDict};
use receptive_tests::networks::{self, Visit};
use receptive_tests::{devices, formula};

use crate::cases;

/// Returns the name, shape and elements of every tensor.
fn contents(weights: &StateDict) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    weights
        .iter()
        .map(|(name, tensor)| {
            let values = tensor.data().unwrap().iter::<f32>().collect();
            (name.to_owned(), tensor.shape().to_vec(), values)
        })
        .collect()
}

/// Writes a network in each format and reads the file into a new network.
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
            written.save(&path, format, FloatType::F32).unwrap();
            let read = StateDict::open(&path).unwrap();
            let network = weights::load(config.init(&self.device), &read, Heads::Load).unwrap();
            let read = weights::state_dict(&network);
            assert!(contents(&read) == contents(&written), "{file} differs");
        }
    }
}

/// Loads the weights of a network into a network with another number of classes.
struct AnotherHead {
    device: Device,
}

impl Visit for AnotherHead {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let published = weights::state_dict(&config.init(&self.device));
        let smaller = config.clone().with_classes(7).init(&self.device);
        let head = weights::state_dict(&smaller);

        // LeNet-5 of 1998 has a head without weights.
        let has_weights = !C::Network::HEAD.is_empty();
        let refused = weights::load(smaller.clone(), &published, Heads::Load).is_err();
        assert_eq!(refused, has_weights);
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
        assert_eq!(!own_head.is_empty(), has_weights);
        assert!(found_head == own_head, "the head was not kept");
        assert!(found_head.iter().all(|(_, shape, _)| shape[0] == 7));

        let replaced = config.init(&self.device).with_classes(7).unwrap();
        let output = replaced.forward(Tensor::zeros(config.input().shape(), &self.device));
        assert_eq!(output.dims(), [1, 7]);
    }
}

/// Loads weights into a network that has run, whose old weights are in the kernels' cache of packed
/// weights.
struct AfterARun {
    device: Device,
}

impl Visit for AfterARun {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let shape = config.input().shape();
        let images = formula::images("after a run", shape);
        let run = |network: &C::Network| {
            let images = TensorData::new(images.clone(), shape);
            let images = Tensor::from_data(images, &self.device);
            network.forward(images).into_data()
        };
        let other = config.init(&self.device);
        let expected = run(&other);
        // Without this, a result could come from the packed weights of `other`.
        ops::clear_cache();
        let used = config.init(&self.device);
        assert_ne!(run(&used), expected, "the two networks have equal weights");
        let loaded = weights::load(used, &weights::state_dict(&other), Heads::Load).unwrap();
        assert_eq!(run(&loaded), expected);
    }
}

/// Trainable parameters above which a network is not tested: the largest networks have the layers
/// of smaller ones.
const LARGE: u64 = 12_000_000;

pub fn trials() -> Vec<Trial> {
    let mut names = networks::names();
    names.retain(|name| networks::parameters(name) <= LARGE);
    let mut trials = cases("round_trips::formats", names.clone(), |name| {
        networks::visit(
            name,
            RoundTrip {
                device: devices::flex(),
            },
        );
    });
    trials.extend(cases("round_trips::another_head", names.clone(), |name| {
        networks::visit(
            name,
            AnotherHead {
                device: devices::flex(),
            },
        );
    }));
    trials.extend(cases("round_trips::after_a_run", names, |name| {
        for device in [devices::flex(), devices::ndarray()] {
            networks::visit(name, AfterARun { device });
        }
    }));
    trials
}
