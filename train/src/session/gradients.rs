//! Gradient of a mini-batch: gradient accumulation over micro-batches, and data parallelism over
//! devices.

use std::panic;
use std::thread;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};
use receptive_layers::network::{Network, TrainingLogits};

use super::interface::Scores;
use super::readback::{read_matrix, read_scalar};
use crate::error::TrainError;
use crate::loader::Batch;
use crate::loss::Loss;

/// Contiguous images of a mini-batch that one device computes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicroBatch {
    /// Index of the first image.
    pub first: usize,
    /// Index after the last image.
    pub end: usize,
    /// Index of the device.
    pub device: usize,
}

impl MicroBatch {
    /// Splits `images` images into `accumulate` accumulation steps with one micro-batch per device.
    /// The sizes of the micro-batches differ by at most one image; empty micro-batches are left
    /// out.
    pub fn split(images: usize, accumulate: usize, devices: usize) -> Vec<Vec<Self>> {
        let count = accumulate * devices;
        let start = |index: usize| images * index / count;
        let accumulation_step = |step: usize| -> Vec<Self> {
            (0..devices)
                .map(|device| {
                    let index = step * devices + device;
                    Self {
                        first: start(index),
                        end: start(index + 1),
                        device,
                    }
                })
                .filter(|micro_batch| micro_batch.first < micro_batch.end)
                .collect()
        };
        (0..accumulate)
            .map(accumulation_step)
            .filter(|micro_batches| !micro_batches.is_empty())
            .collect()
    }
}

/// Computes the gradient of the mean loss of the mini-batch, on the first device.
///
/// The accumulation steps run one after the other; the micro-batches of one step run in parallel.
/// The gradient is the sum over all micro-batches. Batch normalization uses the statistics of a
/// micro-batch.
pub fn mini_batch_gradient<N: Network>(
    network: &N,
    devices: &[Device],
    loss: &Loss,
    batch: &Batch,
    accumulation_steps: &[Vec<MicroBatch>],
) -> Result<(GradientsParams, Scores), TrainError> {
    let mut sum = GradientsAccumulator::new();
    let mut scores = Scores {
        loss: 0.0,
        logits: Vec::with_capacity(batch.len() * batch.classes()),
    };
    for micro_batches in accumulation_steps {
        for result in parallel_gradients(network, devices, loss, batch, micro_batches) {
            let (gradients, micro_batch) = result?;
            sum.accumulate(network, gradients.to_device(&devices[0], network));
            scores.loss += micro_batch.loss;
            scores.logits.extend(micro_batch.logits);
        }
    }
    Ok((sum.grads(), scores))
}

/// Gradient and scores of a micro-batch.
type MicroBatchResult = Result<(GradientsParams, Scores), TrainError>;

/// Computes the micro-batches of one accumulation step in parallel: the first one on the calling
/// thread, the others on a thread each.
fn parallel_gradients<N: Network>(
    network: &N,
    devices: &[Device],
    loss: &Loss,
    batch: &Batch,
    micro_batches: &[MicroBatch],
) -> Vec<MicroBatchResult> {
    let Some((first, others)) = micro_batches.split_first() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let others: Vec<_> = others
            .iter()
            .map(|micro_batch| {
                let device = &devices[micro_batch.device];
                // `fork` makes a copy with its own gradients, which moves to the thread.
                let network = network.clone().fork(device);
                scope.spawn(move || {
                    micro_batch_gradient(&network, device, loss, batch, *micro_batch)
                })
            })
            .collect();
        let device = &devices[first.device];
        let mut results = vec![micro_batch_gradient(network, device, loss, batch, *first)];
        results.extend(others.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
        }));
        results
    })
}

/// Computes the gradient of a micro-batch. The loss is the sum over its images divided by the
/// number of images of the mini-batch, so the sum over all micro-batches is the mean loss.
fn micro_batch_gradient<N: Network>(
    network: &N,
    device: &Device,
    loss: &Loss,
    batch: &Batch,
    micro_batch: MicroBatch,
) -> MicroBatchResult {
    let MicroBatch { first, end, .. } = micro_batch;
    let images = batch.images(first, end, device);
    let targets = batch.targets(first, end, device);
    let TrainingLogits { main, auxiliary } = network.forward_train(images);
    let main_loss = loss.sum(main.clone(), targets.clone());
    let losses = auxiliary
        .into_iter()
        .map(|(logits, weight)| loss.sum(logits, targets.clone()) * weight);
    let total: Tensor<1> = losses.fold(main_loss, |sum, loss| sum + loss);
    let mean = total / batch.len() as f64;
    let gradients = GradientsParams::from_grads(mean.backward(), network);
    let scores = Scores {
        loss: read_scalar(mean)?,
        logits: read_matrix(main)?,
    };
    Ok((gradients, scores))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn micro_batches_cover_all_images_in_order(
            images in 1_usize..200, accumulate in 1_usize..9, devices in 1_usize..5,
        ) {
            let accumulation_steps = MicroBatch::split(images, accumulate, devices);
            let mut next = 0;
            for micro_batch in accumulation_steps.iter().flatten() {
                let MicroBatch { first, end, device } = *micro_batch;
                prop_assert_eq!(first, next);
                prop_assert!(end > next && device < devices);
                prop_assert!(end - first <= images.div_ceil(accumulate * devices));
                next = end;
            }
            prop_assert_eq!(next, images);
            prop_assert!(accumulation_steps.iter().all(|step| step.len() <= devices));
        }
    }
}
