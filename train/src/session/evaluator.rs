//! Evaluation of a network.

use burn::tensor::Device;
use receptive_layers::network::Network;

use super::interface::{Evaluator, Scores};
use super::readback::{read_matrix, read_scalar};
use crate::error::TrainError;
use crate::loader::Batch;
use crate::loss::Loss;

/// Network without autodiff, and the loss to evaluate.
pub struct NetworkEvaluator<N> {
    pub network: N,
    pub device: Device,
    pub loss: Loss,
}

impl<N: Network> Evaluator for NetworkEvaluator<N> {
    fn scores(&self, batch: &Batch) -> Result<Scores, TrainError> {
        let images = batch.images(0, batch.len(), &self.device);
        let logits = self.network.forward(images);
        let targets = batch.targets(0, batch.len(), &self.device);
        let loss = self.loss.sum(logits.clone(), targets);
        Ok(Scores {
            loss: read_scalar(loss)? / batch.len() as f64,
            logits: read_matrix(logits)?,
        })
    }
}
