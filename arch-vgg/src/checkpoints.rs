//! torchvision's weights.

use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{Checkpoint, Source};

/// Returns the only checkpoint of a variant.
const fn published(
    url: &'static str,
    sha256: &'static str,
    parameters: u64,
    top1: f32,
    top5: f32,
) -> [Checkpoint; 1] {
    [Checkpoint {
        tag: "IMAGENET1K_V1",
        source: Source::Torchvision,
        url,
        sha256,
        parameters,
        top1,
        top5,
        preprocessing: Preprocessing::IMAGENET,
    }]
}

pub(crate) const VGG11: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg11-8a719046.pth",
    "8a719046",
    132_863_336,
    69.020,
    88.628,
);

pub(crate) const VGG11_BN: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg11_bn-6002323d.pth",
    "6002323d",
    132_868_840,
    70.370,
    89.810,
);

pub(crate) const VGG13: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg13-19584684.pth",
    "19584684",
    133_047_848,
    69.928,
    89.246,
);

pub(crate) const VGG13_BN: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg13_bn-abd245e5.pth",
    "abd245e5",
    133_053_736,
    71.586,
    90.374,
);

pub(crate) const VGG16: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    138_357_544,
    71.592,
    90.382,
);

pub(crate) const VGG16_BN: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth",
    "6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a",
    138_365_992,
    73.360,
    91.516,
);

pub(crate) const VGG19: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    143_667_240,
    72.376,
    90.876,
);

pub(crate) const VGG19_BN: &[Checkpoint] = &published(
    "https://download.pytorch.org/models/vgg19_bn-c79401a0.pth",
    "c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6",
    143_678_248,
    74.218,
    91.842,
);
