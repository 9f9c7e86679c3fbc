use burn::tensor::Device;
use proptest::prelude::*;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::shapes;

use super::listed;
use crate::{BlockKind, CifarResNetConfig, ResNetConfig, Shortcut, StrideOn};

fn parameters<C: NetworkConfig>(config: &C) -> usize {
    config.init(&Device::flex()).num_trainable_params()
}

#[test]
fn variants_have_the_published_number_of_parameters() {
    let counts: Vec<_> = ResNetConfig::variants()
        .iter()
        .map(|variant| (variant.name, parameters(&variant.config)))
        .chain(
            CifarResNetConfig::variants()
                .iter()
                .map(|variant| (variant.name, parameters(&variant.config))),
        )
        .collect();
    assert_eq!(
        counts,
        [
            ("resnet18", 11_689_512),
            ("resnet34", 21_797_672),
            ("resnet50", 25_557_032),
            ("resnet50-v1", 25_557_032),
            ("resnet101", 44_549_160),
            ("resnet152", 60_192_808),
            ("resnet20-cifar", 269_722),
            ("resnet32-cifar", 464_154),
            ("resnet44-cifar", 658_586),
            ("resnet56-cifar", 853_018),
            ("resnet110-cifar", 1_727_962),
        ]
    );
}

#[test]
fn checkpoints_have_as_many_parameters_as_their_network() {
    for variant in ResNetConfig::variants() {
        for checkpoint in variant.checkpoints {
            let expected = parameters(&variant.config) as u64;
            assert_eq!(checkpoint.parameters, expected, "{}", checkpoint.url);
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
        shapes(&ResNetConfig::resnet18().init(&device)),
        listed(include_str!("names/resnet18.txt"))
    );
    for config in [ResNetConfig::resnet50(), ResNetConfig::resnet50_v1()] {
        assert_eq!(
            shapes(&config.init(&device)),
            listed(include_str!("names/resnet50.txt"))
        );
    }
    assert_eq!(
        shapes(&CifarResNetConfig::resnet20().init(&device)),
        listed(include_str!("names/resnet20-cifar.txt"))
    );
}

/// A projection from `i` to `o` channels has `i * o` weights, and its norm `2 * o` parameters.
#[test]
fn options_b_and_c_add_the_parameters_of_their_projections() {
    let with = |shortcut| {
        parameters(&CifarResNetConfig {
            shortcut,
            ..CifarResNetConfig::resnet20()
        })
    };
    let projection = |i: usize, o: usize| i * o + 2 * o;
    let changed = projection(16, 32) + projection(32, 64);
    let kept = 3 * projection(16, 16) + 2 * projection(32, 32) + 2 * projection(64, 64);
    let identity = with(Shortcut::ZeroPad);
    assert_eq!(with(Shortcut::ProjectWhenChanged), identity + changed);
    assert_eq!(with(Shortcut::ProjectAlways), identity + changed + kept);
}

#[test]
fn errors_name_the_field_out_of_range() {
    let resnet = ResNetConfig::resnet18();
    for (config, field) in [
        (resnet.clone().with_classes(0), "classes"),
        (resnet.clone().with_classes(usize::MAX), "classes"),
        (
            ResNetConfig {
                blocks: [2, 0, 2, 2],
                ..resnet.clone()
            },
            "blocks",
        ),
        (
            ResNetConfig {
                blocks: [2, 2, 2, usize::MAX],
                ..resnet
            },
            "blocks",
        ),
    ] {
        let error = config.validate().unwrap_err();
        assert_eq!(error.field, field);
    }
}

proptest! {
    #[test]
    fn a_cifar_depth_is_valid_if_it_is_6n_plus_2(depth in 0_usize..2000) {
        let config = CifarResNetConfig { depth, ..CifarResNetConfig::resnet20() };
        let valid = (1..=200).any(|n| 6 * n + 2 == depth);
        match config.validate() {
            Ok(()) => prop_assert!(valid),
            Err(error) => {
                prop_assert!(!valid);
                prop_assert_eq!(error.field, "depth");
                prop_assert_eq!(error.found, depth.to_string());
            }
        }
    }

    #[test]
    fn configurations_round_trip_through_json(
        bottleneck: bool,
        on_1x1: bool,
        shortcut in prop_oneof![
            Just(Shortcut::ZeroPad),
            Just(Shortcut::ProjectWhenChanged),
            Just(Shortcut::ProjectAlways),
        ],
        blocks in prop::array::uniform4(1_usize..=256),
        n in 1_usize..=200,
        classes in 1_usize..=1_000_000,
    ) {
        let config = ResNetConfig {
            block: if bottleneck { BlockKind::Bottleneck } else { BlockKind::Basic },
            blocks,
            shortcut,
            stride_on: if on_1x1 { StrideOn::Conv1x1 } else { StrideOn::Conv3x3 },
            classes,
        };
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<ResNetConfig>(&json).unwrap(), config);

        let config = CifarResNetConfig { depth: 6 * n + 2, shortcut, classes };
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<CifarResNetConfig>(&json).unwrap(), config);
    }
}
