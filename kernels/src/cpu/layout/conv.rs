//! What a convolution is, for all the algorithms that compute one.

use serde::{Deserialize, Serialize};

use super::map::Border;

/// A convolution's shape, and how it goes over its input. A fully connected layer is one whose
/// kernel is the whole input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConvSpec {
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Height and width.
    pub kernel: [usize; 2],
    /// The step.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: Border,
    /// Elements from one tap to the next.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl ConvSpec {
    /// The height and width of the output for an input of `size`; the windows must fit.
    pub fn output(&self, size: [usize; 2]) -> [usize; 2] {
        let padding = [
            self.padding.top + self.padding.bottom,
            self.padding.left + self.padding.right,
        ];
        std::array::from_fn(|i| {
            let extent = (self.kernel[i] - 1) * self.dilation[i] + 1;
            (size[i] + padding[i] - extent) / self.stride[i] + 1
        })
    }

    /// Elements of the weight, `[out, in / groups, height, width]`.
    pub fn weights(&self) -> usize {
        self.channels_out * self.channels_in / self.groups * self.kernel[0] * self.kernel[1]
    }

    /// Whether each output channel sees its own input channel alone.
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.channels_in && self.groups == self.channels_out
    }

    /// Multiply-adds for one image whose output is `size`.
    pub fn multiply_adds(&self, size: [usize; 2]) -> usize {
        self.weights() * size[0] * size[1]
    }

    /// The weight at this place, 0 where the channels are of different groups.
    pub(crate) fn weight(&self, weights: &[f32], out: usize, channel: usize, tap: usize) -> f32 {
        let [group_in, group_out] = [
            self.channels_in / self.groups,
            self.channels_out / self.groups,
        ];
        if out >= self.channels_out || channel >= self.channels_in {
            return 0.0;
        }
        let group = out / group_out;
        if channel / group_in != group {
            return 0.0;
        }
        let taps = self.kernel[0] * self.kernel[1];
        weights[(out * group_in + channel % group_in) * taps + tap]
    }
}
