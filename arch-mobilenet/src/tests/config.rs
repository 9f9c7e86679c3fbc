use burn::tensor::Device;
use proptest::prelude::*;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::shapes;

use super::listed;
use crate::{MobileNetV1Config, MobileNetV2Config, TimmMobileNetV1Config};

/// Returns the name and the number of trainable parameters of every variant.
fn counts<C: NetworkConfig>() -> Vec<(&'static str, usize)> {
    let device = Device::flex();
    C::variants()
        .iter()
        .map(|variant| {
            (
                variant.name,
                variant.config.init(&device).num_trainable_params(),
            )
        })
        .collect()
}

/// Computes the number of parameters from Table 1, without the network. The stem has 27 weights per
/// output channel; a block has 9 weights per input channel and `c_in * c_out` weights; each norm
/// has two parameters per channel; a classifier follows.
fn v1_parameters(width: f64, classes: usize) -> usize {
    let c = |n: usize| (n as f64 * width) as usize;
    let pairs = [
        (32, 64),
        (64, 128),
        (128, 128),
        (128, 256),
        (256, 256),
        (256, 512),
        (512, 512),
        (512, 512),
        (512, 512),
        (512, 512),
        (512, 512),
        (512, 1024),
        (1024, 1024),
    ];
    let blocks = pairs.map(|(i, o)| 9 * c(i) + 2 * c(i) + c(i) * c(o) + 2 * c(o));
    27 * c(32) + 2 * c(32) + blocks.iter().sum::<usize>() + (c(1024) + 1) * classes
}

#[test]
fn variants_have_the_published_number_of_parameters() {
    assert_eq!(
        counts::<MobileNetV1Config>(),
        [
            ("mobilenet-v1", 4_231_976),
            ("mobilenet-v1-0.75", 2_585_560),
            ("mobilenet-v1-0.5", 1_331_592),
            ("mobilenet-v1-0.25", 470_072),
        ]
    );
    assert_eq!(
        counts::<TimmMobileNetV1Config>(),
        [("mobilenet-v1-timm", 4_231_976)]
    );
    assert_eq!(counts::<MobileNetV2Config>(), [("mobilenet-v2", 3_504_872)]);
}

/// Checks that every checkpoint has as many parameters as its network.
fn check_checkpoints<C: NetworkConfig>() {
    for variant in C::variants() {
        let expected = variant.config.init(&Device::flex()).num_trainable_params() as u64;
        for checkpoint in variant.checkpoints {
            assert_eq!(checkpoint.parameters, expected, "{}", checkpoint.url);
            // The name of the file contains the first digits; timm gives none.
            let digits = checkpoint.sha256.len().min(8);
            assert!(checkpoint.url.contains(&checkpoint.sha256[..digits]));
        }
    }
}

#[test]
fn checkpoints_have_as_many_parameters_as_their_network() {
    check_checkpoints::<MobileNetV1Config>();
    check_checkpoints::<TimmMobileNetV1Config>();
    check_checkpoints::<MobileNetV2Config>();
}

#[test]
fn parameters_have_the_reference_names_and_shapes() {
    let device = Device::flex();
    assert_eq!(
        shapes(&MobileNetV1Config::mobilenet_v1(1.0).init(&device)),
        listed(include_str!("names/mobilenet-v1.txt"))
    );
    assert_eq!(
        shapes(&MobileNetV1Config::mobilenet_v1(0.5).init(&device)),
        listed(include_str!("names/mobilenet-v1-0.5.txt"))
    );
    assert_eq!(
        shapes(&TimmMobileNetV1Config::mobilenetv1_100().init(&device)),
        listed(include_str!("names/mobilenet-v1-timm.txt"))
    );
    assert_eq!(
        shapes(&MobileNetV2Config::mobilenet_v2().init(&device)),
        listed(include_str!("names/mobilenet-v2.txt"))
    );
}

