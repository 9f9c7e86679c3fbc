//! What a convolution's weights and bias are made of, until they are packed.

use std::fmt;

use receptive_kernels::cpu::ConvSpec;

use super::error::Problem;
use super::values::Values;
use crate::graph::ValueId;

/// The weights of a convolution with all that was folded into them. They are computed when they
/// are packed, layer by layer, in double precision wherever something was folded.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub kernel: Kernel,
    /// `[out]`.
    pub bias: Option<ValueId>,
    /// Done to the input's channels first.
    pub before: Vec<Affine>,
    /// Done to the output's channels last.
    pub after: Vec<Affine>,
}

/// Where the weights come from.
#[derive(Debug, Clone)]
pub(super) enum Kernel {
    /// `[out, in / groups, height, width]`.
    Given(ValueId),
    /// `[in, out]`, where `in` is `[channels, height, width]`.
    Linear(ValueId),
    /// All the same.
    Fill(f64),
    /// Of one pixel: each output is one input channel, or 0.
    Select(Vec<Option<usize>>),
    /// Those of a convolution that sees some of the input's channels only.
    Gathered {
        weights: Box<Weights>,
        channels: Vec<usize>,
    },
    /// Those of several convolutions of the same input, one after the other.
    Stacked(Vec<Stacked>),
}

/// One of several convolutions that became one.
#[derive(Debug, Clone)]
pub(super) struct Stacked {
    pub weights: Weights,
    pub channels_out: usize,
}

/// A factor and a summand for each channel.
#[derive(Debug, Clone)]
pub(super) enum Affine {
    /// Batch norm in inference; each is `[channels]`.
    Norm {
        scale: ValueId,
        shift: ValueId,
        mean: ValueId,
        variance: ValueId,
        epsilon: f64,
    },
    Scale(PerChannel),
    Shift(PerChannel),
}

/// A number for each channel, or one for all.
#[derive(Debug, Clone, Copy)]
pub(super) enum PerChannel {
    Number(f64),
    Given(ValueId),
    Negated(ValueId),
    Inverse(ValueId),
}

/// What [`Weights::evaluate`] gives: `[out, in / groups, height, width]`, and `[out]`.
pub(super) type Evaluated = (Vec<f32>, Option<Vec<f32>>);

