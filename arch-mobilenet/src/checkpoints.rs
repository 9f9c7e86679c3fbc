//! torchvision's and timm's weights.

use receptive_layers::preprocessing::{Interpolation, Preprocessing};
use receptive_layers::weights::{Checkpoint, Source};

pub const MOBILENET_V1_TIMM: &[Checkpoint] = &[Checkpoint {
    tag: "ra4_e3600_r224_in1k",
    source: Source::Timm,
    url: "https://huggingface.co/timm/mobilenetv1_100.ra4_e3600_r224_in1k/resolve/main/model.safetensors",
    sha256: "",
    parameters: 4_231_976,
    top1: 75.388,
    top5: 92.310,
    preprocessing: Preprocessing {
        resize: 256,
        crop: 224,
        interpolation: Interpolation::Bicubic,
        mean: [0.5; 3],
        std: [0.5; 3],
    },
}];

pub const MOBILENET_V2: &[Checkpoint] = &[
    Checkpoint {
        tag: "IMAGENET1K_V2",
        source: Source::Torchvision,
        url: "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth",
        sha256: "7ebf99e03e254b273379b23edca7ec0da9f48273b23a332b93c1c99d49e86e8f",
        parameters: 3_504_872,
        top1: 72.154,
        top5: 90.822,
        preprocessing: Preprocessing {
            resize: 232,
            ..Preprocessing::IMAGENET
        },
    },
    Checkpoint {
        tag: "IMAGENET1K_V1",
        source: Source::Torchvision,
        url: "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
        sha256: "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        parameters: 3_504_872,
        top1: 71.878,
        top5: 90.286,
        preprocessing: Preprocessing::IMAGENET,
    },
];
