//! Costs of convolutions: standard, grouped, depthwise, pointwise and depthwise separable.

use super::total::{Cost, CostError, add, product};

/// Two-dimensional convolution. The cost depends on the size of the output, which
/// [`geometry`](crate::geometry) computes.
///
/// ```
/// use receptive_kernels::cost::Convolution;
///
/// // VGG16's conv1_1: 64x3x3x3 weights.
/// assert_eq!(Convolution::new([3, 64], [3, 3]).weights()?, 1_728);
///
/// // Two 3x3 layers of 3 channels against one 5x5 layer with the same receptive field.
/// let three = Convolution { bias: false, ..Convolution::new([3, 3], [3, 3]) };
/// let five = Convolution { bias: false, ..Convolution::new([3, 3], [5, 5]) };
/// assert_eq!(2 * three.parameters()?, 162);
/// assert_eq!(five.parameters()?, 225);
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Number of groups of channels, at least 1.
    pub groups: usize,
    /// Whether each output channel has a bias.
    pub bias: bool,
}

impl Convolution {
    /// A convolution in one group, with biases.
    pub const fn new(channels: [usize; 2], kernel: [usize; 2]) -> Self {
        Self {
            channels,
            kernel,
            groups: 1,
            bias: true,
        }
    }

    /// A depthwise convolution, with as many groups as channels, and biases.
    pub const fn depthwise(channels: usize, kernel: [usize; 2]) -> Self {
        Self {
            groups: channels,
            ..Self::new([channels; 2], kernel)
        }
    }

    /// A pointwise convolution, with a 1x1 kernel, and biases.
    pub const fn pointwise(channels: [usize; 2]) -> Self {
        Self::new(channels, [1, 1])
    }

    /// Returns the number of weights: `c_out * (c_in / groups) * k_h * k_w`.
    ///
    /// # Errors
    ///
    /// [`CostError::Groups`], [`CostError::Overflow`].
    pub fn weights(&self) -> Result<u64, CostError> {
        let [_, c_out] = self.channels;
        let [k_h, k_w] = self.kernel;
        product("weights", [c_out, self.channels_in_per_group()?, k_h, k_w])
    }

    /// Returns the number of weights and biases.
    ///
    /// # Errors
    ///
    /// As [`weights`](Self::weights).
    pub fn parameters(&self) -> Result<u64, CostError> {
        let biases = if self.bias { self.channels[1] } else { 0 };
        add("parameters", self.weights()?, biases as u64)
    }

    /// Returns the cost for an output of this height and width. Every output value takes
    /// `(c_in / groups) * k_h * k_w` multiply-adds and as many connections, and one more connection
    /// for its bias.
    ///
    /// # Errors
    ///
    /// As [`weights`](Self::weights).
    pub fn cost(&self, output: [usize; 2]) -> Result<Cost, CostError> {
        let [_, c_out] = self.channels;
        let [k_h, k_w] = self.kernel;
        let [height, width] = output;
        let activations = product("activation values", [c_out, height, width])?;
        let macs = product(
            "multiply-adds",
            [
                c_out,
                height,
                width,
                self.channels_in_per_group()?,
                k_h,
                k_w,
            ],
        )?;
        Ok(Cost {
            parameters: self.parameters()?,
            buffers: 0,
            macs,
            activations,
            connections: add("connections", macs, if self.bias { activations } else { 0 })?,
        })
    }

    /// Input channels that an output channel depends on.
    fn channels_in_per_group(&self) -> Result<usize, CostError> {
        for channels in self.channels {
            if self.groups == 0 || !channels.is_multiple_of(self.groups) {
                return Err(CostError::Groups {
                    groups: self.groups,
                    channels,
                });
            }
        }
        Ok(self.channels[0] / self.groups)
    }
}

/// Depthwise separable convolution: a depthwise and a pointwise convolution in place of a standard
/// one, without biases (MobileNets, section 3.1).
///
/// ```
/// use receptive_kernels::cost::{Convolution, DepthwiseSeparable};
///
/// let separable = DepthwiseSeparable { channels: [512, 512], kernel: 3 };
/// let standard = Convolution { bias: false, ..Convolution::new([512, 512], [3, 3]) };
/// let (reduced, full) = (separable.cost([14, 14])?, standard.cost([14, 14])?);
/// // Exactly 1/512 + 1/9 of the multiply-adds.
/// assert_eq!(reduced.macs * 512 * 9, full.macs * (512 + 9));
/// assert_eq!(separable.ratio(), 1.0 / 512.0 + 1.0 / 9.0);
/// // Between 8 and 9 times fewer (section 3.1).
/// assert_eq!(full.macs / reduced.macs, 8);
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DepthwiseSeparable {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the depthwise kernel.
    pub kernel: usize,
}

impl DepthwiseSeparable {
    /// The depthwise convolution, which is applied first.
    pub const fn depthwise(&self) -> Convolution {
        Convolution {
            bias: false,
            ..Convolution::depthwise(self.channels[0], [self.kernel; 2])
        }
    }

    /// The pointwise convolution, which is applied second.
    pub const fn pointwise(&self) -> Convolution {
        Convolution {
            bias: false,
            ..Convolution::pointwise(self.channels)
        }
    }

    /// Returns the cost of both convolutions, each with an output of this height and width. The
    /// activations are the values of both outputs.
    ///
    /// # Errors
    ///
    /// As [`Convolution::cost`].
    pub fn cost(&self, output: [usize; 2]) -> Result<Cost, CostError> {
        Cost::sum([
            self.depthwise().cost(output)?,
            self.pointwise().cost(output)?,
        ])
    }

    /// Returns the ratio of multiply-adds, and of weights, to those of the standard convolution:
    /// `1/c_out + 1/k^2` (MobileNets, section 3.1).
    pub fn ratio(&self) -> f64 {
        let kernel = self.kernel as f64;
        1.0 / self.channels[1] as f64 + 1.0 / (kernel * kernel)
    }
}
