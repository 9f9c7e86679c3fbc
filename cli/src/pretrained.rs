//! Where a network's weights come from, and how images are prepared for them.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::InputSpec;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{self, Checkpoint, FindOptions, StateDict};

use crate::error::CliError;
use crate::registry::Model;

/// The network that classifies when none is named.
pub const DEFAULT_MODEL: &str = "mobilenet-v2";

/// Weights that are part of this program.
struct Embedded {
    model: &'static str,
    file: &'static str,
    /// The published file that they were converted from; our own recipe's come from none.
    published: Option<&'static str>,
    bytes: &'static [u8],
}

macro_rules! embedded {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/", $file))
    };
}

const EMBEDDED: [Embedded; 2] = [
    // torchvision's `IMAGENET1K_V1` in half precision.
    Embedded {
        model: "mobilenet-v2",
        file: "mobilenet_v2-f16.safetensors",
        published: Some("mobilenet_v2-b0353104.pth"),
        bytes: embedded!("mobilenet_v2-f16.safetensors"),
    },
    Embedded {
        model: "lenet5",
        file: "lenet5.safetensors",
        published: None,
        bytes: embedded!("lenet5.safetensors"),
    },
];

/// Weights, and what their images must be.
pub struct Pretrained {
    /// The tensors under the reference's names.
    pub weights: StateDict,
    /// How images are prepared.
    pub preprocessing: Preprocessing,
    /// Where they came from, for messages.
    pub origin: String,
}

/// The weights of `file`; without one, those in the program, in the cache, or published.
///
/// # Errors
///
/// [`CliError`] when a file cannot be read, or there are no weights to be had.
pub fn find(model: &Model, file: Option<&Path>) -> Result<Pretrained, CliError> {
    if let Some(path) = file {
        return Ok(Pretrained {
            weights: StateDict::open(path)?,
            preprocessing: preprocessing(model, path),
            origin: path.display().to_string(),
        });
    }
    if let Some(embedded) = EMBEDDED.iter().find(|own| own.model == model.name) {
        let name = embedded.published.unwrap_or(embedded.file);
        return Ok(Pretrained {
            weights: StateDict::from_bytes(embedded.bytes)?,
            preprocessing: preprocessing(model, Path::new(name)),
            origin: format!("the embedded {name}"),
        });
    }
    let Some(checkpoint) = model.checkpoints.first() else {
        return Err(CliError::NoWeights { model: model.name });
    };
    let path = download(model, checkpoint)?;
    Ok(Pretrained {
        weights: StateDict::open(&path)?,
        preprocessing: checkpoint.preprocessing,
        origin: path.display().to_string(),
    })
}

/// The published file in the cache, downloaded if it is not there yet.
fn download(model: &Model, checkpoint: &Checkpoint) -> Result<PathBuf, CliError> {
    let bar = download_bar();
    bar.set_message(checkpoint.cache_name());
    let mut report = |done: u64, total: Option<u64>| {
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(done);
    };
    let found = weights::find(
        checkpoint,
        FindOptions {
            progress: Some(&mut report),
            ..FindOptions::default()
        },
    );
    bar.finish_and_clear();
    found.map_err(|source| CliError::Find {
        model: model.name,
        source,
    })
}

/// A bar for bytes that arrive.
pub fn download_bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style)
}

/// What the checkpoint says whose name the file's name begins with (an embedded file has lost its
/// source's), else the model's oldest checkpoint, whose recipe most files follow, else ImageNet's at
/// the model's size.
pub fn preprocessing(model: &Model, file: &Path) -> Preprocessing {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let own = EMBEDDED.iter().find(|own| own.file == name);
    let name = own.and_then(|own| own.published).unwrap_or(name);
    let published = |checkpoint: &Checkpoint| {
        let published = checkpoint.cache_name();
        let stem = published.rsplit_once('.').map_or("", |(stem, _)| stem);
        !stem.is_empty() && name.starts_with(stem)
    };
    model
        .checkpoints
        .iter()
        .find(|checkpoint| published(checkpoint))
        .or_else(|| model.checkpoints.last())
        .map_or_else(
            || unpublished(model.labels, model.input),
            |checkpoint| checkpoint.preprocessing,
        )
}

/// ImageNet's preparation in proportion to the input's size. For MNIST's digits, MNIST's frame of 28 pixels
/// in the middle of the 32 that LeNet-5 sees, the background at -0.1 and full ink at 1.175, as LeCun et al.
/// 1998, section II.B has it.
fn unpublished(labels: LabelSet, input: InputSpec) -> Preprocessing {
    let size = input.size;
    if labels == LabelSet::Mnist {
        let (background, ink) = (-0.1, 1.175);
        let std = 1.0 / (ink - background);
        return Preprocessing {
            resize: size * 28 / 32,
            crop: size,
            mean: [-background * std; 3],
            std: [std; 3],
            ..Preprocessing::IMAGENET
        };
    }
    let published = Preprocessing::IMAGENET;
    Preprocessing {
        resize: size * published.resize / published.crop,
        crop: size,
        ..published
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use receptive_layers::network::Sizes;

    #[test]
    fn grey_digits_span_the_range_of_the_paper() {
        let spec = InputSpec {
            channels: 1,
            size: 32,
            accepts: Sizes::Published,
        };
        let prepared = unpublished(LabelSet::Mnist, spec);
        let value = |grey: f32| (grey - prepared.mean[0]) / prepared.std[0];
        assert!((value(0.0) + 0.1).abs() < 1e-6);
        assert!((value(1.0) - 1.175).abs() < 1e-6);
        assert_eq!((prepared.resize, prepared.crop), (28, 32));
    }

    #[test]
    fn a_file_is_prepared_for_by_its_name() {
        let model = crate::registry::model("resnet50").expect("a model");
        for (file, resize) in [
            ("resnet50-11ad3fa6.pth", 232),
            ("folder/resnet50-0676ba61-f16.safetensors", 256),
            ("mine.safetensors", 256),
        ] {
            assert_eq!(
                preprocessing(&model, Path::new(file)).resize,
                resize,
                "{file}"
            );
        }
    }

    #[test]
    fn colour_keeps_the_proportion_of_imagenet() {
        let spec = InputSpec {
            channels: 3,
            size: 112,
            accepts: Sizes::AtLeast(32),
        };
        let prepared = unpublished(LabelSet::Imagenet1k, spec);
        assert_eq!((prepared.resize, prepared.crop), (128, 112));
    }
}
