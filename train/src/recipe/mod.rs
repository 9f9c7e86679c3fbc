//! Training recipes: the hyperparameters of a training run, as a TOML file.

mod error;
mod overrides;
mod schedule;
#[cfg(test)]
mod tests;

use std::path::Path;

use receptive_layers::bounded_file;
use receptive_layers::network::{InvalidConfig, RecipeFile};
use receptive_layers::preprocessing::{Interpolation, Preprocessing};
use receptive_layers::sha256::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use error::RecipeError;
pub use schedule::{PlateauMetric, PlateauState, Schedule, SchedulePosition};

use crate::augment::{Mix, Transform};
use crate::loader::Normalisation;
use crate::loss::Loss;
use crate::optimizer::Optimizer;

/// Largest recipe file, in bytes: 1 MiB.
const MAX_BYTES: u64 = 1 << 20;

/// The recipe for fine-tuning pretrained weights on a small data set.
pub const FINETUNE: RecipeFile = receptive_layers::recipe_file!("finetune.toml");

/// Hyperparameters of a training run.
///
/// A field that is missing in the file has its documented default. An unknown field is an error
/// that lists the valid ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Number of epochs, from 1 to 1,000,000.
    pub epochs: usize,
    /// Images per mini-batch (one optimizer step), from 1 to 1,000,000.
    pub batch: usize,
    /// Parts of a mini-batch, from 1 to `batch`; default 1. Each part is computed on one rank or device;
    /// the weights do not depend on which rank. Batch normalization uses the statistics of a part, and
    /// its running statistics after a step are the means over the parts, as are those of PyTorch's
    /// `DistributedDataParallel` if averaged. Mixup and CutMix mix images of the same part.
    #[serde(default = "default_parts")]
    pub parts: usize,
    /// Type in which gradients are summed over the parts; default [`GradientType::F32`].
    #[serde(default)]
    pub gradients: GradientType,
    /// Gradient accumulation: number of micro-batches per part, from 1 to `batch`; default 1. More
    /// micro-batches need less memory. The accumulated gradient equals the gradient of the part,
    /// except that batch normalization uses the statistics of a micro-batch.
    #[serde(default = "default_accumulate")]
    pub accumulate: usize,
    /// Seed of all random numbers; default 0.
    #[serde(default)]
    pub seed: u64,
    /// Whether the network is trained with its auxiliary heads, if it has any; default true.
    #[serde(default = "default_auxiliary")]
    pub auxiliary: bool,
    /// Gradient clipping: the largest norm of the whole gradient, above 0; default no clipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Decay of the exponential moving average (EMA) of the weights, at least 0 and below 1;
    /// default no EMA. The averaged weights are the ones that are validated and saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Name of the last frozen stage: this stage and all stages before it are not trained. Default
    /// no frozen stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<String>,
    /// Values of fields of the network's configuration, such as `dropout`; default as published.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub network: toml::Table,
    /// Loss function.
    pub loss: Loss,
    /// Optimizer.
    pub optimizer: Optimizer,
    /// Learning-rate schedule.
    pub schedule: Schedule,
    /// Dataset split, augmentation and preprocessing.
    pub data: DataRecipe,
}

/// Dataset split, augmentation and preprocessing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// Fraction of each class that is held out for validation if the dataset has no validation
    /// images, above 0 and below 1; default 0.1.
    #[serde(default = "default_holdout")]
    pub holdout: f64,
    /// Normalisation of the samples.
    pub normalise: Normalisation,
    /// Mixup or CutMix of the training images; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mix: Option<Mix>,
    /// Transforms of the training images, in order.
    #[serde(default)]
    pub train: Vec<Transform>,
    /// Transforms of the validation images, and of the images that the trained network classifies: a
    /// resize and then a center_crop or a pad; or one of resize and pad; or none, for images that
    /// already have the input size.
    #[serde(default)]
    pub evaluate: Vec<Transform>,
}

impl DataRecipe {
    /// Changes the transforms and the normalisation of the validation images to those of
    /// `preprocessing`, for a network of `channels` channels, and the crops of the training images to
    /// its crop. The training images get the same normalisation.
    pub fn evaluate_by(&mut self, preprocessing: &Preprocessing, channels: usize) {
        self.crop_to(preprocessing.crop);
        let Preprocessing { mean, std, .. } = *preprocessing;
        self.evaluate = Transform::resize_and_crop(preprocessing);
        self.normalise = Normalisation {
            mean: mean[..channels.min(3)].into(),
            std: std[..channels.min(3)].into(),
        };
    }

