//! The gradient of a step over all its parts.

use std::ops::Range;

use burn::optim::GradientsParams;
use burn::tensor::Device;
use receptive_layers::network::Network;

use super::Session;
use super::exchange::sum_over_ranks;
use super::gradients::{GradientOf, StepResult, in_parallel};
use super::interface::{Scores, Step, StepMetrics};
use super::sum::PartialSums;
use super::values;
use crate::cluster::{Cluster, ClusterError, gather_numbers, share_of};
use crate::error::TrainError;
use crate::metrics::MetricSums;
use crate::random::{Purpose, seed};
use crate::recipe::GradientType;

/// A part on its way to a thread: its index, its images, a copy of the network, and its device.
struct Part<'a, N> {
    index: usize,
    images: Range<usize>,
    network: N,
    device: &'a Device,
}

impl<N: Network> Session<N> {
    /// Computes the gradient of the mean loss of the step, on the first device, and updates the running
    /// statistics of the norms.
    pub(super) fn gradient(
        &mut self,
        step: &Step,
        cluster: &dyn Cluster,
    ) -> Result<StepResult, TrainError> {
        if self.parts == 1 {
            return self.gradient_of_one_part(step);
        }
        let (sums, metrics) = self.own_parts(step, cluster)?;
        let sums = sum_over_ranks(cluster, self.parts, sums)?;
        let numbers: Vec<u64> = metrics.iter().flat_map(|part| part.to_numbers()).collect();
        let mut total = MetricSums::default();
        for rank in gather_numbers(cluster, &numbers)? {
            for &part in rank.as_chunks().0 {
                total += MetricSums::from_numbers(part);
            }
        }
        // The loss of a part is its share of the mean.
        let loss = total.loss;
        total.loss *= total.count as f64;
        let network = self.network.take().expect("a network between steps");
        let (gradients, statistics) = values::to_gradients(&network, &sums, &self.devices[0]);
        // A step whose loss is not finite changes nothing.
        self.network = Some(match loss.is_finite() {
            true => values::set_statistics(network, statistics, self.parts),
            false => network,
        });
        Ok(StepResult {
            gradients,
            metrics: StepMetrics { loss, sums: total },
        })
    }

    /// As [`gradient`](Self::gradient), without copies of the network and of the gradients.
    fn gradient_of_one_part(&self, step: &Step) -> Result<StepResult, TrainError> {
        let device = &self.devices[0];
        self.seed(device, step, 0);
        let images = 0..step.batch.len();
        let (gradients, scores) = self
            .gradient_of(step)
            .compute(self.network(), device, images)?;
        let metrics = StepMetrics {
            loss: scores.loss,
            sums: MetricSums::of(scores.loss, &scores.logits, &step.batch.labels),
        };
        Ok(StepResult { gradients, metrics })
    }

    /// Computes the parts of this rank, as many at a time as there are devices.
    fn own_parts(
        &self,
        step: &Step,
        cluster: &dyn Cluster,
    ) -> Result<(PartialSums, Vec<MetricSums>), TrainError> {
        let rounded = match self.gradient_type {
            GradientType::F32 => 0,
            GradientType::Bf16 => values::gradient_values(self.network()),
        };
        let mut sums = PartialSums::new(self.parts, rounded);
        let mut metrics = Vec::new();
        let own = share_of(self.parts, cluster.rank(), cluster.ranks());
        let (found, expected) = (step.batch.parts.len(), own.len());
        if found != expected {
            return Err(ClusterError::Parts { found, expected }.into());
        }
        let parts: Vec<_> = own.zip(step.batch.part_ranges()).collect();
        for group in parts.chunks(self.devices.len()) {
            let group = group.iter().zip(&self.devices);
            let parts = group.map(|((index, images), device)| Part {
                index: *index,
                images: images.clone(),
                // A copy with its own gradients and running statistics.
                network: self.network().valid().train().fork(device),
                device,
            });
            let results = in_parallel(parts.collect(), |part| {
                let index = part.index;
                self.part(step, part).map(|result| (index, result))
            });
            for result in results {
                let (index, (values, part)) = result?;
                sums.push(index..index + 1, values);
                metrics.push(part);
            }
        }
        Ok((sums, metrics))
    }

    /// Computes the gradient of a part and the running statistics after it, in one list. The loss of its
    /// metrics is the sum over its images divided by the number of images of the step.
    fn part(
        &self,
        step: &Step,
        Part {
            index,
            images,
            network,
            device,
        }: Part<N>,
    ) -> Result<(Vec<f32>, MetricSums), TrainError> {
        let labels = &step.batch.labels[images.clone()];
        let (gradients, scores) = if images.is_empty() {
            let loss = 0.0;
            let logits = Vec::new();
            (GradientsParams::new(), Scores { loss, logits })
        } else {
            self.seed(device, step, index as u64);
            self.gradient_of(step).compute(&network, device, images)?
        };
        let mut values = values::of_gradients(&network, gradients)?;
        values::append_statistics(&network, &mut values)?;
        let metrics = MetricSums {
            loss: scores.loss,
            ..MetricSums::of(0.0, &scores.logits, labels)
        };
        Ok((values, metrics))
    }

    fn gradient_of<'a>(&'a self, step: &'a Step) -> GradientOf<'a> {
        GradientOf {
            batch: step.batch,
            loss: &self.loss,
            accumulate: self.accumulate,
            images: step.images,
        }
    }

    /// Seeds the random numbers of the device for a part.
    fn seed(&self, device: &Device, step: &Step, part: u64) {
        device.seed(seed(self.seed, Purpose::Device, [step.number, part]));
    }
}
