//! The interface of a network in training.

use receptive_layers::weights::StateDict;

use crate::error::TrainError;
use crate::loader::Batch;

/// Loss and logits of a mini-batch.
#[derive(Debug, Clone)]
pub struct Scores {
    /// Mean loss over the images. In a training step, the loss includes the auxiliary heads.
    pub loss: f64,
    /// Logits, `[images, classes]` in row-major order.
    pub logits: Vec<f32>,
}

/// Network in training, without its type.
pub trait TrainableNetwork {
    /// Runs one optimizer step on the mini-batch with the learning rate `rate`. `step` counts from
    /// 0 and seeds the random numbers of the network.
    ///
    /// # Errors
    ///
    /// [`TrainError::Device`] when the device fails, [`TrainError::Diverged`] when the loss is not
    /// finite. The weights are unchanged in both cases.
    fn step(&mut self, batch: &Batch, rate: f64, step: u64) -> Result<Scores, TrainError>;

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
