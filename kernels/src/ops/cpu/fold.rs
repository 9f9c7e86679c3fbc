//! A layer's weights with its batch norm in them.

use std::borrow::Cow;

use burn::backend::TensorMetadata;

use super::host::Host;
use crate::ops::definition::convolution::{Bias, Layer, Norm};

/// Weights and biases of a convolution that does what `layer` does before its activation.
///
/// `norm(w * x + b) = gamma / sqrt(variance + epsilon) * (w * x + b - mean) + beta` is linear in `w`,
/// a factor and a summand for each output channel.
pub(super) fn fold<B: Host>(layer: &Layer<B>) -> Option<(Cow<'_, [f32]>, Vec<f32>)> {
    let weights = B::floats(&layer.weight)?;
    let bias = match &layer.bias {
        Bias::Each(bias) => Some(B::floats(bias)?),
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
        B::floats(gamma)?,
        B::floats(beta)?,
        B::floats(mean)?,
        B::floats(variance)?,
    ];
    let each = weights.len() / channels;
    let mut folded = Vec::with_capacity(weights.len());
    let mut biases = Vec::with_capacity(channels);
    for (channel, weights) in weights.chunks_exact(each).enumerate() {
        let deviation = (f64::from(variance[channel]) + epsilon).sqrt();
        let factor = f64::from(gamma[channel]) / deviation;
        folded.extend(weights.iter().map(|&w| (f64::from(w) * factor) as f32));
        let centered = bias(channel) - f64::from(mean[channel]);
        biases.push((centered * factor + f64::from(beta[channel])) as f32);
    }
    Some((Cow::Owned(folded), biases))
}
