//! torchvision's weights.

use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{Checkpoint, Source};

/// The preprocessing of the `IMAGENET1K_V2` weights.
const RESIZE_232: Preprocessing = Preprocessing {
    resize: 232,
    ..Preprocessing::IMAGENET
};

/// Returns a checkpoint of torchvision's first training recipe.
const fn v1(
    url: &'static str,
    sha256: &'static str,
    parameters: u64,
    [top1, top5]: [f32; 2],
) -> Checkpoint {
    Checkpoint {
        tag: "IMAGENET1K_V1",
        source: Source::Torchvision,
        url,
        sha256,
        parameters,
        top1,
        top5,
        preprocessing: Preprocessing::IMAGENET,
    }
}

/// Returns a checkpoint of torchvision's second training recipe.
const fn v2(
    url: &'static str,
    sha256: &'static str,
    parameters: u64,
    accuracy: [f32; 2],
) -> Checkpoint {
    Checkpoint {
        tag: "IMAGENET1K_V2",
        preprocessing: RESIZE_232,
        ..v1(url, sha256, parameters, accuracy)
    }
}

pub const RESNET18: &[Checkpoint] = &[v1(
    "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    "f37072fd",
    11_689_512,
    [69.758, 89.078],
)];

pub const RESNET34: &[Checkpoint] = &[v1(
    "https://download.pytorch.org/models/resnet34-b627a593.pth",
    "b627a593",
    21_797_672,
    [73.314, 91.420],
)];

pub const RESNET50: &[Checkpoint] = &[
    v2(
        "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
        "11ad3fa6",
        25_557_032,
        [80.858, 95.434],
    ),
    v1(
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        "0676ba61",
        25_557_032,
        [76.130, 92.862],
    ),
];

pub const RESNET101: &[Checkpoint] = &[
    v2(
        "https://download.pytorch.org/models/resnet101-cd907fc2.pth",
        "cd907fc2",
        44_549_160,
        [81.886, 95.780],
    ),
    v1(
        "https://download.pytorch.org/models/resnet101-63fe2227.pth",
        "63fe2227",
        44_549_160,
        [77.374, 93.546],
    ),
];

pub const RESNET152: &[Checkpoint] = &[
    v2(
        "https://download.pytorch.org/models/resnet152-f82ba261.pth",
        "f82ba261",
        60_192_808,
        [82.284, 96.002],
    ),
    v1(
        "https://download.pytorch.org/models/resnet152-394f9c45.pth",
        "394f9c45",
        60_192_808,
        [78.312, 94.046],
    ),
];
