//! Where a network's weights come from, and how images are prepared for them.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};
use indicatif::{ProgressBar, ProgressStyle};
use receptive_layers::network::InputSpec;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{self, Checkpoint, FindOptions, StateDict};
use safetensors::SafeTensors;

use crate::error::CliError;
use crate::registry::Model;

/// The network that classifies when none is named; its weights are part of this program.
pub const DEFAULT_MODEL: &str = "mobilenet-v2";

/// The name of the file that [`EMBEDDED`] is.
const EMBEDDED_FILE: &str = "mobilenet_v2-f16.safetensors";

/// torchvision's `IMAGENET1K_V1` weights of MobileNetV2 in half precision.
const EMBEDDED: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../assets/mobilenet_v2-f16.safetensors"
));

/// The published file that [`EMBEDDED`] was converted from.
const EMBEDDED_FROM: &str = "mobilenet_v2-b0353104.pth";

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
    if model.name == DEFAULT_MODEL {
        return Ok(Pretrained {
            weights: embedded()?,
            preprocessing: preprocessing(model, Path::new(EMBEDDED_FROM)),
            origin: format!("the embedded {EMBEDDED_FROM}"),
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

/// The tensors in [`EMBEDDED`].
fn embedded() -> Result<StateDict, CliError> {
    let file = SafeTensors::deserialize(EMBEDDED)?;
    Ok(file
        .iter()
        .map(|(name, tensor)| {
            let values = tensor.data().to_vec();
            let data = TensorData::from_bytes_vec(values, tensor.shape().to_vec(), DType::F16);
            (name.to_owned(), data)
        })
        .collect())
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

/// What the checkpoint says whose name the file's name begins with (the embedded file has lost its
/// source's), else the model's oldest checkpoint, whose recipe most files follow, else ImageNet's at
/// the model's size.
pub fn preprocessing(model: &Model, file: &Path) -> Preprocessing {
    let name = match file.file_name().and_then(|name| name.to_str()) {
        Some(EMBEDDED_FILE) => EMBEDDED_FROM,
        name => name.unwrap_or(""),
    };
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
            || unpublished(model.input),
            |checkpoint| checkpoint.preprocessing,
        )
}

/// ImageNet's preparation in proportion to the input's size; for grey digits, the whole image
/// with the background at -0.1 and full ink at 1.175, as LeCun et al. 1998, section II.B has it.
fn unpublished(input: InputSpec) -> Preprocessing {
    let InputSpec { channels, size, .. } = input;
    if channels == 1 {
        let (background, ink) = (-0.1, 1.175);
        let std = 1.0 / (ink - background);
        return Preprocessing {
            resize: size,
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
        let prepared = unpublished(spec);
        let value = |grey: f32| (grey - prepared.mean[0]) / prepared.std[0];
        assert!((value(0.0) + 0.1).abs() < 1e-6);
        assert!((value(1.0) - 1.175).abs() < 1e-6);
        assert_eq!((prepared.resize, prepared.crop), (32, 32));
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
        let prepared = unpublished(spec);
        assert_eq!((prepared.resize, prepared.crop), (128, 112));
    }
}
