//! Views of a convolution's weights in the caller's order.

use super::conv::ConvSpec;

/// Weights in the caller's order, viewed as the weights of a convolution that may be the transpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taps<'a> {
    pub values: &'a [f32],
    /// Strides from one output channel, and from one input channel, to the next.
    pub out: usize,
    pub channel: usize,
    /// Taps of each pair of channels.
    pub taps: usize,
    /// Whether taps are read in reverse order.
    pub reversed: bool,
}

impl<'a> Taps<'a> {
    /// View of `values`, `[out, in, height, width]`, in their own order.
    pub fn new(spec: &ConvSpec, values: &'a [f32]) -> Self {
        let taps = spec.kernel[0] * spec.kernel[1];
        Self {
            values,
            out: spec.channels_in / spec.groups * taps,
            channel: taps,
            taps,
            reversed: false,
        }
    }

    /// View with input and output channels exchanged and taps reversed: the weights of the
    /// convolution that computes the gradient of this convolution's input. One group only.
    pub fn transposed(self) -> Self {
        Self {
            out: self.channel,
            channel: self.out,
            reversed: !self.reversed,
            ..self
        }
    }

    /// Offset of the first tap of a pair of channels.
    #[inline(always)]
    pub fn pair(&self, out: usize, channel: usize) -> usize {
        out * self.out + channel * self.channel
    }

    /// Offset of tap `tap` from the first tap of its pair.
    #[inline(always)]
    pub fn tap(&self, tap: usize) -> usize {
        match self.reversed {
            true => self.taps - 1 - tap,
            false => tap,
        }
    }
}
