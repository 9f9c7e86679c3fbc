//! Learning-rate schedules.

use std::f64::consts::PI;

use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

/// Learning-rate schedule: the learning rate as a function of the time in epochs. `base` is the
/// optimizer's learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// `base` in all epochs.
    Constant {},
    /// `base * factor^n` after the first `n` epochs in `at`.
    Step {
        /// Epochs after which the rate is multiplied, ascending, at least 0.
        at: Vec<f64>,
        /// Factor of the learning rate, above 0.
        factor: f64,
    },
    /// `base * factor^n` after `n * epochs` epochs.
    Every {
        /// Number of epochs between two multiplications, above 0.
        epochs: f64,
        /// Factor of the learning rate, above 0.
        factor: f64,
    },
    /// Linear warm-up from 0 to `base`, then cosine decay to `floor` at the end of the run:
    /// `floor + (base - floor) (1 + cos(pi t)) / 2`, with `t` from 0 to 1 (Loshchilov and Hutter
    /// 2016, SGDR, eq. 5).
    Cosine {
        /// Length of the warm-up in epochs, at least 0 and below the number of epochs; default 0.
        #[serde(default)]
        warmup: f64,
        /// Final learning rate, at least 0; default 0.
        #[serde(default)]
        floor: f64,
    },
    /// Reduction on plateau: multiplies the learning rate by `factor` whenever the validation
    /// metric has not improved for `patience` epochs. Krizhevsky et al. 2012, section 5, did this
    /// by hand.
    Plateau {
        /// Factor of the learning rate, above 0 and below 1; default 0.1.
        #[serde(default = "default_factor")]
        factor: f64,
        /// Number of epochs without improvement before the rate is multiplied, at least 1.
        patience: usize,
        /// Smallest decrease of the metric that is an improvement, at least 0; default 0.
        #[serde(default)]
        threshold: f64,
        /// Lowest learning rate, at least 0; default 0.
        #[serde(default)]
        floor: f64,
        /// Validation metric; default the top-1 error.
        #[serde(default)]
        watch: PlateauMetric,
    },
}

/// Validation metric of a plateau schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlateauMetric {
    /// Top-1 error, from 0 to 1.
    #[default]
    Error,
    /// Mean loss.
    Loss,
}

fn default_factor() -> f64 {
    0.1
}

/// Position of a run in its schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SchedulePosition {
    /// Index of the step, from 0.
    pub step: u64,
    /// Number of steps per epoch.
    pub steps_per_epoch: u64,
    /// Number of epochs of the whole run.
    pub epochs: usize,
}

/// State of a plateau schedule.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct PlateauState {
    /// Lowest value of the metric so far.
    pub best: Option<f64>,
    /// Number of epochs since the last improvement or multiplication.
    pub waited: usize,
    /// Number of multiplications of the rate.
    pub drops: i32,
}

impl Schedule {
    /// Checks the fields for a run of `epochs` epochs.
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
            Self::Constant {} => Ok(()),
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
                let expected = "at least 0 and below the number of epochs";
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

    /// Returns the learning rate of the step at `position`, for the base learning rate `base`.
    pub fn rate(&self, base: f64, position: SchedulePosition, plateau: &PlateauState) -> f64 {
        let epoch = position.step as f64 / position.steps_per_epoch as f64;
        match self {
            Self::Constant {} => base,
            Self::Step { at, factor } => {
                let drops = at.iter().filter(|&&drop| epoch >= drop).count();
                base * factor.powi(drops as i32)
            }
            Self::Every { epochs, factor } => base * factor.powi((epoch / epochs) as i32),
            Self::Cosine { warmup, floor } => {
                if epoch < *warmup {
                    return base * epoch / warmup;
                }
                let progress = (epoch - warmup) / (position.epochs as f64 - warmup);
                floor + (base - floor) * (1.0 + (PI * progress.min(1.0)).cos()) / 2.0
            }
            Self::Plateau { factor, floor, .. } => {
                (base * factor.powi(plateau.drops)).max(floor.min(base))
            }
        }
    }

    /// Updates the plateau state with the validation metrics of an epoch: the top-1 error, from 0
    /// to 1, and the mean loss. Other schedules do nothing.
    pub fn observe(&self, plateau: &mut PlateauState, error: f64, loss: f64) {
        let Self::Plateau {
            patience,
            threshold,
            watch,
            ..
        } = self
        else {
            return;
        };
        let value = match watch {
            PlateauMetric::Error => error,
            PlateauMetric::Loss => loss,
        };
        if plateau.best.is_none_or(|best| value < best - threshold) {
            plateau.best = Some(value);
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
