//! Where a run is.

use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::error::TrainError;
use crate::metrics::MetricSums;
use crate::recipe::Plateau;

/// Where a run is: with the weights, the optimizer's memory and the recipe, all that the next step
/// depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Epochs that are over and judged.
    pub epoch: usize,
    /// Batches of the current epoch that are done.
    pub batch: usize,
    /// How these scored.
    pub sums: MetricSums,
    /// Training images of this epoch that could not be read.
    pub skipped: u64,
    /// What the schedule has seen.
    pub plateau: Plateau,
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Length of the run's `metrics.jsonl` at this point, bytes.
    pub metrics_bytes: u64,
    /// Time that the run has taken, over all its parts.
    pub seconds: f64,
    /// Classes of the data.
    pub classes: usize,
    /// Its training and validation images.
    pub images: [usize; 2],
}

/// The epoch with the highest validation accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The part of the validation images that was classified rightly.
    pub top1: f64,
}

impl State {
    /// Before the first step with this data.
    pub fn fresh(data: &Data) -> Self {
        Self {
            epoch: 0,
            batch: 0,
            sums: MetricSums::default(),
            skipped: 0,
            plateau: Plateau::default(),
            best: None,
            metrics_bytes: 0,
            seconds: 0.0,
            classes: data.classes.len(),
            images: [data.train.len(), data.validation.len()],
        }
    }

    /// Whether this is of a run on this data, as far as its counts tell.
    pub fn check(&self, data: &Data) -> Result<(), TrainError> {
        let now = Self::fresh(data);
        if self.classes != now.classes {
            return Err(TrainError::OtherRun {
                what: "the number of classes",
                found: self.classes.to_string(),
                expected: now.classes.to_string(),
            });
        }
        if self.images != now.images {
            let told = |[train, validation]: [usize; 2]| format!("{train} + {validation}");
            return Err(TrainError::OtherRun {
                what: "the number of training and validation images",
                found: told(self.images),
                expected: told(now.images),
            });
        }
        Ok(())
    }
}
