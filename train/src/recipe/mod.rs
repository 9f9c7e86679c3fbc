//! How a network is trained, as a TOML file.

mod overrides;
mod schedule;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

pub use schedule::{Place, Plateau, Schedule, Watch};

use crate::augment::{Mix, Transform};
use crate::loader::Normalisation;
use crate::loss::Loss;
use crate::optimizer::Optimizer;

/// How a network is trained. A field that is left out of the file has the default that its
/// documentation names; a field that is not one of these is an error that lists them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// How often each training image is seen, from 1 to 1,000,000.
    pub epochs: usize,
    /// Images of one optimizer step, from 1 to 1,000,000.
    pub batch: usize,
    /// Parts that a batch is computed in, one after the other, to fit in memory: their gradients add
    /// up to the whole batch's. From 1 to `batch`; by default 1.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// The seed of all that is random; by default 0.
    #[serde(default)]
    pub seed: u64,
    /// Whether the network has its auxiliary heads, if it has any; by default it has.
    #[serde(default = "yes")]
    pub auxiliary: bool,
    /// The largest norm of the whole gradient, above 0; by default there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The decay of a moving average of the weights, at least 0 and below 1: it is what is validated
    /// and saved. By default there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// The last of the first stages that are not trained; by default all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<String>,
    /// Fields of the network's own configuration, such as `dropout`, and their values; by default as
    /// published.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub network: toml::Table,
    /// What is made small.
    pub loss: Loss,
    /// What makes it small.
    pub optimizer: Optimizer,
    /// How the learning rate goes.
    pub schedule: Schedule,
    /// What becomes of the images.
    pub data: DataRecipe,
}

/// What becomes of the images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// The part of each class's images, above 0 and below 1, that is held out for validation where
    /// the data has no validation images of its own; by default 0.1.
    #[serde(default = "tenth")]
    pub holdout: f64,
    /// What turns samples into the network's numbers.
    pub normalise: Normalisation,
    /// How training images are mixed with each other; by default they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mix: Option<Mix>,
    /// The steps that training images go through, in this order.
    #[serde(default)]
    pub train: Vec<Transform>,
    /// The steps that validation images go through, in this order.
    #[serde(default)]
    pub evaluate: Vec<Transform>,
}

impl DataRecipe {
    /// Lets every crop end at `size` pixels, and resizes that come before them keep their ratio to it.
    pub fn crop_to(&mut self, size: usize) {
        for steps in [&mut self.train, &mut self.evaluate] {
            let Some(before) = steps.iter().find_map(Transform::crop_size) else {
                continue;
            };
            for step in steps {
                step.rescale(size, before);
            }
        }
    }
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn tenth() -> f64 {
    0.1
}

/// Why a recipe cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("cannot read the recipe {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The text is not TOML, or holds what a recipe has not.
    #[error("{origin}: {reason}")]
    Parse {
        /// The recipe, in words.
        origin: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// An override is not `field=value`, or its field cannot be set.
    #[error("--set {text}: {reason}")]
    Override {
        /// The override.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// A field is out of its range.
    #[error("the recipe's {part}: {source}")]
    Invalid {
        /// Which part of the recipe.
        part: String,
        /// The field, and what it may be.
        source: InvalidConfig,
    },
}

impl Recipe {
    /// The recipe in the file at `path`, with `overrides` such as `optimizer.lr=0.05` in the place of
    /// its fields.
    ///
    /// # Errors
    ///
    /// [`RecipeError`] says which field is wrong, and what was expected.
    pub fn open(path: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        let text = fs::read_to_string(path).map_err(|source| RecipeError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, &path.display().to_string(), overrides)
    }

    /// The recipe in `text`, which messages call `origin`, with `overrides` as in [`open`](Self::open).
    ///
    /// # Errors
    ///
    /// [`RecipeError`] says which field is wrong, and what was expected.
    pub fn parse(text: &str, origin: &str, overrides: &[String]) -> Result<Self, RecipeError> {
        let set = overrides.iter().map(|text| format!(" --set {text}"));
        let wrong = |error: toml::de::Error| RecipeError::Parse {
            origin: format!("{origin}{}", set.clone().collect::<String>()),
            reason: error.to_string(),
        };
        let recipe: Self = if overrides.is_empty() {
            // From the text itself, so that errors show the line.
            toml::from_str(text).map_err(wrong)?
        } else {
            let mut table: toml::Table = toml::from_str(text).map_err(wrong)?;
            for text in overrides {
                overrides::apply(&mut table, text)?;
            }
            table.try_into().map_err(wrong)?
        };
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as [`parse`](Self::parse) reads it.
    ///
    /// # Errors
    ///
    /// [`RecipeError::Parse`] when TOML has no way to say a value.
    pub fn text(&self) -> Result<String, RecipeError> {
        toml::to_string(self).map_err(|error| RecipeError::Parse {
            origin: "the resolved recipe".to_owned(),
            reason: error.to_string(),
        })
    }

    fn validate(&self) -> Result<(), RecipeError> {
        let part = |part: &str| {
            let part = part.to_owned();
            move |source| RecipeError::Invalid { part, source }
        };
        self.check_numbers().map_err(part("fields"))?;
        self.loss.validate().map_err(part("loss"))?;
        self.optimizer.validate().map_err(part("optimizer"))?;
        self.schedule
            .validate(self.epochs)
            .map_err(part("schedule"))?;
        if let Some(mix) = &self.data.mix {
            mix.validate().map_err(part("data.mix"))?;
        }
        for (list, transforms) in [
            ("train", &self.data.train),
            ("evaluate", &self.data.evaluate),
        ] {
            for (number, transform) in transforms.iter().enumerate() {
                let place = format!("data.{list}.{number}");
                transform.validate().map_err(part(&place))?;
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), InvalidConfig> {
        let counts = 1..=1_000_000;
        let whole = "a whole number from 1 to 1,000,000";
        InvalidConfig::unless(counts.contains(&self.epochs), "epochs", self.epochs, whole)?;
        InvalidConfig::unless(counts.contains(&self.batch), "batch", self.batch, whole)?;
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
