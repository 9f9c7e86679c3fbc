//! Records of steps and epochs: the lines of `metrics.jsonl`.

use serde::{Deserialize, Serialize};

use crate::metrics::MetricMeans;

/// Line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// An optimizer step.
    Step(StepRecord),
    /// An epoch.
    Epoch(EpochRecord),
}

/// Metrics of an optimizer step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step, from 1.
    pub step: u64,
    /// Learning rate.
    pub rate: f64,
    /// Mean loss of the mini-batch, before the step.
    pub loss: f64,
}

/// Metrics of an epoch and its validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Number of steps since the start of the run.
    pub step: u64,
    /// Metrics of the training images, each mini-batch with the weights before its step.
    pub train: MetricMeans,
    /// Metrics of the validation images, with the weights after the epoch.
    pub validation: MetricMeans,
    /// Number of training images that were skipped as unreadable.
    pub skipped: u64,
    /// Time since the start of the run, in seconds, without interruptions.
    pub seconds: f64,
}
