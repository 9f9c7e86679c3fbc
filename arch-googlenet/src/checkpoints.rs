//! torchvision's weights.

use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{Checkpoint, Source};

/// These weights came from TensorFlow and want `(x - 0.5) / 0.5`. torchvision normalises with
/// ImageNet's mean and deviation as everywhere and undoes that inside the model
/// (`transform_input`); here the preprocessing does it at once.
pub const GOOGLENET: &[Checkpoint] = &[Checkpoint {
    tag: "IMAGENET1K_V1",
    source: Source::Torchvision,
    url: "https://download.pytorch.org/models/googlenet-1378be20.pth",
    sha256: "1378be20",
    parameters: 6_624_904,
    top1: 69.778,
    top5: 89.530,
    preprocessing: Preprocessing {
        mean: [0.5; 3],
        std: [0.5; 3],
        ..Preprocessing::IMAGENET
    },
}];
