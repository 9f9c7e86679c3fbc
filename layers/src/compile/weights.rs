//! Symbolic weights and bias of a convolution, evaluated when they are packed.

use std::fmt;

use receptive_kernels::cpu::ConvSpec;

use super::error::Problem;
use super::values::Values;
use crate::graph::ValueId;

/// The weights of a convolution, with the affine functions that passes folded into them. Weights
/// are evaluated layer by layer during packing; folding computes in double precision.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub source: WeightSource,
    /// Bias, `[out]`.
    pub bias: Option<ValueId>,
    /// Affine functions of the input channels, applied before the convolution.
    pub before: Vec<Affine>,
    /// Affine functions of the output channels, applied after the convolution and the bias.
    pub after: Vec<Affine>,
}

/// Source of a convolution's weights.
#[derive(Debug, Clone)]
pub(super) enum WeightSource {
    /// A constant value `[out, in / groups, height, width]`.
    Constant(ValueId),
    /// A constant value `[in, out]` of a fully connected layer, where `in` is
    /// `[channels, height, width]`.
    Linear(ValueId),
    /// The weights of a transposed convolution, a constant value `[in, out / groups, height, width]`,
    /// for a convolution of the input: mirrored, with input and output channels exchanged.
    Transposed {
        weight: ValueId,
        groups: usize,
        /// Multiply-adds per image by the definition of the layer, without the zeros between the
        /// elements of its input.
        multiply_adds: usize,
    },
    /// The weights of a transposed convolution, a constant value `[in, out, height, width]`, for a
    /// pointwise convolution that computes each of the `taps` elements of a window as a channel.
    WindowElements {
        weight: ValueId,
        /// Bias of each output channel of the transposed convolution.
        bias: Option<ValueId>,
        /// Height times width of the kernel.
        taps: usize,
    },
    /// One number for all weights.
    Fill(f64),
    /// A 1x1 kernel that copies an input channel to each output channel; `None` is a channel of
    /// zeros.
    Select(Vec<Option<usize>>),
    /// Weights of a convolution of a subset of the channels, with zeros for all other channels.
    ChannelGather {
        weights: Box<Weights>,
        /// Channel of the whole input for each input channel of `weights`, with repetitions.
        channels: Vec<usize>,
    },
    /// Weights of several convolutions of the same input, concatenated along the output channels.
    Merged(Vec<Sibling>),
}

/// One of several convolutions of the same input that were merged.
#[derive(Debug, Clone)]
pub(super) struct Sibling {
    pub weights: Weights,
    pub channels_out: usize,
}

/// An affine function of each channel.
#[derive(Debug, Clone)]
pub(super) enum Affine {
    /// Batch norm in inference; every value is `[channels]`.
    Norm {
        scale: ValueId,
        shift: ValueId,
        mean: ValueId,
        variance: ValueId,
        epsilon: f64,
    },
    /// Multiplication.
    Scale(PerChannel),
    /// Addition.
    Shift(PerChannel),
}

/// A number for each channel, or one number for all channels.
#[derive(Debug, Clone, Copy)]
pub(super) enum PerChannel {
    Number(f64),
    Constant(ValueId),
    /// The negative of a constant value.
    Negated(ValueId),
    /// The reciprocal of a constant value.
    Inverse(ValueId),
}

/// Evaluated weights `[out, in / groups, height, width]` and bias `[out]`.
pub(super) type Evaluated = (Vec<f32>, Option<Vec<f32>>);

