use std::collections::BTreeMap;

use burn::tensor::Device;
use proptest::prelude::*;
use receptive_layers::network::{Network, NetworkConfig, Sizes};
use receptive_layers::weights::shapes;

use super::listed;
use crate::{Edition, GoogLeNet, GoogLeNetConfig};

#[test]
fn variants_have_the_published_number_of_parameters() {
    let device = Device::flex();
    let counts: Vec<_> = GoogLeNetConfig::variants()
        .into_iter()
        .map(|variant| {
            let inference = variant.config.init(&device).num_trainable_params();
            let training = variant
                .config
                .with_auxiliary(true)
                .init(&device)
                .num_trainable_params();
            (variant.name, inference, training)
        })
        .collect();
    assert_eq!(
        counts,
        [
            ("googlenet", 6_624_904, 13_004_888),
            ("googlenet-paper", 6_998_552, 13_378_280),
        ]
    );
}

#[test]
fn checkpoints_have_as_many_parameters_as_their_network() {
    for variant in GoogLeNetConfig::variants() {
        let expected = variant.config.init(&Device::flex()).num_trainable_params() as u64;
        for checkpoint in variant.checkpoints {
            assert_eq!(checkpoint.parameters, expected);
            // The name of the file contains the first digits; timm gives none.
            let digits = checkpoint.sha256.len().min(8);
            assert!(checkpoint.url.contains(&checkpoint.sha256[..digits]));
        }
    }
}

#[test]
fn parameters_have_the_reference_names_and_shapes() {
    let device = Device::flex();
    assert_eq!(
        shapes(&GoogLeNetConfig::googlenet_paper().init(&device)),
        listed(include_str!("names/googlenet-paper.txt"))
    );
    let mut expected = listed(include_str!("names/googlenet.txt"));
    assert_eq!(
        shapes(&GoogLeNetConfig::googlenet().init(&device)),
        expected
    );
    expected.extend(listed(include_str!("names/googlenet-aux.txt")));
    let training = GoogLeNetConfig::googlenet().with_auxiliary(true);
    assert_eq!(shapes(&training.init(&device)), expected);
}

#[test]
fn only_auxiliary_heads_are_optional() {
    let device = Device::flex();
    let training = GoogLeNetConfig::googlenet_paper().with_auxiliary(true);
    let (optional, required): (Vec<_>, Vec<_>) = shapes(&training.init(&device))
        .into_iter()
        .partition(|(name, _)| GoogLeNet::OPTIONAL.iter().any(|p| name.starts_with(p)));
    assert_eq!(optional.len(), 12);
    assert_eq!(
        required.into_iter().collect::<BTreeMap<_, _>>(),
        listed(include_str!("names/googlenet-paper.txt"))
    );
}

/// A fully connected layer follows the pool of fixed stride in the paper's auxiliary heads.
#[test]
fn the_papers_auxiliary_heads_accept_only_the_published_size() {
    let paper = GoogLeNetConfig::googlenet_paper();
    assert_eq!(paper.input().accepts, Sizes::AtLeast(31));
    assert_eq!(paper.with_auxiliary(true).input().accepts, Sizes::Published);
    let torchvision = GoogLeNetConfig::googlenet().with_auxiliary(true);
    assert_eq!(torchvision.input().accepts, Sizes::AtLeast(15));
}

#[test]
fn errors_name_the_field_out_of_range() {
    let good = GoogLeNetConfig::googlenet();
    for classes in [0, 1_000_001, usize::MAX] {
        let error = good.clone().with_classes(classes).validate().unwrap_err();
        assert_eq!(error.field, "classes");
        assert_eq!(error.found, classes.to_string());
    }
    for probability in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        let config = GoogLeNetConfig {
            dropout: probability,
            ..good.clone()
        };
        assert_eq!(config.validate().unwrap_err().field, "dropout");
        let config = GoogLeNetConfig {
            aux_dropout: probability,
            ..good.clone()
        };
        assert_eq!(config.validate().unwrap_err().field, "aux_dropout");
    }
}

/// Generates probabilities below 1 with three decimals, which JSON preserves.
fn thousandths() -> impl Strategy<Value = f64> {
    (0_u16..1000).prop_map(|n| f64::from(n) / 1000.0)
}

proptest! {
    #[test]
    fn configurations_round_trip_through_json(
        paper: bool,
        aux: bool,
        classes in 1_usize..=1_000_000,
        dropout in thousandths(),
        aux_dropout in thousandths(),
    ) {
        let edition = if paper { Edition::Paper } else { Edition::Torchvision };
        let config = GoogLeNetConfig { edition, classes, aux, dropout, aux_dropout };
        prop_assert!(config.validate().is_ok());
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<GoogLeNetConfig>(&json).unwrap(), config);
    }
}
