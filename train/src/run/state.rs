//! State of a run in a checkpoint.

use serde::{Deserialize, Serialize};

use crate::data::DataSplits;
use crate::error::TrainError;
use crate::metrics::MetricSums;
use crate::recipe::PlateauState;

/// State of a run. The next step depends only on this state, the weights, the optimizer state and
/// the recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Number of completed and validated epochs.
    pub epoch: usize,
    /// Number of completed mini-batches of the current epoch.
    pub batch: usize,
    /// Metric sums over these mini-batches.
    pub sums: MetricSums,
    /// Number of training images of this epoch that were skipped as unreadable.
    pub skipped: u64,
    /// State of the plateau schedule.
    pub plateau: PlateauState,
    /// The epoch with the highest validation accuracy so far.
    pub best: Option<BestEpoch>,
    /// Length of `metrics.jsonl` at the checkpoint, in bytes.
    pub metrics_bytes: u64,
    /// Time since the start of the run, in seconds, without interruptions.
    pub seconds: f64,
    /// Number of classes.
    pub classes: usize,
    /// Numbers of training and validation images.
    pub images: [usize; 2],
}

/// The epoch with the highest validation accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Top-1 accuracy of the validation images, from 0 to 1.
    pub top1: f64,
}

impl State {
    /// Returns the state before the first step.
    pub fn initial(data: &DataSplits) -> Self {
        Self {
            epoch: 0,
            batch: 0,
            sums: MetricSums::default(),
            skipped: 0,
            plateau: PlateauState::default(),
            best: None,
            metrics_bytes: 0,
            seconds: 0.0,
            classes: data.classes.len(),
            images: [data.train.len(), data.validation.len()],
        }
    }

    /// Checks that the numbers of classes and images are those of `data`.
    ///
    /// # Errors
    ///
    /// [`TrainError::RunMismatch`] names the number that differs.
    pub fn check(&self, data: &DataSplits) -> Result<(), TrainError> {
        let expected = Self::initial(data);
        if self.classes != expected.classes {
            return Err(TrainError::RunMismatch {
                property: "the number of classes",
                found: self.classes.to_string(),
                expected: expected.classes.to_string(),
            });
        }
        if self.images != expected.images {
            let format = |[train, validation]: [usize; 2]| format!("{train} + {validation}");
            return Err(TrainError::RunMismatch {
                property: "the number of training and validation images",
                found: format(self.images),
                expected: format(expected.images),
            });
        }
        Ok(())
    }
}
