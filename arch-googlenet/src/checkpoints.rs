//! torchvision's weights.

use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{Checkpoint, Source};

/// The checkpoint of `googlenet`.
///
/// The weights were ported from TensorFlow and expect pixels normalised by `(x - 0.5) / 0.5`.
/// torchvision normalises with ImageNet's mean and standard deviation and converts inside the model
/// (`transform_input`); the preprocessing below normalises directly.
pub const GOOGLENET: &[Checkpoint] = &[Checkpoint {
    tag: "IMAGENET1K_V1",
    source: Source::Torchvision,
    url: "https://download.pytorch.org/models/googlenet-1378be20.pth",
    sha256: "1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef",
    parameters: 6_624_904,
    top1: 69.778,
    top5: 89.530,
    preprocessing: Preprocessing {
        mean: [0.5; 3],
        std: [0.5; 3],
        ..Preprocessing::IMAGENET
    },
}];