    /// Returns what the transforms of the validation images do for a network with an input of `size`
    /// pixels: the length of the shorter side after the resize, the size of the crop, and the filter
    /// of the resize. Without a resize, the images already have the length that they are resized to.
    fn evaluation_size(&self, size: usize) -> Result<(usize, usize, Interpolation), InvalidConfig> {
        let (resize, rest) = match &self.evaluate[..] {
            [Transform::Resize(resize), rest @ ..] => (Some(resize), rest),
            rest => (None, rest),
        };
        let shorter = resize.map(|resize| resize.shorter);
        let sizes = match (rest, shorter) {
            ([], None) => Some((size, size)),
            ([], Some(shorter)) => Some((shorter, shorter)),
            ([Transform::CenterCrop(crop)], Some(shorter)) => Some((shorter, crop.size)),
            ([Transform::Pad(pad)], None) => size
                .checked_sub(2 * pad.pixels)
                .filter(|&shorter| shorter > 0)
                .map(|shorter| (shorter, size)),
            ([Transform::Pad(pad)], Some(shorter)) => Some((shorter, shorter + 2 * pad.pixels)),
            _ => None,
        };
        let interpolation = resize.map_or(Interpolation::Bilinear, |resize| resize.interpolation);
        match sizes {
            Some((shorter, crop)) => Ok((shorter, crop, interpolation)),
            None => Err(InvalidConfig {
                field: "evaluate",
                found: format!("{:?}", self.evaluate.iter().map(kind).collect::<Vec<_>>()),
                expected: "a resize and then a center_crop or pad, or a resize, or a pad, or nothing",
            }),
        }
    }

    /// Changes the crops to `size` pixels and scales the resizes by the same factor. A list of
    /// transforms without a crop is unchanged.
    pub fn crop_to(&mut self, size: usize) {
        for transforms in [&mut self.train, &mut self.evaluate] {
            let Some(old_size) = transforms.iter().find_map(Transform::crop_size) else {
                continue;
            };
            for transform in transforms {
                transform.rescale(size, old_size);
            }
        }
    }
}

/// Type in which the gradients of the parts of a step are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GradientType {
    /// float32.
    #[default]
    F32,
    /// bfloat16: the gradient of each part, and every sum of two, is rounded, which halves what ranks
    /// exchange. A step with one part is not rounded.
    Bf16,
}

/// Returns the `kind` of a transform in a recipe.
fn kind(transform: &Transform) -> String {
    let table = toml::Table::try_from(transform).unwrap_or_default();
    let kind = table.get("kind").and_then(toml::Value::as_str);
    kind.unwrap_or_default().to_owned()
}

fn default_accumulate() -> usize {
    1
}

fn default_parts() -> usize {
    1
}

fn default_auxiliary() -> bool {
    true
}

fn default_holdout() -> f64 {
    0.1
}

impl Recipe {
    /// Reads the recipe in the file at `path`. `overrides`, such as `optimizer.lr=0.05`, replace
    /// values of its fields.
    ///
    /// # Errors
    ///
    /// [`RecipeError`] names the invalid field and the expected values.
    pub fn open(path: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        let text =
            bounded_file::read_text(path, MAX_BYTES).map_err(|source| RecipeError::Read {
                path: path.to_owned(),
                source,
            })?;
        Self::parse(&text, &path.display().to_string(), overrides)
    }

    /// Parses the recipe in `text`, with `overrides` as in [`open`](Self::open). Errors name the
    /// recipe `origin`.
    ///
    /// # Errors
    ///
    /// [`RecipeError`] names the invalid field and the expected values.
    pub fn parse(text: &str, origin: &str, overrides: &[String]) -> Result<Self, RecipeError> {
        let set = overrides.iter().map(|text| format!(" --set {text}"));
        let parse_error = |error: toml::de::Error| RecipeError::Parse {
            origin: format!("{origin}{}", set.clone().collect::<String>()),
            reason: error.to_string(),
        };
        let recipe: Self = if overrides.is_empty() {
            // Parsing the text directly makes errors show the line.
            toml::from_str(text).map_err(parse_error)?
        } else {
            let mut table: toml::Table = toml::from_str(text).map_err(parse_error)?;
            for text in overrides {
                overrides::apply(&mut table, text)?;
            }
            table.try_into().map_err(parse_error)?
        };
        recipe.validate()?;
        Ok(recipe)
    }

