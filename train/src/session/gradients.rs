//! The gradient of a batch, computed in parts.

use std::panic;
use std::thread;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};
use receptive_layers::network::{Network, TrainingLogits};

use super::{Scores, floats, number};
use crate::error::TrainError;
use crate::loader::Batch;
use crate::loss::Loss;

/// Some images of a batch that one device computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first of them.
    pub first: usize,
    /// The one after the last.
    pub end: usize,
    /// The number of the device.
    pub device: usize,
}

impl Part {
    /// `images` in `accumulate` turns over `devices`, as evenly as whole images allow; parts that would
    /// be empty are left out.
    pub fn of(images: usize, accumulate: usize, devices: usize) -> Vec<Vec<Self>> {
        let parts = accumulate * devices;
        let start = |part: usize| images * part / parts;
        let turn = |turn: usize| -> Vec<Self> {
            (0..devices)
                .map(|device| {
                    let part = turn * devices + device;
                    Self {
                        first: start(part),
                        end: start(part + 1),
                        device,
                    }
                })
                .filter(|part| part.first < part.end)
                .collect()
        };
        (0..accumulate)
            .map(turn)
            .filter(|turn| !turn.is_empty())
            .collect()
    }
}

/// The gradient of the batch's mean loss, on the first device: the sum over `turns`, whose parts are
/// computed at the same time. Batch norms see a part each.
pub fn sum<N: Network>(
    network: &N,
    devices: &[Device],
    loss: &Loss,
    batch: &Batch,
    turns: &[Vec<Part>],
) -> Result<(GradientsParams, Scores), TrainError> {
    let mut sum = GradientsAccumulator::new();
    let mut scores = Scores {
        loss: 0.0,
        logits: Vec::with_capacity(batch.len() * batch.classes()),
    };
    for turn in turns {
        for result in together(network, devices, loss, batch, turn) {
            let (gradients, part) = result?;
            sum.accumulate(network, gradients.to_device(&devices[0], network));
            scores.loss += part.loss;
            scores.logits.extend(part.logits);
        }
    }
    Ok((sum.grads(), scores))
}

/// The gradient of some images, and their scores.
type Computed = Result<(GradientsParams, Scores), TrainError>;

/// The parts of one turn: the first in this thread, the others in one each.
fn together<N: Network>(
    network: &N,
    devices: &[Device],
    loss: &Loss,
    batch: &Batch,
    turn: &[Part],
) -> Vec<Computed> {
    let Some((own, others)) = turn.split_first() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let others: Vec<_> = others
            .iter()
            .map(|part| {
                // A copy with a gradient of its own; the thread takes it.
                let network = network.clone().fork(&devices[part.device]);
                scope.spawn(move || of(&network, &devices[part.device], loss, batch, *part))
            })
            .collect();
        let mut results = vec![of(network, &devices[own.device], loss, batch, *own)];
        results.extend(others.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
        }));
        results
    })
}

/// The gradient of the part's share of the batch's mean loss, and that share.
fn of<N: Network>(
    network: &N,
    device: &Device,
    loss: &Loss,
    batch: &Batch,
    part: Part,
) -> Computed {
    let images = batch.images(part.first, part.end, device);
    let targets = batch.targets(part.first, part.end, device);
    let TrainingLogits { main, auxiliary } = network.forward_train(images);
    let main_loss = loss.sum(main.clone(), targets.clone());
    let losses = auxiliary
        .into_iter()
        .map(|(logits, weight)| loss.sum(logits, targets.clone()) * weight);
    let total: Tensor<1> = losses.fold(main_loss, |sum, loss| sum + loss);
    let mean = total / batch.len() as f64;
    let gradients = GradientsParams::from_grads(mean.backward(), network);
    let scores = Scores {
        loss: number(mean)?,
        logits: floats(main)?,
    };
    Ok((gradients, scores))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_all_images_once_in_order(
            images in 1_usize..200, accumulate in 1_usize..9, devices in 1_usize..5,
        ) {
            let turns = Part::of(images, accumulate, devices);
            let mut next = 0;
            for part in turns.iter().flatten() {
                prop_assert_eq!(part.first, next);
                prop_assert!(part.end > next && part.device < devices);
                prop_assert!(part.end - part.first <= images.div_ceil(accumulate * devices));
                next = part.end;
            }
            prop_assert_eq!(next, images);
            prop_assert!(turns.iter().all(|turn| turn.len() <= devices));
        }
    }
}
