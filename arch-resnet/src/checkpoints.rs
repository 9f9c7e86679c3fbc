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
    "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    11_689_512,
    [69.758, 89.078],
)];

pub const RESNET34: &[Checkpoint] = &[v1(
    "https://download.pytorch.org/models/resnet34-b627a593.pth",
    "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
    21_797_672,
    [73.314, 91.420],
)];

pub const RESNET50: &[Checkpoint] = &[
    v2(
        "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
        "11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca",
        25_557_032,
        [80.858, 95.434],
    ),
    v1(
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
        25_557_032,
        [76.130, 92.862],
    ),
];

pub const RESNET101: &[Checkpoint] = &[
    v2(
        "https://download.pytorch.org/models/resnet101-cd907fc2.pth",
        "cd907fc2a0de2292b2ba2b27d2216bc672d84632d1cf20058d01c0c03b5e020e",
        44_549_160,
        [81.886, 95.780],
    ),
    v1(
        "https://download.pytorch.org/models/resnet101-63fe2227.pth",
        "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
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
        "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",
        60_192_808,
        [78.312, 94.046],
    ),
];
