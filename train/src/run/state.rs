//! State of a run in a checkpoint.

use receptive_kernels::cpu::Isa;
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
    /// Numbers of training and validation images.
    pub images: [usize; 2],
    /// SHA-256 of the list of training and validation images, in hexadecimal.
    pub data_sha256: String,
    /// Instruction set of the CPU kernels, such as `avx2`. Others round differently.
    pub isa: String,
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
    /// Returns the state before the first step of a run on `data` on this machine.
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] when an image file of `data` no longer exists, [`TrainError::Isa`] when the
    /// environment names an unknown instruction set.
    pub fn initial(data: &DataSplits) -> Result<Self, TrainError> {
        Ok(Self {
            epoch: 0,
            batch: 0,
            sums: MetricSums::default(),
            skipped: 0,
            plateau: PlateauState::default(),
            best: None,
            metrics_bytes: 0,
            seconds: 0.0,
            images: [data.train.len(), data.validation.len()],
            data_sha256: data.sha256()?,
            isa: Isa::detect()?.name().to_owned(),
        })
    }

    /// Whether no step has been taken.
    pub(super) fn is_initial(&self) -> bool {
        self.epoch == 0 && self.batch == 0
    }

    /// Checks that data and instruction set are those of `expected`.
    ///
    /// # Errors
    ///
    /// [`TrainError::RunMismatch`] names the property that differs.
    pub fn check(&self, expected: &Self) -> Result<(), TrainError> {
        let mismatch = |property, found: String, expected: String| {
            Err(TrainError::RunMismatch {
                property,
                found,
                expected,
            })
        };
        if self.images != expected.images {
            let format = |[train, validation]: [usize; 2]| format!("{train} + {validation}");
            let (found, expected) = (format(self.images), format(expected.images));
            return mismatch(
                "the number of training and validation images",
                found,
                expected,
            );
        }
        if self.data_sha256 != expected.data_sha256 {
            let short = |digest: &str| digest.chars().take(8).collect();
            let (found, expected) = (short(&self.data_sha256), short(&expected.data_sha256));
            return mismatch(
                "the digest of the images' names, sizes and order",
                found,
                expected,
            );
        }
        if self.isa != expected.isa {
            let (found, expected) = (self.isa.clone(), expected.isa.clone());
            return mismatch("the instruction set", found, expected);
        }
        Ok(())
    }
}
