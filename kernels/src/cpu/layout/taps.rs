//! The weights of a convolution that are packed again in every step of training.

use super::conv::ConvSpec;

/// Weights in the caller's order, as the convolution that is computed with them sees them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taps<'a> {
    pub values: &'a [f32],
    /// From one output channel to the next, and from one input channel to the next.
    pub out: usize,
    pub channel: usize,
    /// Taps of each pair of channels.
    pub taps: usize,
    /// Whether the last tap comes first.
    pub reversed: bool,
}

impl<'a> Taps<'a> {
    /// `values`, `[out, in, height, width]`, as they are.
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

    /// With input and output, first and last tap exchanged: the weights of the convolution of one group that
    /// is the gradient of this one's input.
    pub fn transposed(self) -> Self {
        Self {
            out: self.channel,
            channel: self.out,
            reversed: !self.reversed,
            ..self
        }
    }

    /// The place of a pair's first tap in memory.
    #[inline(always)]
    pub fn pair(&self, out: usize, channel: usize) -> usize {
        out * self.out + channel * self.channel
    }

    /// Where tap `tap` of a pair lies after its first in memory.
    #[inline(always)]
    pub fn tap(&self, tap: usize) -> usize {
        match self.reversed {
            true => self.taps - 1 - tap,
            false => tap,
        }
    }
}
