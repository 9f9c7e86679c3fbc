//! Training recipes: the hyperparameters of a training run, as a TOML file.

mod error;
mod overrides;
mod schedule;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use receptive_layers::network::{InvalidConfig, RecipeFile};
use serde::{Deserialize, Serialize};

pub use error::RecipeError;
pub use schedule::{PlateauMetric, PlateauState, Schedule, SchedulePosition};

use crate::augment::{Mix, Transform};
use crate::loader::Normalisation;
use crate::loss::Loss;
use crate::optimizer::Optimizer;

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
    /// Gradient accumulation: number of micro-batches per mini-batch, from 1 to `batch`; default 1.
    /// More micro-batches need less memory. The accumulated gradient equals the gradient of the
    /// mini-batch, except that batch normalization uses the statistics of a micro-batch.
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
    /// Transforms of the validation images, in order.
    #[serde(default)]
    pub evaluate: Vec<Transform>,
}

impl DataRecipe {
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

fn default_accumulate() -> usize {
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
        let text = fs::read_to_string(path).map_err(|source| RecipeError::Read {
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

    /// Checks that every field is in its range.
    fn validate(&self) -> Result<(), RecipeError> {
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
