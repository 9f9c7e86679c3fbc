//! Summaries against the papers and torchvision.

use receptive::registry;
use receptive_layers::summary::Summary;
use receptive_tests::reference::Reference;

/// Returns the summary of the network without auxiliary heads.
fn inference(name: &str) -> Summary {
    let model = registry::model(name).unwrap();
    model
        .summary(model.classes, model.input.shape(), false)
        .unwrap()
}

/// Returns the summary of the network with auxiliary heads.
fn training(name: &str) -> Summary {
    let model = registry::model(name).unwrap();
    model
        .summary(model.classes, model.input.shape(), true)
        .unwrap()
}

/// Trainable parameters and multiply-adds per image, counted by hand from the papers' tables as
/// products of kernel, channels and map size. `lenet5-1998` has a test of its own: its paper counts
/// connections.
#[rustfmt::skip]
const TOTALS: &[(&str, u64, u64)] = &[
    ("lenet5", 61_706, 416_520),
    ("alexnet", 62_378_344, 1_135_256_096),
    ("alexnet-grouped", 60_965_224, 724_406_816),
    ("alexnet-torchvision", 61_100_840, 714_188_480),
    ("vgg11", 132_863_336, 7_609_090_048),
    ("vgg11-bn", 132_868_840, 7_609_090_048),
    ("vgg13", 133_047_848, 11_308_466_176),
    ("vgg13-bn", 133_053_736, 11_308_466_176),
    ("vgg16", 138_357_544, 15_470_264_320),
    ("vgg16-bn", 138_365_992, 15_470_264_320),
    ("vgg19", 143_667_240, 19_632_062_464),
    ("vgg19-bn", 143_678_248, 19_632_062_464),
    ("googlenet", 6_624_904, 1_498_376_192),
    ("googlenet-paper", 6_998_552, 1_582_671_872),
    ("resnet18", 11_689_512, 1_814_073_344),
    ("resnet34", 21_797_672, 3_663_761_408),
    ("resnet50", 25_557_032, 4_089_184_256),
    ("resnet50-v1", 25_557_032, 3_857_973_248),
    ("resnet101", 44_549_160, 7_801_405_440),
    ("resnet152", 60_192_808, 11_513_626_624),
    ("resnet20-cifar", 269_722, 40_551_040),
    ("resnet32-cifar", 464_154, 68_862_592),
    ("resnet44-cifar", 658_586, 97_174_144),
    ("resnet56-cifar", 853_018, 125_485_696),
    ("resnet110-cifar", 1_727_962, 252_887_680),
    ("mobilenet-v1", 4_231_976, 568_740_352),
    ("mobilenet-v1-0.75", 2_585_560, 325_400_448),
    ("mobilenet-v1-0.5", 1_331_592, 149_497_088),
    ("mobilenet-v1-0.25", 470_072, 41_030_272),
    ("mobilenet-v1-timm", 4_231_976, 568_740_352),
    ("mobilenet-v2", 3_504_872, 300_774_272),
];

/// 10^9 multiply-adds at 224x224 pixels, to three decimals, as torchvision states.
#[rustfmt::skip]
const TORCHVISION: &[(&str, f64)] = &[
    ("alexnet-torchvision", 0.714),
    ("vgg11", 7.609), ("vgg13", 11.308), ("vgg16", 15.470), ("vgg19", 19.632),
    ("vgg11-bn", 7.609), ("vgg13-bn", 11.308), ("vgg16-bn", 15.470), ("vgg19-bn", 19.632),
    ("googlenet", 1.498),
    ("resnet18", 1.814), ("resnet34", 3.664), ("resnet50", 4.089), ("resnet101", 7.801),
    ("resnet152", 11.514),
    ("mobilenet-v2", 0.301),
];

/// Returns the parameters and multiply-adds of the variant `name` in [`TOTALS`].
fn total(name: &str) -> (u64, u64) {
    let row = TOTALS.iter().find(|(n, ..)| *n == name);
    row.map(|&(_, parameters, macs)| (parameters, macs))
        .unwrap_or_else(|| panic!("{name} has no row"))
}

/// Returns `value / unit`, rounded.
fn rounded(value: u64, unit: f64) -> f64 {
    (value as f64 / unit).round()
}

