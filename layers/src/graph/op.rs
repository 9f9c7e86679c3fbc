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
    /// Transposed convolution, the gradient of a convolution with respect to its input. Operands:
    /// `x`, the weight `[in, out / groups, height, width]`, and optionally the bias `[out]`.
    ConvTranspose2d(ConvTranspose2d),
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
    /// An element-wise function of one tensor.
    Function(Function),
    /// `x` where `x` is positive, and `x * slope` elsewhere. Operands: `x` and the slope, which is
    /// broadcast to the shape of `x`.
    Prelu,
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
    /// Sum, product or other reduction along axes, each kept with length one.
    Reduce {
        /// Function of the elements.
        reduction: Reduction,
        /// Axes, ascending.
        axes: Vec<usize>,
    },
    /// Interpolation along an axis: each element is a weighted sum of elements of the input.
    Resample {
        /// The axis.
        axis: usize,
        /// For each index of the output, the indices of the input that it is a sum of, with their
        /// weights.
        taps: Vec<Vec<(usize, f64)>>,
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

/// Stride, padding, dilation and groups of a transposed convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvTranspose2d {
    /// Distance between the outputs of neighbouring input elements, in elements.
    pub stride: [usize; 2],
    /// Rows and columns that are cut off the output: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Rows and columns that are added to the output at the bottom and right.
    pub output_padding: [usize; 2],
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
    /// Padding, in elements: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
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
    /// Smaller of both.
    Min,
    /// Larger of both.
    Max,
    /// Power: the left operand to the exponent of the right one.
    Pow,
}

/// An element-wise function of one number, `x`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Function {
    /// `x` if it is positive, otherwise `slope * x`.
    LeakyRelu {
        /// Factor of negative numbers.
        slope: f64,
    },
    /// `x` if it is positive, otherwise `alpha * (exp(x) - 1)`.
    Elu {
        /// Factor of the exponential.
        alpha: f64,
    },
    /// `scale * elu(x)`, with `alpha`.
    Selu {
        /// Factor of the exponential.
        alpha: f64,
        /// Factor of the result.
        scale: f64,
    },
    /// `x` if it is positive, otherwise `alpha * (exp(x / alpha) - 1)`.
    Celu {
        /// Scale of the exponential.
        alpha: f64,
    },
    /// `x` if it exceeds the threshold, otherwise 0.
    ThresholdedRelu {
        /// The threshold.
        alpha: f64,
    },
    /// `max(0, min(1, alpha * x + beta))`.
    HardSigmoid {
        /// Factor.
        alpha: f64,
        /// Summand.
        beta: f64,
    },
    /// `x * max(0, min(6, x + 3)) / 6`.
    HardSwish,
    /// `x * sigmoid(x)`.
    Silu,
    /// `x * tanh(ln(1 + exp(x)))`.
    Mish,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x * (1 + erf(x / sqrt(2))) / 2`.
    Gelu,
    /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2`.
    GeluTanh,
    /// Error function.
    Erf,
    /// Exponential function.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Square root.
    Sqrt,
    /// Absolute value.
    Abs,
    /// `-x`.
    Neg,
    /// `1 / x`.
    Reciprocal,
    /// -1, 0 or 1.
    Sign,
    /// Largest whole number of at most `x`.
    Floor,
    /// Smallest whole number of at least `x`.
    Ceil,
    /// Nearest whole number; the even one of two.
    Round,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
}

/// Function of the elements along the axes of a reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Sum.
    Sum,
    /// Mean.
    Mean,
    /// Product.
    Product,
    /// Largest.
    Max,
    /// Smallest.
    Min,
    /// Sum of absolute values.
    L1,
    /// Square root of the sum of squares.
    L2,
    /// Sum of squares.
    SumOfSquares,
    /// Logarithm of the sum.
    LogSum,
    /// Logarithm of the sum of exponentials.
    LogSumExp,
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
            Self::ConvTranspose2d(_) => "conv_transpose",
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
            Self::Function(function) => function.word(),
            Self::Prelu => "prelu",
            Self::Binary(arithmetic) | Self::Scalar(arithmetic, _) => arithmetic.word(),
            Self::Matmul => "matmul",
            Self::Mean { .. } => "mean",
            Self::Reduce { reduction, .. } => reduction.word(),
            Self::Resample { .. } => "resample",
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

    /// Whether the operation is an element-wise function of one tensor, without parameters.
    pub fn is_activation(&self) -> bool {
        matches!(
            self,
            Self::Relu | Self::Clamp { .. } | Self::Tanh | Self::Sigmoid | Self::Function(_)
        )
    }
}

impl Function {
    fn word(self) -> &'static str {
        match self {
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Elu { .. } => "elu",
            Self::Selu { .. } => "selu",
            Self::Celu { .. } => "celu",
            Self::ThresholdedRelu { .. } => "thresholded_relu",
            Self::HardSigmoid { .. } => "hard_sigmoid",
            Self::HardSwish => "hard_swish",
            Self::Silu => "silu",
            Self::Mish => "mish",
            Self::Softplus => "softplus",
            Self::Softsign => "softsign",
            Self::Gelu | Self::GeluTanh => "gelu",
            Self::Erf => "erf",
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Sqrt => "sqrt",
            Self::Abs => "abs",
            Self::Neg => "neg",
            Self::Reciprocal => "reciprocal",
            Self::Sign => "sign",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Round => "round",
            Self::Sin => "sin",
            Self::Cos => "cos",
        }
    }
}

impl Reduction {
    fn word(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Product => "product",
            Self::Max => "max",
            Self::Min => "min",
            Self::L1 => "l1_norm",
            Self::L2 => "l2_norm",
            Self::SumOfSquares => "sum_of_squares",
            Self::LogSum => "log_sum",
            Self::LogSumExp => "log_sum_exp",
        }
    }
}

impl Arithmetic {
    fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::Min => "min",
            Self::Max => "max",
            Self::Pow => "pow",
        }
    }
}
