//! Convolutions: standard, grouped, depthwise, pointwise, and MobileNet's cascade of the last two.

use super::total::{Cost, CostError, add, product};

/// A two-dimensional convolution. What its window does to the size of its input is
/// [`geometry`](crate::geometry)'s affair; a cost takes the output's size.
///
/// ```
/// use receptive_kernels::cost::Convolution;
///
/// // VGG16's conv1_1: 64x3x3x3 weights.
/// assert_eq!(Convolution::new([3, 64], [3, 3]).weights()?, 1_728);
///
/// // Two 3x3 layers on depth 3 against one 5x5, which sees as much.
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
    /// Groups of channels that do not see each other, at least 1.
    pub groups: usize,
    /// Whether each output channel has a bias.
    pub bias: bool,
}

impl Convolution {
    /// One group, with biases.
    pub const fn new(channels: [usize; 2], kernel: [usize; 2]) -> Self {
        Self {
            channels,
            kernel,
            groups: 1,
            bias: true,
        }
    }

    /// Each channel by itself: as many groups as channels, with biases.
    pub const fn depthwise(channels: usize, kernel: [usize; 2]) -> Self {
        Self {
            groups: channels,
            ..Self::new([channels; 2], kernel)
        }
    }

    /// Each position by itself: a kernel of 1x1, with biases.
    pub const fn pointwise(channels: [usize; 2]) -> Self {
        Self::new(channels, [1, 1])
    }

    /// Values of the kernels: `c_out * (c_in / groups) * k_h * k_w`.
    ///
    /// # Errors
    ///
    /// [`CostError::Groups`], [`CostError::Overflow`].
    pub fn weights(&self) -> Result<u64, CostError> {
        let [_, c_out] = self.channels;
        let [k_h, k_w] = self.kernel;
        product("weights", [c_out, self.seen()?, k_h, k_w])
    }

    /// Weights and biases.
    ///
    /// # Errors
    ///
    /// As [`weights`](Self::weights).
    pub fn parameters(&self) -> Result<u64, CostError> {
        let biases = if self.bias { self.channels[1] } else { 0 };
        add("parameters", self.weights()?, biases as u64)
    }

    /// The cost with an output of this height and width: every output value takes
    /// `(c_in / groups) * k_h * k_w` multiply-adds and as many connections, and one more for its
    /// bias.
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
            [c_out, height, width, self.seen()?, k_h, k_w],
        )?;
        Ok(Cost {
            parameters: self.parameters()?,
            buffers: 0,
            macs,
            activations,
            connections: add("connections", macs, if self.bias { activations } else { 0 })?,
        })
    }

    /// Input channels that an output channel sees.
    fn seen(&self) -> Result<usize, CostError> {
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

/// A depthwise and a pointwise convolution in place of a standard one, without biases (MobileNets,
/// section 3.1).
///
/// ```
/// use receptive_kernels::cost::{Convolution, DepthwiseSeparable};
///
/// let cascade = DepthwiseSeparable { channels: [512, 512], kernel: 3 };
/// let standard = Convolution { bias: false, ..Convolution::new([512, 512], [3, 3]) };
/// let (less, full) = (cascade.cost([14, 14])?, standard.cost([14, 14])?);
/// // 1/512 + 1/9 of the multiply-adds, exactly.
/// assert_eq!(less.macs * 512 * 9, full.macs * (512 + 9));
/// assert_eq!(cascade.ratio(), 1.0 / 512.0 + 1.0 / 9.0);
/// // Between 8 and 9 times fewer, as the paper says.
/// assert_eq!(full.macs / less.macs, 8);
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
    /// The first of the two: every input channel by itself.
    pub const fn depthwise(&self) -> Convolution {
        Convolution {
            bias: false,
            ..Convolution::depthwise(self.channels[0], [self.kernel; 2])
        }
    }

    /// The second of the two: every position by itself.
    pub const fn pointwise(&self) -> Convolution {
        Convolution {
            bias: false,
            ..Convolution::pointwise(self.channels)
        }
    }

    /// Both together, each with an output of this height and width. The activations are the
    /// values of both outputs.
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

    /// Its multiply-adds and weights by those of the standard convolution: `1/c_out + 1/k^2`
    /// (MobileNets, section 3.1).
    pub fn ratio(&self) -> f64 {
        let kernel = self.kernel as f64;
        1.0 / self.channels[1] as f64 + 1.0 / (kernel * kernel)
    }
}
