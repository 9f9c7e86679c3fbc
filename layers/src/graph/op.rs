//! What a node computes.

/// The operation of a [`Node`](super::Node).
///
/// Maps are `[batch, channels, height, width]`; a pair is height first. What an operation reads is
/// written beside it, in the order of the node's inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Of maps, a weight `[out, in / groups, height, width]`, and a bias `[out]` if there are
    /// three.
    Conv2d(Conv2d),
    /// `(x - mean) / sqrt(variance + epsilon) * weight + bias`, of `x`, weight, bias, mean and
    /// variance, each `[channels]`.
    BatchNorm {
        /// Added to the variance.
        epsilon: f64,
    },
    /// `x * weight + bias`, of `x` `[.., in]`, a weight `[in, out]`, and a bias `[out]` if there
    /// are three.
    Linear,
    /// The largest of each window.
    MaxPool2d {
        /// The windows.
        window: Window,
        /// Elements from one tap to the next.
        dilation: [usize; 2],
    },
    /// The mean of each window.
    AvgPool2d {
        /// The windows.
        window: Window,
        /// Whether padding counts in the mean.
        count_include_pad: bool,
    },
    /// The mean of each of `output` nearly equal parts; `[1, 1]` is the mean of the whole map.
    AdaptiveAvgPool2d {
        /// Height and width afterwards.
        output: [usize; 2],
    },
    /// `x_i / (k + alpha * sum_j x_j^2)^beta` over `size` neighbouring channels.
    LocalResponseNorm {
        /// Channels in the window.
        size: usize,
        /// Multiplies the sum.
        alpha: f64,
        /// The exponent.
        beta: f64,
        /// Added to the scaled sum.
        k: f64,
    },
    /// The squared distance to each centre, of `x` `[batch, in]` and centres `[out, in]`.
    RadialBasis,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, min), max)`; an open side is infinite.
    Clamp {
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
    },
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `exp(x) / sum exp(x)` along an axis.
    Softmax {
        /// The axis.
        axis: usize,
    },
    /// Of two values, the shorter repeated along axes of length one.
    Binary(Arithmetic),
    /// Of a value and a number on its right.
    Scalar(Arithmetic, f64),
    /// The product of matrices.
    Matmul,
    /// The mean along axes, each kept with length one.
    Mean {
        /// The axes, in order.
        axes: Vec<usize>,
    },
    /// One after the other along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// The same elements in another shape.
    Reshape,
    /// Axes of length one repeated to the output's shape.
    Expand,
    /// Axis `i` of the output is axis `axes[i]` of the input.
    Permute {
        /// The axes, in their new order.
        axes: Vec<usize>,
    },
    /// Every `step`-th element from `start` up to `end`, for each axis.
    Slice {
        /// One for each axis.
        ranges: Vec<Stride>,
    },
    /// The elements along an axis that the second input, a list of indices, names.
    Select {
        /// The axis.
        axis: usize,
    },
    /// A constant around the input.
    Pad {
        /// Elements before and after, for each axis.
        padding: Vec<[usize; 2]>,
        /// The constant.
        value: f64,
    },
    /// Anything else: it has a shape and a place in the graph, and that is all that is known.
    Other {
        /// What it is called where it was recorded, such as `exp` or `gather`.
        name: String,
    },
}

/// How a convolution goes over its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    /// The step.
    pub stride: [usize; 2],
    /// Zeros before and after: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Elements from one tap to the next.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

/// How a pool goes over its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its size.
    pub kernel: [usize; 2],
    /// The step.
    pub stride: [usize; 2],
    /// Elements added on both sides.
    pub padding: [usize; 2],
    /// Whether a last window may reach over the edge.
    pub ceil: bool,
}

/// Element by element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// The sum.
    Add,
    /// The difference.
    Sub,
    /// The product.
    Mul,
    /// The quotient.
    Div,
}

/// A range with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride {
    /// The first index.
    pub start: usize,
    /// One past the last index.
    pub end: usize,
    /// At least 1.
    pub step: usize,
}

impl Op {
    /// One word for what it does, as in the name of a node without parameters.
    pub fn word(&self) -> &str {
        match self {
            Self::Conv2d(_) => "conv",
            Self::BatchNorm { .. } => "batchnorm",
            Self::Linear => "linear",
            Self::MaxPool2d { .. } => "maxpool",
            Self::AvgPool2d { .. } | Self::AdaptiveAvgPool2d { .. } => "avgpool",
            Self::LocalResponseNorm { .. } => "lrn",
            Self::RadialBasis => "rbf",
            Self::Relu => "relu",
            Self::Clamp { min: 0.0, max: 6.0 } => "relu6",
            Self::Clamp { .. } => "clamp",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Softmax { .. } => "softmax",
            Self::Binary(arithmetic) | Self::Scalar(arithmetic, _) => arithmetic.word(),
            Self::Matmul => "matmul",
            Self::Mean { .. } => "mean",
            Self::Concat { .. } => "concat",
            Self::Reshape => "reshape",
            Self::Expand => "expand",
            Self::Permute { .. } => "permute",
            Self::Slice { .. } => "slice",
            Self::Select { .. } => "select",
            Self::Pad { .. } => "pad",
            Self::Other { name } => name,
        }
    }

    /// Whether it is a fixed function of each element by itself.
    pub fn is_activation(&self) -> bool {
        matches!(
            self,
            Self::Relu | Self::Clamp { .. } | Self::Tanh | Self::Sigmoid
        )
    }
}

impl Arithmetic {
    fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
        }
    }
}
