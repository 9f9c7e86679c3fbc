//! Operations of a graph's nodes.

/// The operation of a [`Node`](super::Node).
///
/// Feature maps are `[batch, channels, height, width]`; pairs are height first. Each variant lists
/// its operands in the order of [`Node::inputs`](super::Node::inputs).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// Convolution. Operands: `x`, the weight `[out, in / groups, height, width]`, and optionally
    /// the bias `[out]`.
    Conv2d(Conv2d),
    /// `(x - mean) / sqrt(variance + epsilon) * weight + bias`. Operands: `x`, weight, bias, mean
    /// and variance; all but `x` are `[channels]`.
    BatchNorm {
        /// Number added to the variance.
        epsilon: f64,
    },
    /// Fully connected layer, `x * weight + bias`. Operands: `x` `[.., in]`, the weight
    /// `[in, out]`, and optionally the bias `[out]`.
    Linear,
    /// Maximum of each window.
    MaxPool2d {
        /// Kernel size, stride, padding and rounding.
        window: Pool2d,
        /// Distance between neighbouring taps, in elements.
        dilation: [usize; 2],
    },
    /// Mean of each window.
    AvgPool2d {
        /// Kernel size, stride, padding and rounding.
        window: Pool2d,
        /// Whether the divisor of the mean counts padding elements.
        count_include_pad: bool,
    },
    /// Mean over each cell of a grid of `output` nearly equal cells; `[1, 1]` is the mean of the
    /// whole map.
    AdaptiveAvgPool2d {
        /// Height and width of the output.
        output: [usize; 2],
    },
    /// Local response normalization, `x_i / (k + alpha * sum_j x_j^2)^beta` over `size`
    /// neighbouring channels `j`.
    LocalResponseNorm {
        /// Channels in the window.
        size: usize,
        /// Factor of the sum of squares.
        alpha: f64,
        /// Exponent.
        beta: f64,
        /// Number added to the scaled sum.
        k: f64,
    },
    /// Squared Euclidean distance to each centre. Operands: `x` `[batch, in]` and the centres
    /// `[out, in]`.
    RadialBasis,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, min), max)`; a missing bound is infinite.
    Clamp {
        /// Lower bound.
        min: f64,
        /// Upper bound.
        max: f64,
    },
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `exp(x) / sum exp(x)` along an axis.
    Softmax {
        /// Axis of the sum.
        axis: usize,
    },
    /// Element-wise arithmetic of two tensors, with axes of length one broadcast.
    Binary(Arithmetic),
    /// Element-wise arithmetic of a tensor (left) and a number (right).
    Scalar(Arithmetic, f64),
    /// Matrix product.
    Matmul,
    /// Mean along axes, each kept with length one.
    Mean {
        /// Axes, ascending.
        axes: Vec<usize>,
    },
    /// Concatenation of the operands along an axis.
    Concat {
        /// Axis of the concatenation.
        axis: usize,
    },
    /// The same elements, in row-major order, in another shape.
    Reshape,
    /// Broadcast of axes of length one to the output's shape.
    Expand,
    /// Permutation of the axes: axis `i` of the output is axis `axes[i]` of the input.
    Permute {
        /// Input axis of each output axis.
        axes: Vec<usize>,
    },
    /// Every `step`-th element from `start` to `end`, for each axis.
    Slice {
        /// One range for each axis.
        ranges: Vec<SliceRange>,
    },
    /// Selection of entries along an axis. Operands: `x` and the list of indices.
    Select {
        /// Axis that the indices refer to.
        axis: usize,
    },
    /// Padding with a constant.
    Pad {
        /// Elements added before and after, for each axis.
        padding: Vec<[usize; 2]>,
        /// Value of the added elements.
        value: f64,
    },
    /// Any other operation. Only its operands and the shape of its output are known.
    Other {
        /// Burn's name of the operation in lower case, such as `exp` or `gather`.
        name: String,
        /// Number of products that the operation sums for the whole batch; `None` if it is unknown.
        multiply_adds: Option<u64>,
    },
}

/// Stride, padding, dilation and groups of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    /// Stride, in elements.
    pub stride: [usize; 2],
    /// Zero padding: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Distance between neighbouring taps, in elements.
    pub dilation: [usize; 2],
    /// Number of channel groups.
    pub groups: usize,
}

/// Kernel size, stride, padding and rounding of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool2d {
    /// Kernel size.
    pub kernel: [usize; 2],
    /// Stride, in elements.
    pub stride: [usize; 2],
    /// Padding on each side, in elements.
    pub padding: [usize; 2],
    /// Whether the output size is rounded up, so that the last window may extend past the padding.
    pub ceil: bool,
}

/// Element-wise arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
}

/// Indices of a slice along one axis: `start`, `start + step`, … below `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceRange {
    /// First index.
    pub start: usize,
    /// Exclusive end.
    pub end: usize,
    /// Step, at least 1.
    pub step: usize,
}

impl Op {
    /// Returns the operation in one word, as in the name of a node without parameters.
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
            Self::Other { name, .. } => name,
        }
    }

    /// Whether the operation is an element-wise activation function without parameters.
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