impl Weights {
    pub fn new(kernel: Kernel, bias: Option<ValueId>) -> Self {
        Self {
            kernel,
            bias,
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Whether nothing is folded into it.
    pub fn is_plain(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// The weights and bias of a convolution `spec`.
    pub fn evaluate(&self, spec: &ConvSpec, values: &mut Values) -> Result<Evaluated, Problem> {
        let (mut kernel, mut bias) = self.kernel(spec, values)?;
        if let Some(id) = self.bias {
            let given = values.floats(id)?;
            bias = Some(given.into_iter().map(f64::from).collect());
        }
        if !self.is_plain() {
            let [outs, ins] = [spec.channels_out, spec.channels_in];
            let before = Channels::of(&self.before, ins, values)?;
            let after = Channels::of(&self.after, outs, values)?;
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

    /// What is there before anything is folded; the bias of parts that have one of their own.
    fn kernel(
        &self,
        spec: &ConvSpec,
        values: &mut Values,
    ) -> Result<(Vec<f32>, Option<Vec<f64>>), Problem> {
        let taps = spec.kernel[0] * spec.kernel[1];
        match &self.kernel {
            Kernel::Given(id) => Ok((values.floats(*id)?, None)),
            Kernel::Linear(id) => {
                let rows = values.linear(*id, [spec.channels_in * taps, spec.channels_out])?;
                Ok((rows, None))
            }
            Kernel::Fill(value) => Ok((vec![*value as f32; spec.weights()], None)),
            Kernel::Select(channels) => {
                let mut kernel = vec![0.0; spec.weights()];
                for (out, channel) in channels.iter().enumerate() {
                    if let Some(channel) = channel {
                        kernel[out * spec.channels_in + channel] = 1.0;
                    }
                }
                Ok((kernel, None))
            }
            Kernel::Gathered { weights, channels } => {
                let narrow = ConvSpec {
                    channels_in: channels.len(),
                    ..*spec
                };
                let (from, bias) = weights.evaluate(&narrow, values)?;
                let mut kernel = vec![0.0; spec.weights()];
                for out in 0..spec.channels_out {
                    for (place, &channel) in channels.iter().enumerate() {
                        for tap in 0..taps {
                            // A channel may be seen twice.
                            kernel[(out * spec.channels_in + channel) * taps + tap] +=
                                from[(out * channels.len() + place) * taps + tap];
                        }
                    }
                }
                Ok((kernel, bias.map(double)))
            }
            Kernel::Stacked(parts) => {
                let mut kernel = Vec::with_capacity(spec.weights());
                let mut bias = Vec::with_capacity(spec.channels_out);
                for part in parts {
                    let narrow = ConvSpec {
                        channels_out: part.channels_out,
                        ..*spec
                    };
                    let (weights, part_bias) = part.weights.evaluate(&narrow, values)?;
                    kernel.extend(weights);
                    bias.extend(part_bias.map_or_else(|| vec![0.0; part.channels_out], double));
                }
                Ok((kernel, Some(bias)))
            }
        }
    }

    /// Multiply-adds for each pixel, as the layers are defined that became this convolution: none
    /// where it stands for something else.
    pub fn products(&self, spec: &ConvSpec) -> usize {
        match &self.kernel {
            Kernel::Given(_) | Kernel::Linear(_) => spec.weights(),
            Kernel::Fill(_) | Kernel::Select(_) => 0,
            Kernel::Gathered { weights, channels } => weights.products(&ConvSpec {
                channels_in: channels.len(),
                ..*spec
            }),
            Kernel::Stacked(parts) => {
                let parts = parts.iter().map(|part| {
                    part.weights.products(&ConvSpec {
                        channels_out: part.channels_out,
                        ..*spec
                    })
                });
                parts.sum()
            }
        }
    }

    /// Every given value that it is made of.
    pub fn sources(&self) -> Vec<ValueId> {
        let mut ids: Vec<ValueId> = self.bias.into_iter().collect();
        match &self.kernel {
            Kernel::Given(id) | Kernel::Linear(id) => ids.push(*id),
            Kernel::Fill(_) | Kernel::Select(_) => {}
            Kernel::Gathered { weights, .. } => ids.extend(weights.sources()),
            Kernel::Stacked(parts) => {
                ids.extend(parts.iter().flat_map(|part| part.weights.sources()));
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
                    PerChannel::Given(id) | PerChannel::Negated(id) | PerChannel::Inverse(id) => {
                        ids.push(id);
                    }
                },
            }
        }
        ids
    }
}

fn double(values: Vec<f32>) -> Vec<f64> {
    values.into_iter().map(f64::from).collect()
}

impl Affine {
    /// Whether it leaves 0 at 0, whatever its values are.
    pub fn keeps_zero(&self) -> bool {
        matches!(self, Self::Scale(_))
    }
}

/// Several affine functions as one.
struct Channels {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl Channels {
    fn of(chain: &[Affine], channels: usize, values: &mut Values) -> Result<Self, Problem> {
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
    fn evaluate(self, channels: usize, values: &mut Values) -> Result<Vec<f64>, Problem> {
        let mut of = |id, function: fn(f64) -> f64| -> Result<Vec<f64>, Problem> {
            let vector = values.vector(id, channels)?;
            Ok(vector.into_iter().map(function).collect())
        };
        match self {
            Self::Number(number) => Ok(vec![number; channels]),
            Self::Given(id) => of(id, |x| x),
            Self::Negated(id) => of(id, |x| -x),
            Self::Inverse(id) => of(id, f64::recip),
        }
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |chain: &[Affine]| -> String {
            let words: Vec<String> = chain.iter().map(Affine::to_string).collect();
            words.join(", ")
        };
        match &self.kernel {
            Kernel::Given(_) => f.write_str("given")?,
            Kernel::Linear(_) => f.write_str("linear")?,
            Kernel::Fill(value) => write!(f, "all {value}")?,
            Kernel::Select(channels) => {
                let zeros = channels.iter().filter(|channel| channel.is_none()).count();
                write!(f, "select {} zeros {zeros}", channels.len() - zeros)?;
            }
            Kernel::Gathered { channels, weights } => write!(f, "{weights} of {channels:?}")?,
            Kernel::Stacked(parts) => write!(f, "stacked {}", parts.len())?,
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
