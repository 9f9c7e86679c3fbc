//! How the learning rate goes.

use std::f64::consts::PI;

use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

/// The learning rate as a function of time, in epochs; `base` below is the optimizer's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// `base` throughout.
    Constant,
    /// `base * factor` after the first of `at`, `base * factor^2` after the second, and so on.
    Step {
        /// Epochs, ascending, at least 0.
        at: Vec<f64>,
        /// What multiplies the rate, above 0.
        factor: f64,
    },
    /// `base * factor^n` after `n` times `every` epochs.
    Every {
        /// Epochs, above 0.
        epochs: f64,
        /// What multiplies the rate, above 0.
        factor: f64,
    },
    /// From 0 in a straight line to `base` over the warm-up, then to `floor` at the end along half a
    /// cosine: `floor + (base - floor) (1 + cos(pi t)) / 2`, `t` from 0 to 1 (Loshchilov and Hutter
    /// 2016, SGDR, eq. 5).
    Cosine {
        /// Epochs, at least 0 and fewer than there are; by default 0.
        #[serde(default)]
        warmup: f64,
        /// The last rate, at least 0; by default 0.
        #[serde(default)]
        floor: f64,
    },
    /// Multiplied by `factor` whenever the validation has not improved for `patience` epochs, as
    /// Krizhevsky et al. 2012, section 5, and many after them did by hand.
    Plateau {
        /// What multiplies the rate, above 0 and below 1; by default a tenth.
        #[serde(default = "tenth")]
        factor: f64,
        /// Epochs without improvement that are waited for, at least 1.
        patience: usize,
        /// By how much the watched number must fall to be an improvement, at least 0; by default 0.
        #[serde(default)]
        threshold: f64,
        /// The lowest rate, at least 0; by default 0.
        #[serde(default)]
        floor: f64,
        /// The number that is watched; by default the error.
        #[serde(default)]
        watch: Watch,
    },
}

/// What a plateau is a plateau of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// The part of the validation images that is classified wrongly, from 0 to 1.
    #[default]
    Error,
    /// The validation's loss.
    Loss,
}

fn tenth() -> f64 {
    0.1
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Steps before this one.
    pub step: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Epochs in all.
    pub epochs: usize,
}

/// What a plateau schedule has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Plateau {
    /// The lowest number so far.
    pub best: Option<f64>,
    /// Epochs since.
    pub waited: usize,
    /// How often the rate was multiplied.
    pub drops: i32,
}

impl Schedule {
    pub(super) fn validate(&self, epochs: usize) -> Result<(), InvalidConfig> {
        let positive = |field, value: f64| {
            let valid = value > 0.0 && value.is_finite();
            InvalidConfig::unless(valid, field, value, "above 0")
        };
        let not_negative = |field, value: f64| {
            let valid = value >= 0.0 && value.is_finite();
            InvalidConfig::unless(valid, field, value, "at least 0")
        };
        match self {
            Self::Constant => Ok(()),
            Self::Step { at, factor } => {
                let valid = at.is_sorted() && at.iter().all(|&epoch| epoch >= 0.0);
                let found = format!("{at:?}");
                InvalidConfig::unless(valid, "at", found, "epochs of at least 0, ascending")?;
                positive("factor", *factor)
            }
            Self::Every { epochs, factor } => {
                positive("epochs", *epochs)?;
                positive("factor", *factor)
            }
            Self::Cosine { warmup, floor } => {
                let valid = *warmup >= 0.0 && *warmup < epochs as f64;
                let expected = "at least 0 and fewer than the epochs";
                InvalidConfig::unless(valid, "warmup", warmup, expected)?;
                not_negative("floor", *floor)
            }
            Self::Plateau {
                factor,
                patience,
                threshold,
                floor,
                ..
            } => {
                let valid = *factor > 0.0 && *factor < 1.0;
                InvalidConfig::unless(valid, "factor", factor, "above 0 and below 1")?;
                InvalidConfig::unless(*patience > 0, "patience", patience, "at least 1")?;
                not_negative("threshold", *threshold)?;
                not_negative("floor", *floor)
            }
        }
    }

    /// The learning rate of the next step.
    pub fn rate(&self, base: f64, place: Place, plateau: &Plateau) -> f64 {
        let epoch = place.step as f64 / place.steps_per_epoch as f64;
        match self {
            Self::Constant => base,
            Self::Step { at, factor } => {
                let drops = at.iter().filter(|&&drop| epoch >= drop).count();
                base * factor.powi(drops as i32)
            }
            Self::Every { epochs, factor } => base * factor.powi((epoch / epochs) as i32),
            Self::Cosine { warmup, floor } => {
                if epoch < *warmup {
                    return base * epoch / warmup;
                }
                let part = (epoch - warmup) / (place.epochs as f64 - warmup);
                floor + (base - floor) * (1.0 + (PI * part.min(1.0)).cos()) / 2.0
            }
            Self::Plateau { factor, floor, .. } => {
                (base * factor.powi(plateau.drops)).max(floor.min(base))
            }
        }
    }

    /// Takes note of an epoch's validation: its error, from 0 to 1, and its loss.
    pub fn observe(&self, plateau: &mut Plateau, error: f64, loss: f64) {
        let Self::Plateau {
            patience,
            threshold,
            watch,
            ..
        } = self
        else {
            return;
        };
        let seen = match watch {
            Watch::Error => error,
            Watch::Loss => loss,
        };
        if plateau.best.is_none_or(|best| seen < best - threshold) {
            plateau.best = Some(seen);
            plateau.waited = 0;
            return;
        }
        plateau.waited += 1;
        if plateau.waited == *patience {
            plateau.waited = 0;
            plateau.drops += 1;
        }
    }
}