    /// Returns the recipe as TOML, which [`parse`](Self::parse) reads.
    ///
    /// # Errors
    ///
    /// [`RecipeError::Parse`] when TOML cannot represent a value.
    pub fn text(&self) -> Result<String, RecipeError> {
        toml::to_string(self).map_err(|error| RecipeError::Parse {
            origin: "the resolved recipe".to_owned(),
            reason: error.to_string(),
        })
    }

    /// Returns the preprocessing of validation images, and of the images that the trained network
    /// classifies, for a network with input `[channels, size, size]`.
    ///
    /// # Errors
    ///
    /// [`RecipeError::Invalid`] when the transforms of the validation images do not end with the input
    /// size, or the normalisation does not have one value, or one for each channel.
    pub fn preprocessing(
        &self,
        channels: usize,
        size: usize,
    ) -> Result<Preprocessing, RecipeError> {
        let invalid = |section: &str| {
            let section = section.to_owned();
            move |source| RecipeError::Invalid { section, source }
        };
        let normalise = &self.data.normalise;
        normalise
            .validate(channels)
            .map_err(invalid("data.normalise"))?;
        let (resize, crop, interpolation) = self
            .data
            .evaluation_size(size)
            .and_then(|sizes| {
                let found = format!("a crop of {} pixels for an input of {size}", sizes.1);
                let expected = "a crop of the input size";
                InvalidConfig::unless(sizes.1 == size, "evaluate", found, expected)?;
                Ok(sizes)
            })
            .map_err(invalid("data"))?;
        let [mean, std] = normalise.of_colours();
        Ok(Preprocessing {
            resize,
            crop,
            interpolation,
            mean,
            std,
        })
    }

    /// Returns the SHA-256 of the recipe as TOML, in hexadecimal.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn sha256(&self) -> Result<String, RecipeError> {
        Ok(hex(&Sha256::digest(self.text()?)))
    }

    /// Checks that every field is in its range.
    ///
    /// # Errors
    ///
    /// [`RecipeError::Invalid`] names the field and the expected values.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let invalid = |section: &str| {
            let section = section.to_owned();
            move |source| RecipeError::Invalid { section, source }
        };
        self.check_fields().map_err(invalid("fields"))?;
        self.loss.validate().map_err(invalid("loss"))?;
        self.optimizer.validate().map_err(invalid("optimizer"))?;
        self.schedule
            .validate(self.epochs)
            .map_err(invalid("schedule"))?;
        if let Some(mix) = &self.data.mix {
            mix.validate().map_err(invalid("data.mix"))?;
        }
        for (list, transforms) in [
            ("train", &self.data.train),
            ("evaluate", &self.data.evaluate),
        ] {
            for (index, transform) in transforms.iter().enumerate() {
                let section = format!("data.{list}.{index}");
                transform.validate().map_err(invalid(&section))?;
            }
        }
        Ok(())
    }

    /// Checks the fields that are outside of sections.
    fn check_fields(&self) -> Result<(), InvalidConfig> {
        let counts = 1..=1_000_000;
        let expected = "a whole number from 1 to 1,000,000";
        InvalidConfig::unless(
            counts.contains(&self.epochs),
            "epochs",
            self.epochs,
            expected,
        )?;
        InvalidConfig::unless(counts.contains(&self.batch), "batch", self.batch, expected)?;
        InvalidConfig::unless(
            (1..=self.batch).contains(&self.parts),
            "parts",
            self.parts,
            "from 1 to the batch",
        )?;
        InvalidConfig::unless(
            (1..=self.batch).contains(&self.accumulate),
            "accumulate",
            self.accumulate,
            "from 1 to the batch",
        )?;
        if let Some(norm) = self.clip_norm {
            let valid = norm > 0.0 && norm.is_finite();
            InvalidConfig::unless(valid, "clip_norm", norm, "above 0")?;
        }
        if let Some(decay) = self.ema {
            InvalidConfig::unless_probability("ema", decay)?;
        }
        let holdout = self.data.holdout;
        let valid = holdout > 0.0 && holdout < 1.0;
        InvalidConfig::unless(valid, "data.holdout", holdout, "above 0 and below 1")
    }
}