impl Weights {
    pub fn new(source: WeightSource, bias: Option<ValueId>) -> Self {
        Self {
            source,
            bias,
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Whether no affine function is folded into the weights.
    pub fn is_plain(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Evaluates the weights and bias of a convolution `spec`.
    pub fn evaluate(&self, spec: &ConvSpec, values: &mut Values) -> Result<Evaluated, Problem> {
        let (mut kernel, mut bias) = self.evaluate_source(spec, values)?;
        if let Some(id) = self.bias {
            bias = Some(double(values.floats(id)?));
        }
        if !self.is_plain() {
            let [outs, ins] = [spec.channels_out, spec.channels_in];
            let before = ChannelAffine::compose(&self.before, ins, values)?;
            let after = ChannelAffine::compose(&self.after, outs, values)?;
            let taps = spec.kernel[0] * spec.kernel[1];
            let [group_in, group_out] = [ins / spec.groups, outs / spec.groups];
            let bias = bias.get_or_insert_with(|| vec![0.0; outs]);
            for (out, weights) in kernel.chunks_exact_mut(group_in * taps).enumerate() {
                let first = out / group_out * group_in;
                for (channel, weights) in weights.chunks_exact_mut(taps).enumerate() {
                    let (scale, shift) = (
                        before.scale[first + channel] * after.scale[out],
                        before.shift[first + channel],
                    );
                    for weight in weights {
                        bias[out] += f64::from(*weight) * shift;
                        *weight = (f64::from(*weight) * scale) as f32;
                    }
                }
                bias[out] = bias[out] * after.scale[out] + after.shift[out];
            }
        }
        let bias = bias.map(|bias| bias.into_iter().map(|b| b as f32).collect());
        Ok((kernel, bias))
    }

    /// Evaluates the weights before folding, and the bias of merged convolutions.
    fn evaluate_source(
        &self,
        spec: &ConvSpec,
        values: &mut Values,
    ) -> Result<(Vec<f32>, Option<Vec<f64>>), Problem> {
        let taps = spec.kernel[0] * spec.kernel[1];
        match &self.source {
            WeightSource::Constant(id) => Ok((values.floats(*id)?, None)),
            WeightSource::Linear(id) => {
                let rows = values.transposed(*id, [spec.channels_in * taps, spec.channels_out])?;
                Ok((rows, None))
            }
            WeightSource::Transposed { weight, groups, .. } => {
                let weights = values.floats(*weight)?;
                Ok((mirrored(&weights, spec, *groups), None))
            }
            WeightSource::WindowElements { weight, bias, taps } => {
                let rows = [spec.channels_in, spec.channels_out];
                let weights = values.transposed(*weight, rows)?;
                let bias = match bias {
                    Some(bias) => {
                        let bias = double(values.floats(*bias)?);
                        let repeated = bias.into_iter().flat_map(|b| vec![b; *taps]);
                        Some(repeated.collect())
                    }
                    None => None,
                };
                Ok((weights, bias))
            }
            WeightSource::Fill(value) => Ok((vec![*value as f32; spec.weights()], None)),
            WeightSource::Select(channels) => {
                let mut kernel = vec![0.0; spec.weights()];
                for (out, channel) in channels.iter().enumerate() {
                    if let Some(channel) = channel {
                        kernel[out * spec.channels_in + channel] = 1.0;
                    }
                }
                Ok((kernel, None))
            }
            WeightSource::ChannelGather { weights, channels } => {
                let narrow = ConvSpec {
                    channels_in: channels.len(),
                    ..*spec
                };
                let (from, bias) = weights.evaluate(&narrow, values)?;
                let mut kernel = vec![0.0; spec.weights()];
                for out in 0..spec.channels_out {
                    for (index, &channel) in channels.iter().enumerate() {
                        for tap in 0..taps {
                            // A channel may occur twice in `channels`.
                            kernel[(out * spec.channels_in + channel) * taps + tap] +=
                                from[(out * channels.len() + index) * taps + tap];
                        }
                    }
                }
                Ok((kernel, bias.map(double)))
            }
            WeightSource::Merged(siblings) => {
                let mut kernel = Vec::with_capacity(spec.weights());
                let mut bias = Vec::with_capacity(spec.channels_out);
                for sibling in siblings {
                    let narrow = ConvSpec {
                        channels_out: sibling.channels_out,
                        ..*spec
                    };
                    let (weights, own) = sibling.weights.evaluate(&narrow, values)?;
                    kernel.extend(weights);
                    bias.extend(own.map_or_else(|| vec![0.0; sibling.channels_out], double));
                }
                Ok((kernel, Some(bias)))
            }
        }
    }

    /// Returns the multiply-adds per output pixel by the definition of the layers that were folded
    /// into this convolution; 0 for a convolution that replaces another operation.
    pub fn fmas_per_pixel(&self, spec: &ConvSpec) -> usize {
        match &self.source {
            WeightSource::Constant(_)
            | WeightSource::Linear(_)
            | WeightSource::Transposed { .. }
            | WeightSource::WindowElements { .. } => spec.weights(),
            WeightSource::Fill(_) | WeightSource::Select(_) => 0,
            WeightSource::ChannelGather { weights, channels } => {
                weights.fmas_per_pixel(&ConvSpec {
                    channels_in: channels.len(),
                    ..*spec
                })
            }
            WeightSource::Merged(siblings) => {
                let fmas = siblings.iter().map(|sibling| {
                    sibling.weights.fmas_per_pixel(&ConvSpec {
                        channels_out: sibling.channels_out,
                        ..*spec
                    })
                });
                fmas.sum()
            }
        }
    }

    /// Returns the constant values that the weights are computed from, with repetitions.
    pub fn sources(&self) -> Vec<ValueId> {
        let mut ids: Vec<ValueId> = self.bias.into_iter().collect();
        match &self.source {
            WeightSource::Constant(id) | WeightSource::Linear(id) => ids.push(*id),
            WeightSource::Transposed { weight, .. } => ids.push(*weight),
            WeightSource::WindowElements { weight, bias, .. } => {
                ids.push(*weight);
                ids.extend(bias);
            }
            WeightSource::Fill(_) | WeightSource::Select(_) => {}
            WeightSource::ChannelGather { weights, .. } => ids.extend(weights.sources()),
            WeightSource::Merged(siblings) => {
                ids.extend(
                    siblings
                        .iter()
                        .flat_map(|sibling| sibling.weights.sources()),
                );
            }
        }
        for affine in self.before.iter().chain(&self.after) {
            match *affine {
                Affine::Norm {
                    scale,
                    shift,
                    mean,
                    variance,
                    ..
                } => ids.extend([scale, shift, mean, variance]),
                Affine::Scale(by) | Affine::Shift(by) => match by {
                    PerChannel::Number(_) => {}
                    PerChannel::Constant(id)
                    | PerChannel::Negated(id)
                    | PerChannel::Inverse(id) => {
                        ids.push(id);
                    }
                },
            }
        }
        ids
    }
}

/// Returns the weights of a transposed convolution, `[in, out / groups, height, width]`, for a
/// convolution `spec`.
fn mirrored(weights: &[f32], spec: &ConvSpec, groups: usize) -> Vec<f32> {
    let taps = spec.kernel[0] * spec.kernel[1];
    let [group_in, group_out] = [spec.channels_in / groups, spec.channels_out / groups];
    let mut kernel = Vec::with_capacity(weights.len());
    for out in 0..spec.channels_out {
        let (group, out) = (out / group_out, out % group_out);
        for input in 0..group_in {
            let from = ((group * group_in + input) * group_out + out) * taps;
            kernel.extend(weights[from..from + taps].iter().rev());
        }
    }
    kernel
}

fn double(values: Vec<f32>) -> Vec<f64> {
    values.into_iter().map(f64::from).collect()
}

impl Affine {
    /// Whether the function maps 0 to 0 for all values of its parameters.
    pub fn keeps_zero(&self) -> bool {
        matches!(self, Self::Scale(_))
    }
}

/// One affine function per channel, `scale * x + shift`.
struct ChannelAffine {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl ChannelAffine {
    /// Composes `chain`, whose first function is applied first.
    fn compose(chain: &[Affine], channels: usize, values: &mut Values) -> Result<Self, Problem> {
        let mut all = Self {
            scale: vec![1.0; channels],
            shift: vec![0.0; channels],
        };
        for affine in chain {
            match affine {
                Affine::Norm {
                    scale,
                    shift,
                    mean,
                    variance,
                    epsilon,
                } => {
                    let mut vector = |id| values.vector(id, channels);
                    let (gamma, beta) = (vector(*scale)?, vector(*shift)?);
                    let (mean, variance) = (vector(*mean)?, vector(*variance)?);
                    for c in 0..channels {
                        let scale = gamma[c] / (variance[c] + epsilon).sqrt();
                        all.scale[c] *= scale;
                        all.shift[c] = (all.shift[c] - mean[c]) * scale + beta[c];
                    }
                }
                Affine::Scale(by) => {
                    for (c, by) in by.evaluate(channels, values)?.into_iter().enumerate() {
                        all.scale[c] *= by;
                        all.shift[c] *= by;
                    }
                }
                Affine::Shift(by) => {
                    for (c, by) in by.evaluate(channels, values)?.into_iter().enumerate() {
                        all.shift[c] += by;
                    }
                }
            }
        }
        Ok(all)
    }
}

impl PerChannel {
    /// Evaluates the number of each channel.
    fn evaluate(self, channels: usize, values: &mut Values) -> Result<Vec<f64>, Problem> {
        let mut map = |id, function: fn(f64) -> f64| -> Result<Vec<f64>, Problem> {
            let vector = values.vector(id, channels)?;
            Ok(vector.into_iter().map(function).collect())
        };
        match self {
            Self::Number(number) => Ok(vec![number; channels]),
            Self::Constant(id) => map(id, |x| x),
            Self::Negated(id) => map(id, |x| -x),
            Self::Inverse(id) => map(id, f64::recip),
        }
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |chain: &[Affine]| -> String {
            let words: Vec<String> = chain.iter().map(Affine::to_string).collect();
            words.join(", ")
        };
        match &self.source {
            WeightSource::Constant(_) => f.write_str("constant")?,
            WeightSource::Linear(_) => f.write_str("linear")?,
            WeightSource::Transposed { .. } => f.write_str("transposed")?,
            WeightSource::WindowElements { .. } => f.write_str("window elements")?,
            WeightSource::Fill(value) => write!(f, "all {value}")?,
            WeightSource::Select(channels) => {
                let zeros = channels.iter().filter(|channel| channel.is_none()).count();
                write!(f, "select {} zeros {zeros}", channels.len() - zeros)?;
            }
            WeightSource::ChannelGather { channels, weights } => {
                write!(f, "{weights} of {channels:?}")?;
            }
            WeightSource::Merged(siblings) => write!(f, "merged {}", siblings.len())?,
        }
        if self.bias.is_some() {
            f.write_str(" biased")?;
        }
        if !self.before.is_empty() {
            write!(f, " before [{}]", words(&self.before))?;
        }
        if !self.after.is_empty() {
            write!(f, " after [{}]", words(&self.after))?;
        }
        Ok(())
    }
}

impl fmt::Display for Affine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Norm { .. } => f.write_str("norm"),
            Self::Scale(PerChannel::Number(by)) => write!(f, "scale {by}"),
            Self::Scale(_) => f.write_str("scale"),
            Self::Shift(PerChannel::Number(by)) => write!(f, "shift {by}"),
            Self::Shift(_) => f.write_str("shift"),
        }
    }
}