#[test]
fn every_published_network_has_totals_counted_by_hand() {
    for name in registry::models().iter().map(|model| model.name) {
        let counted = TOTALS.iter().any(|&(row, ..)| row == name);
        assert!(counted || name == "lenet5-1998", "{name} has no row");
    }
}

#[test]
fn summaries_have_the_totals_counted_by_hand() {
    for &(name, parameters, macs) in TOTALS {
        let summary = inference(name);
        assert_eq!(
            (summary.parameters, summary.macs),
            (parameters, macs),
            "{name}"
        );
    }
}

#[test]
fn totals_match_the_references_and_torchvision() {
    let references = Reference::names();
    for &(name, parameters, _) in TOTALS {
        if references.iter().any(|reference| reference == name) {
            assert_eq!(Reference::read(name).parameters, parameters, "{name}");
        }
    }
    for &(name, published) in TORCHVISION {
        let thousandths = rounded(total(name).1, 1e6);
        assert_eq!(thousandths, (published * 1e3).round(), "{name}");
    }
}

// MobileNets, Tables 6 and 7: millions of multiply-adds and parameters. Table 7 truncates: it
// states 290 at 160 pixels, for 290.7.
#[test]
fn mobilenets_have_the_costs_of_their_paper() {
    let paper = [
        ("mobilenet-v1", 569.0, 42.0),
        ("mobilenet-v1-0.75", 325.0, 26.0),
        ("mobilenet-v1-0.5", 149.0, 13.0),
        ("mobilenet-v1-0.25", 41.0, 5.0),
    ];
    for (name, macs, tenths) in paper {
        assert_eq!(rounded(total(name).1, 1e6), macs, "{name}");
        assert_eq!(rounded(total(name).0, 1e5), tenths, "{name}");
    }
    let model = registry::model("mobilenet-v1").unwrap();
    for (size, macs) in [(192, 418), (160, 290), (128, 186)] {
        let summary = model.summary(1000, [1, 3, size, size], false).unwrap();
        assert_eq!(summary.macs / 1_000_000, macs, "{size} pixels");
    }
}

// Deep Residual Learning, Table 6: hundredths of millions of parameters. The table prints 1.7
// million for 110 layers.
#[test]
fn cifar_resnets_have_the_parameters_of_their_paper() {
    let paper = [(20, 27), (32, 46), (44, 66), (56, 85), (110, 173)];
    for (depth, hundredths) in paper {
        let (parameters, _) = total(&format!("resnet{depth}-cifar"));
        assert_eq!(
            rounded(parameters, 1e4) as u32,
            hundredths,
            "{depth} layers"
        );
    }
}

// Gradient-Based Learning, section II.B.
#[test]
fn lenet5_has_the_papers_parameters_and_connections() {
    let summary = inference("lenet5-1998");
    assert_eq!(summary.parameters, 60_000);
    assert_eq!(summary.connections, 340_908);
}

#[test]
fn vgg16_has_15_million_activations_and_528_mib_of_parameters() {
    let summary = inference("vgg16");
    assert_eq!(summary.parameter_bytes, 4 * 138_357_544);
    assert_eq!(summary.parameter_bytes.div_ceil(1 << 20), 528);
    assert_eq!(rounded(summary.activation_values, 1e5), 152.0);
    assert_eq!(rounded(summary.activation_bytes, 1e6), 61.0);
}

#[test]
fn training_adds_the_auxiliary_heads() {
    assert_eq!(training("googlenet").parameters, 13_004_888);
    assert_eq!(training("googlenet-paper").parameters, 13_378_280);
}

macro_rules! tables {
    ($($test:ident: $name:literal $(, grouped by $depth:literal)?;)*) => {
        $(#[test]
        fn $test() {
            let summary = inference($name);
            $(let summary = summary.grouped($depth);)?
            insta::assert_snapshot!(summary.to_string());
        })*
    };
}

tables! {
    table_of_alexnet: "alexnet";
    table_of_googlenet: "googlenet", grouped by 1;
    table_of_lenet5_1998: "lenet5-1998";
    table_of_mobilenet_v2: "mobilenet-v2";
    table_of_resnet50: "resnet50", grouped by 1;
    table_of_vgg16: "vgg16";
}
