//! Translation of operators. Every file has a family of operators.

mod activations;
mod arithmetic;
mod constants;
mod conv;
mod conv_transpose;
pub mod coordinates;
mod depth;
mod gather;
mod linear;
mod logic;
mod lp;
mod norms;
mod pads;
mod pools;
mod radial;
mod reductions;
mod resize;
mod shapes;
mod slices;
mod softmax;
pub mod taps;
mod windows;

use super::call::Call;
use super::fault::{Result, unsupported};
use super::operand::Operand;

/// The translation of an operator. Returns its outputs.
type Translate = fn(&mut Call<'_, '_>) -> Result<Vec<Operand>>;

/// Returns the translation of the operator `name`, if there is one.
fn translation(name: &str) -> Option<Translate> {
    Some(match name {
        "Conv" => conv::conv,
        "ConvTranspose" => conv_transpose::conv_transpose,
        "Gemm" => linear::gemm,
        "MatMul" => linear::matmul,
        "BatchNormalization" => norms::batch,
        "InstanceNormalization" => norms::instance,
        "LayerNormalization" => norms::layer,
        "GroupNormalization" => norms::group,
        "MeanVarianceNormalization" => norms::mean_variance,
        "LpNormalization" => lp::normalization,
        "LRN" => norms::local_response,
        "MaxPool" => pools::max,
        "AveragePool" => pools::average,
        "LpPool" => lp::pool,
        "GlobalAveragePool" => pools::global_average,
        "GlobalMaxPool" => pools::global_max,
        "GlobalLpPool" => lp::global_pool,
        "Relu" | "LeakyRelu" | "ThresholdedRelu" | "Sigmoid" | "HardSigmoid" | "HardSwish"
        | "Swish" | "Mish" | "Gelu" | "Tanh" | "Elu" | "Selu" | "Celu" | "Softplus"
        | "Softsign" | "Erf" | "Exp" | "Log" | "Sqrt" | "Abs" | "Neg" | "Reciprocal" | "Sign"
        | "Floor" | "Ceil" | "Round" | "Sin" | "Cos" => activations::function,
        "PRelu" => activations::prelu,
        "Clip" => activations::clip,
        "Softmax" => softmax::softmax,
        "LogSoftmax" => softmax::log_softmax,
        "Add" | "Sub" | "Mul" | "Div" | "Pow" => arithmetic::binary,
        "Min" | "Max" | "Sum" | "Mean" => arithmetic::variadic,
        "Mod" => arithmetic::remainder,
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1"
        | "ReduceL2" | "ReduceSumSquare" | "ReduceLogSum" | "ReduceLogSumExp" => reductions::reduce,
        "Concat" => slices::concat,
        "Split" => slices::split,
        "Slice" => slices::slice,
        "Gather" => gather::gather,
        "Pad" => pads::pad,
        "Resize" => resize::resize,
        "Upsample" => resize::upsample,
        "Transpose" => shapes::transpose,
        "Reshape" => shapes::reshape,
        "Flatten" => shapes::flatten,
        "Squeeze" => shapes::squeeze,
        "Unsqueeze" => shapes::unsqueeze,
        "Expand" => shapes::expand,
        "Tile" => shapes::tile,
        "DepthToSpace" => depth::depth_to_space,
        "SpaceToDepth" => depth::space_to_depth,
        "Identity" => shapes::identity,
        "Dropout" => shapes::dropout,
        "Cast" | "CastLike" => shapes::cast,
        "Shape" => constants::shape,
        "Size" => constants::size,
        "Constant" => constants::constant,
        "ConstantOfShape" => constants::constant_of_shape,
        "Range" => constants::range,
        "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or" | "Xor" => {
            logic::compare
        }
        "Not" => logic::not,
        "Where" => logic::select,
        _ => return None,
    })
}

/// Returns whether there is a translation of the operator `name`.
pub fn is_known(name: &str) -> bool {
    translation(name).is_some()
}

/// Operators whose results are elements of their operands, which may be whole numbers that depend on the input.
const SELECTIONS: [&str; 21] = [
    "Clip",
    "Concat",
    "DepthToSpace",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Max",
    "MaxPool",
    "Min",
    "Pad",
    "ReduceMax",
    "ReduceMin",
    "Reshape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
];

/// Translates an operator to nodes or constants, and returns its outputs.
///
/// # Errors
///
/// [`Fault`](super::fault::Fault).
pub fn translate(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let Some(translation) = translation(call.operator) else {
        return unsupported("the operator is not supported");
    };
    let is_integer = |operand: &Option<Operand>| matches!(operand, Some(Operand::Integers(_)));
    let integers = call.inputs.iter().any(is_integer);
    if !integers || matches!(call.operator, "Cast" | "CastLike" | "Shape" | "Size") {
        return translation(call);
    }
    if !SELECTIONS.contains(&call.operator) {
        return unsupported("arithmetic on integers that depend on the input");
    }
    let mut outputs = translation(call)?;
    for output in &mut outputs {
        if let Operand::Value(id) = *output {
            *output = Operand::Integers(id);
        }
    }
    Ok(outputs)
}
