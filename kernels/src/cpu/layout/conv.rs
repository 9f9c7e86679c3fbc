//! Parameters of a convolution, shared by all algorithms.

use serde::{Deserialize, Serialize};

use super::map::Border;

/// Parameters of a convolution. A fully connected layer is a convolution whose kernel covers the
/// whole input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConvSpec {
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: Border,
    /// Vertical and horizontal dilation: distance between taps in pixels.
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved separately.
    pub groups: usize,
}

impl ConvSpec {
    /// Height and width of the output for an input of `size`, which must hold a window.
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

    /// Whether the convolution is depthwise: each output channel reads one input channel.
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.channels_in && self.groups == self.channels_out
    }

    /// Multiply-adds for one image with an output of `size`.
    pub fn multiply_adds(&self, size: [usize; 2]) -> usize {
        self.weights() * size[0] * size[1]
    }

    /// The weight of a pair of channels at tap `tap`; 0 for channels of different groups or beyond
    /// the last.
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
