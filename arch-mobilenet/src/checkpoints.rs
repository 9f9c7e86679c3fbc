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
        sha256: "7ebf99e0",
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
        sha256: "b0353104",
        parameters: 3_504_872,
        top1: 71.878,
        top5: 90.286,
        preprocessing: Preprocessing::IMAGENET,
    },
];