/// Expects the shapes of torchvision's `mobilenet_v2(width_mult=0.35)` and `(width_mult=1.4)`.
#[test]
fn v2_rounds_channels_as_torchvision_does() {
    let parameters = |width| {
        let config = MobileNetV2Config {
            width,
            ..MobileNetV2Config::mobilenet_v2()
        };
        shapes(&config.init(&Device::flex()))
    };
    let narrow = parameters(0.35);
    assert_eq!(narrow["features.0.0.weight"], [16, 3, 3, 3]);
    assert_eq!(narrow["features.1.conv.1.weight"], [8, 16, 1, 1]);
    assert_eq!(narrow["features.18.0.weight"], [1280, 112, 1, 1]);
    let wide = parameters(1.4);
    assert_eq!(wide["features.0.0.weight"], [48, 3, 3, 3]);
    assert_eq!(wide["features.1.conv.1.weight"], [24, 48, 1, 1]);
    assert_eq!(wide["features.18.0.weight"], [1792, 448, 1, 1]);
}

#[test]
fn errors_name_the_field_out_of_range() {
    let v1 = MobileNetV1Config::mobilenet_v1(1.0);
    let invalid_field = |config: MobileNetV1Config| config.validate().unwrap_err().field;
    assert_eq!(invalid_field(v1.clone().with_classes(0)), "classes");
    assert_eq!(
        invalid_field(v1.clone().with_classes(usize::MAX)),
        "classes"
    );
    for resolution in [0, usize::MAX] {
        let config = MobileNetV1Config {
            resolution,
            ..v1.clone()
        };
        assert_eq!(invalid_field(config), "resolution");
    }
    for dropout in [-0.1, 1.0, f64::NAN] {
        let config = MobileNetV1Config {
            dropout,
            ..v1.clone()
        };
        assert_eq!(invalid_field(config), "dropout");
        let config = TimmMobileNetV1Config {
            dropout,
            classes: 10,
        };
        assert_eq!(config.validate().unwrap_err().field, "dropout");
        let config = MobileNetV2Config {
            dropout,
            ..MobileNetV2Config::mobilenet_v2()
        };
        assert_eq!(config.validate().unwrap_err().field, "dropout");
    }
}

/// Returns `n / 1000`, whose three decimals JSON preserves.
fn thousandths(n: u16) -> f64 {
    f64::from(n) / 1000.0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn v1_has_the_parameters_of_table_1_at_every_width(width in 0.03125_f64..4.0, classes in 1_usize..50) {
        let config = MobileNetV1Config::mobilenet_v1(width).with_classes(classes);
        prop_assert!(config.validate().is_ok());
        let parameters = config.init(&Device::flex()).num_trainable_params();
        prop_assert_eq!(parameters, v1_parameters(width, classes));
    }

    #[test]
    fn v2_channels_are_multiples_of_8_at_every_width(width in 0.001_f64..4.0) {
        let config = MobileNetV2Config { width, ..MobileNetV2Config::mobilenet_v2() };
        prop_assert!(config.validate().is_ok());
        for (name, shape) in shapes(&config.init(&Device::flex())) {
            if name.starts_with("features.") {
                prop_assert_eq!(shape[0] % 8, 0, "{} {:?}", name, shape);
            }
        }
    }

    #[test]
    fn widths_out_of_range_are_errors(
        width in prop_oneof![
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(0.0),
            -100.0_f64..0.0,
            16.000_1_f64..1e30,
        ],
    ) {
        let error = MobileNetV1Config::mobilenet_v1(width).validate().unwrap_err();
        prop_assert_eq!(error.field, "width");
        let config = MobileNetV2Config { width, ..MobileNetV2Config::mobilenet_v2() };
        prop_assert_eq!(config.validate().unwrap_err().field, "width");
    }

    #[test]
    fn configurations_round_trip_through_json(
        width in (32_u16..=16_000).prop_map(thousandths),
        resolution in 1_usize..=65_536,
        classes in 1_usize..=1_000_000,
        dropout in (0_u16..1000).prop_map(thousandths),
    ) {
        let config = MobileNetV1Config { width, resolution, classes, dropout };
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<MobileNetV1Config>(&json).unwrap(), config);
        let config = MobileNetV2Config { width, resolution, classes, dropout };
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<MobileNetV2Config>(&json).unwrap(), config);
        let config = TimmMobileNetV1Config { classes, dropout };
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<TimmMobileNetV1Config>(&json).unwrap(), config);
    }
}
