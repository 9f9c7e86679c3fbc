//! The interface of a network in training.

use receptive_layers::weights::StateDict;

use crate::cluster::Cluster;
use crate::error::TrainError;
use crate::loader::Batch;
use crate::metrics::MetricSums;

/// An optimizer step.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Images and targets of the parts that this process computes.
    pub batch: &'a Batch,
    /// Number of images of the whole step: those of `batch`, and those of the other processes.
    pub images: usize,
    /// Learning rate.
    pub rate: f64,
    /// Index of the step, from 0, which seeds the random numbers of the network.
    pub number: u64,
}

impl<'a> Step<'a> {
    /// Returns the step of a single process, whose mini-batch is the whole one.
    pub fn whole(batch: &'a Batch, rate: f64, number: u64) -> Self {
        Self {
            batch,
            images: batch.len(),
            rate,
            number,
        }
    }
}

/// Loss and metrics of an optimizer step, over all its images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMetrics {
    /// Mean loss over the images, including the auxiliary heads.
    pub loss: f64,
    /// Sums over the images.
    pub sums: MetricSums,
}

/// Loss and logits of a mini-batch.
#[derive(Debug, Clone)]
pub struct Scores {
    /// Mean loss over the images.
    pub loss: f64,
    /// Logits, `[images, classes]` in row-major order.
    pub logits: Vec<f32>,
}

/// Network in training, without its type.
pub trait TrainableNetwork {
    /// Runs one optimizer step. All ranks of `cluster` run it together and end with the same weights.
    ///
    /// # Errors
    ///
    /// [`TrainError::Device`] when the device fails, [`TrainError::Diverged`] when the loss is not
    /// finite, [`TrainError::Cluster`] when the exchange with other ranks fails. The weights are
    /// unchanged in these cases.
    fn step(&mut self, step: &Step, cluster: &dyn Cluster) -> Result<StepMetrics, TrainError>;

    /// Returns the network for validation, with the averaged weights if the recipe has an EMA.
    fn evaluator(&self) -> Box<dyn Evaluator>;

    /// Returns the weights of [`evaluator`](Self::evaluator), with the tensor names of the
    /// reference implementation.
    fn weights(&self) -> StateDict;

    /// Returns the complete state: weights, averaged weights and optimizer state.
    ///
    /// # Errors
    ///
    /// [`TrainError::Device`] when the state cannot be read from the device.
    fn state(&self) -> Result<StateDict, TrainError>;

    /// Replaces the complete state with `state`, a value of [`state`](Self::state).
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] when the state belongs to another network.
    fn restore(&mut self, state: &StateDict) -> Result<(), TrainError>;
}

/// Network for evaluation, without gradients.
pub trait Evaluator {
    /// Computes loss and logits of a mini-batch, without auxiliary heads and without dropout.
    ///
    /// # Errors
    ///
    /// [`TrainError::Device`] when the device fails.
    fn scores(&self, batch: &Batch) -> Result<Scores, TrainError>;
}
