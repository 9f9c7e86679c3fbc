//! Folding of a batch norm into the weights of a convolution.

use std::borrow::Cow;

use burn::backend::TensorMetadata;

use super::host::HostBackend;
use crate::ops::definition::convolution::{Bias, Layer, Norm};

/// Returns the weights and biases of the convolution that computes `layer` without its activation;
/// `None` if a tensor is not a contiguous tensor of `f32`.
///
/// `norm(w * x + b) = gamma / sqrt(variance + epsilon) * (w * x + b - mean) + beta` is linear in `w`:
/// the norm multiplies the weights of each output channel by a factor and adds to its bias.
pub(super) fn fold_batch_norm<B: HostBackend>(
    layer: &Layer<B>,
) -> Option<(Cow<'_, [f32]>, Vec<f32>)> {
    let weights = B::as_f32_slice(&layer.weight)?;
    let bias = match &layer.bias {
        Bias::Each(bias) => Some(B::as_f32_slice(bias)?),
        Bias::Absent => None,
    };
    let channels = layer.weight.shape()[0];
    let bias = |channel: usize| bias.map_or(0.0, |bias| f64::from(bias[channel]));
    let Norm::Batch {
        gamma,
        beta,
        mean,
        variance,
        epsilon,
    } = &layer.norm
    else {
        let biases = (0..channels).map(|channel| bias(channel) as f32);
        return Some((Cow::Borrowed(weights), biases.collect()));
    };
    let [gamma, beta, mean, variance] = [
        B::as_f32_slice(gamma)?,
        B::as_f32_slice(beta)?,
        B::as_f32_slice(mean)?,
        B::as_f32_slice(variance)?,
    ];
    let weights_per_channel = weights.len() / channels;
    let mut folded = Vec::with_capacity(weights.len());
    let mut biases = Vec::with_capacity(channels);
    for (channel, weights) in weights.chunks_exact(weights_per_channel).enumerate() {
        let deviation = (f64::from(variance[channel]) + epsilon).sqrt();
        let factor = f64::from(gamma[channel]) / deviation;
        folded.extend(weights.iter().map(|&w| (f64::from(w) * factor) as f32));
        let centered = bias(channel) - f64::from(mean[channel]);
        biases.push((centered * factor + f64::from(beta[channel])) as f32);
    }
    Some((Cow::Owned(folded), biases))
}
