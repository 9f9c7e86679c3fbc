//! Gradient of a step: parts, gradient accumulation over micro-batches, and data parallelism over
//! devices and ranks.

use std::ops::Range;
use std::panic;
use std::thread;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};
use receptive_layers::network::{Network, TrainingLogits};

use super::interface::{Scores, StepMetrics};
use super::readback::{read_matrix, read_scalar};
use crate::cluster::share_of;
use crate::error::TrainError;
use crate::loader::Batch;
use crate::loss::Loss;

/// Gradient of the mean loss of a step, and its metrics.
pub struct StepResult {
    pub gradients: GradientsParams,
    pub metrics: StepMetrics,
}

/// The gradient of the mean loss of a step, to be computed part by part.
pub struct GradientOf<'a> {
    /// Images and targets of the parts that this process computes.
    pub batch: &'a Batch,
    /// The loss.
    pub loss: &'a Loss,
    /// Number of micro-batches of each part.
    pub accumulate: usize,
    /// Number of images of all parts of all processes.
    pub images: usize,
}

/// Returns the contiguous micro-batches of the images `part`, whose sizes differ by at most one.
/// Empty micro-batches are left out.
fn micro_batches(part: Range<usize>, accumulate: usize) -> impl Iterator<Item = Range<usize>> {
    (0..accumulate)
        .map(move |index| {
            let Range { start, end } = share_of(part.len(), index, accumulate);
            part.start + start..part.start + end
        })
        .filter(|images| !images.is_empty())
}

impl GradientOf<'_> {
    /// Computes the gradient of the images `part`. The loss is the sum over its images divided by the
    /// number of images of the step, so the sum over all parts is the mean loss.
    ///
    /// The micro-batches run one after the other. Batch normalization uses the statistics of a
    /// micro-batch.
    pub fn compute<N: Network>(
        &self,
        network: &N,
        device: &Device,
        part: Range<usize>,
    ) -> Result<(GradientsParams, Scores), TrainError> {
        let mut sum = GradientsAccumulator::new();
        let mut scores = Scores {
            loss: 0.0,
            logits: Vec::with_capacity(part.len() * self.batch.classes()),
        };
        for images in micro_batches(part, self.accumulate) {
            let (gradients, micro_batch) = self.micro_batch(network, device, images)?;
            sum.accumulate(network, gradients);
            scores.loss += micro_batch.loss;
            scores.logits.extend(micro_batch.logits);
        }
        Ok((sum.grads(), scores))
    }

    fn micro_batch<N: Network>(
        &self,
        network: &N,
        device: &Device,
        Range { start, end }: Range<usize>,
    ) -> Result<(GradientsParams, Scores), TrainError> {
        let images = self.batch.images(start, end, device);
        let targets = self.batch.targets(start, end, device);
        let TrainingLogits { main, auxiliary } = network.forward_train(images);
        let main_loss = self.loss.sum(main.clone(), targets.clone());
        let losses = auxiliary
            .into_iter()
            .map(|(logits, weight)| self.loss.sum(logits, targets.clone()) * weight);
        let total: Tensor<1> = losses.fold(main_loss, |sum, loss| sum + loss);
        let mean = total / self.images as f64;
        let gradients = GradientsParams::from_grads(mean.backward(), network);
        let scores = Scores {
            loss: read_scalar(mean)?,
            logits: read_matrix(main)?,
        };
        Ok((gradients, scores))
    }
}

/// Applies `compute` to each of `items`: the first on the calling thread, the others on a thread each.
pub fn in_parallel<T: Send, R: Send>(items: Vec<T>, compute: impl Fn(T) -> R + Sync) -> Vec<R> {
    let mut items = items.into_iter();
    let Some(first) = items.next() else {
        return Vec::new();
    };
    let compute = &compute;
    thread::scope(|scope| {
        let others: Vec<_> = items
            .map(|item| scope.spawn(move || compute(item)))
            .collect();
        let mut results = vec![compute(first)];
        results.extend(others.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
        }));
        results
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Micro-batches cover the images of their part in order, in parts of about the same size.
        #[test]
        fn micro_batches_cover_the_part(
            first in 0_usize..50, images in 1_usize..200, accumulate in 1_usize..9,
        ) {
            let part = first..first + images;
            let mut next = part.start;
            for micro_batch in micro_batches(part.clone(), accumulate) {
                prop_assert_eq!(micro_batch.start, next);
                prop_assert!(!micro_batch.is_empty());
                prop_assert!(micro_batch.len() <= images.div_ceil(accumulate));
                next = micro_batch.end;
            }
            prop_assert_eq!(next, part.end);
        }
    }
}
