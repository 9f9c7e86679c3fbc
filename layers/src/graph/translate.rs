//! Translation of Burn's captured operations to [`Op`]s.

use std::collections::BTreeMap;

use burn::backend::capture::TensorId;
use burn::backend::ir::{
    ActivationOperationIr, BaseOperationIr, CustomOpIr, FloatOperationIr, ModuleOperationIr,
    NumericOperationIr, OperationIr, PadModeIr, ScalarIr, ShapeOpIr, SliceOpIr, TensorIr,
};
use burn::tensor::TensorData;
use receptive_kernels::ops::ids;

use super::capture::Boundary;
use super::composite::Composite;
use super::masks::Masks;
use super::op::{Arithmetic, Conv2d, ConvTranspose2d, Function, Op, Pool2d, Reduction, SliceRange};
use super::products::multiply_adds;
use super::recorded::Values;
use super::structure::{Graph, Node};
use super::value::{Origin, ParameterKind, ValueData, ValueId};

/// Translates captured operations to nodes without names. `data` are the elements of tensors that
/// no operation computes.
pub(super) fn translate(
    operations: &[OperationIr],
    data: BTreeMap<TensorId, TensorData>,
    boundary: Boundary<'_>,
) -> Graph {
    let mut values = Values::new(boundary, data);
    let mut nodes = Vec::new();
    let mut masks = Masks::default();
    for operation in operations {
        if let Some((out, fill)) = constant(operation) {
            let id = values.id(out);
            let value = &mut values.values[id.0];
            if value.origin == Origin::Computed {
                value.origin = Origin::Constant;
                value.data = fill.map(ValueData::Fill);
            }
            continue;
        }
        let outputs: Vec<ValueId> = operation.outputs().map(|out| values.id(out)).collect();
        // An operation whose outputs are parameters or constants belongs to their initialization.
        let initializes = |id: &ValueId| values.values[id.0].origin != Origin::Computed;
        if outputs.iter().all(initializes) {
            continue;
        }
        let mut composite = Composite {
            values: &mut values,
            nodes: &mut nodes,
            masks: &mut masks,
        };
        if composite.add(operation) {
            continue;
        }
        let inputs: Vec<ValueId> = operation.inputs().map(|input| values.id(input)).collect();
        let op = op(operation);
        for (index, &input) in inputs.iter().enumerate() {
            if is_fixed(&op, index)
                && let Origin::Parameter { kind, .. } = &mut values.values[input.0].origin
            {
                *kind = ParameterKind::Fixed;
            }
        }
        nodes.push(Node {
            name: String::new(),
            op,
            inputs,
            outputs,
        });
    }
    let outputs = values.boundary.outputs.iter();
    let outputs = outputs.map(|id| values.ids[id]).collect();
    Graph {
        input: values.ids[&values.boundary.input],
        outputs,
        output_names: Vec::new(),
        any_batch: false,
        nodes,
        values: values.values,
    }
}

/// Returns the output of an operation without operands, and the number that fills the output if it
/// is known.
fn constant(operation: &OperationIr) -> Option<(&TensorIr, Option<f64>)> {
    match operation {
        OperationIr::Init(init) => Some((&init.out, None)),
        OperationIr::BaseFloat(base) | OperationIr::BaseInt(base) | OperationIr::BaseBool(base) => {
            match base {
                BaseOperationIr::Zeros(new) => Some((&new.out, Some(0.0))),
                BaseOperationIr::Ones(new) => Some((&new.out, Some(1.0))),
                _ => None,
            }
        }
        OperationIr::NumericFloat(_, NumericOperationIr::Full(full))
        | OperationIr::NumericInt(_, NumericOperationIr::Full(full)) => {
            Some((&full.out, Some(full.value.elem())))
        }
        _ => None,
    }
}

/// Whether the operand `index` of `op` is a parameter that no gradient trains.
fn is_fixed(op: &Op, index: usize) -> bool {
    match op {
        Op::BatchNorm { .. } => index == 3 || index == 4,
        Op::RadialBasis => index == 1,
        _ => false,
    }
}

fn op(operation: &OperationIr) -> Op {
    let known = match operation {
        OperationIr::Module(module) => module_op(module),
        OperationIr::Activation(activation) => activation_op(activation),
        OperationIr::NumericFloat(_, numeric) | OperationIr::NumericInt(_, numeric) => {
            numeric_op(numeric)
        }
        OperationIr::BaseFloat(base) | OperationIr::BaseInt(base) | OperationIr::BaseBool(base) => {
            base_op(base)
        }
        OperationIr::Float(_, float) => float_op(float),
        OperationIr::Custom(custom) => custom_op(custom),
        _ => None,
    };
    known.unwrap_or_else(|| Op::Other {
        name: describe(operation),
        multiply_adds: multiply_adds(operation),
    })
}

fn float_op(operation: &FloatOperationIr) -> Option<Op> {
    let function = match operation {
        FloatOperationIr::Tanh(_) => return Some(Op::Tanh),
        FloatOperationIr::Matmul(_) => return Some(Op::Matmul),
        FloatOperationIr::Powf(_) => return Some(Op::Binary(Arithmetic::Pow)),
        FloatOperationIr::PowfScalar(power) => {
            return Some(Op::Scalar(Arithmetic::Pow, power.rhs.elem()));
        }
        FloatOperationIr::Exp(_) => Function::Exp,
        FloatOperationIr::Log(_) => Function::Ln,
        FloatOperationIr::Erf(_) => Function::Erf,
        FloatOperationIr::Sqrt(_) => Function::Sqrt,
        FloatOperationIr::Cos(_) => Function::Cos,
        FloatOperationIr::Sin(_) => Function::Sin,
        FloatOperationIr::Round(_) => Function::Round,
        FloatOperationIr::Floor(_) => Function::Floor,
        FloatOperationIr::Ceil(_) => Function::Ceil,
        FloatOperationIr::Recip(_) => Function::Reciprocal,
        _ => return None,
    };
    Some(Op::Function(function))
}

fn module_op(operation: &ModuleOperationIr) -> Option<Op> {
    Some(match operation {
        ModuleOperationIr::Conv2d(conv) => Op::Conv2d(Conv2d {
            stride: conv.options.stride,
            padding: conv.options.padding.map(|(before, after)| [before, after]),
            dilation: conv.options.dilation,
            groups: conv.options.groups,
        }),
        ModuleOperationIr::BatchNorm(norm) => Op::BatchNorm {
            epsilon: norm.epsilon.elem(),
        },
        ModuleOperationIr::ConvTranspose2d(conv) => Op::ConvTranspose2d(ConvTranspose2d {
            stride: conv.options.stride,
            padding: conv.options.padding.map(|padding| [padding; 2]),
            output_padding: conv.options.padding_out,
            dilation: conv.options.dilation,
            groups: conv.options.groups,
        }),
        ModuleOperationIr::Linear(_) => Op::Linear,
        ModuleOperationIr::MaxPool2d(pool) => Op::MaxPool2d {
            window: Pool2d {
                kernel: pool.kernel_size,
                stride: pool.stride,
                padding: pool.padding.map(|padding| [padding; 2]),
                ceil: pool.ceil_mode,
            },
            dilation: pool.dilation,
        },
        ModuleOperationIr::AvgPool2d(pool) => Op::AvgPool2d {
            window: Pool2d {
                kernel: pool.kernel_size,
                stride: pool.stride,
                padding: pool.padding.map(|padding| [padding; 2]),
                ceil: pool.ceil_mode,
            },
            count_include_pad: pool.count_include_pad,
        },
        ModuleOperationIr::AdaptiveAvgPool2d(pool) => Op::AdaptiveAvgPool2d {
            output: pool.output_size,
        },
        _ => return None,
    })
}

fn activation_op(operation: &ActivationOperationIr) -> Option<Op> {
    Some(match operation {
        ActivationOperationIr::Relu(_) => Op::Relu,
        ActivationOperationIr::Sigmoid(_) => Op::Sigmoid,
        ActivationOperationIr::LeakyRelu(relu) => Op::Function(Function::LeakyRelu {
            slope: relu.rhs.elem(),
        }),
        ActivationOperationIr::PRelu(_) => Op::Prelu,
        ActivationOperationIr::Gelu(_) => Op::Function(Function::Gelu),
        ActivationOperationIr::HardSigmoid(sigmoid) => Op::Function(Function::HardSigmoid {
            alpha: sigmoid.alpha.elem(),
            beta: sigmoid.beta.elem(),
        }),
        ActivationOperationIr::Softmax(softmax) => Op::Softmax { axis: softmax.axis },
        _ => return None,
    })
}

fn numeric_op(operation: &NumericOperationIr) -> Option<Op> {
    use Arithmetic::{Add, Div, Mul, Pow, Sub};
    Some(match operation {
        NumericOperationIr::Add(_) => Op::Binary(Add),
        NumericOperationIr::Sub(_) => Op::Binary(Sub),
        NumericOperationIr::Mul(_) => Op::Binary(Mul),
        NumericOperationIr::Div(_) => Op::Binary(Div),
        NumericOperationIr::AddScalar(op) => Op::Scalar(Add, op.rhs.elem()),
        NumericOperationIr::SubScalar(op) => Op::Scalar(Sub, op.rhs.elem()),
        NumericOperationIr::MulScalar(op) => Op::Scalar(Mul, op.rhs.elem()),
        NumericOperationIr::DivScalar(op) => Op::Scalar(Div, op.rhs.elem()),
        NumericOperationIr::Neg(_) => Op::Scalar(Mul, -1.0),
        NumericOperationIr::Abs(_) => Op::Function(Function::Abs),
        NumericOperationIr::Sign(_) => Op::Function(Function::Sign),
        NumericOperationIr::Powi(_) => Op::Binary(Pow),
        NumericOperationIr::PowiScalar(power) => Op::Scalar(Pow, power.rhs.elem()),
        NumericOperationIr::Clamp(clamp) => Op::Clamp {
            min: clamp.min.elem(),
            max: clamp.max.elem(),
        },
        NumericOperationIr::ClampMin(clamp) => Op::Clamp {
            min: clamp.rhs.elem(),
            max: f64::INFINITY,
        },
        NumericOperationIr::ClampMax(clamp) => Op::Clamp {
            min: f64::NEG_INFINITY,
            max: clamp.rhs.elem(),
        },
        NumericOperationIr::MeanDim(mean) => Op::Mean {
            axes: vec![mean.axis],
        },
        NumericOperationIr::SumDim(reduce) => along(Reduction::Sum, reduce.axis),
        NumericOperationIr::ProdDim(reduce) => along(Reduction::Product, reduce.axis),
        NumericOperationIr::MaxDim(reduce) => along(Reduction::Max, reduce.axis),
        NumericOperationIr::MinDim(reduce) => along(Reduction::Min, reduce.axis),
        NumericOperationIr::SumDims(reduce) => Op::Reduce {
            reduction: Reduction::Sum,
            axes: {
                let mut axes = reduce.axes.clone();
                axes.sort_unstable();
                axes
            },
        },
        NumericOperationIr::Pad(pad) => match pad.mode {
            PadModeIr::Constant(value) => Op::Pad {
                padding: pad.padding.iter().map(|&(b, a)| [b, a]).collect(),
                value: value.elem(),
            },
            PadModeIr::Reflect | PadModeIr::Edge => return None,
        },
        _ => return None,
    })
}

fn along(reduction: Reduction, axis: usize) -> Op {
    Op::Reduce {
        reduction,
        axes: vec![axis],
    }
}

fn base_op(operation: &BaseOperationIr) -> Option<Op> {
    Some(match operation {
        BaseOperationIr::Reshape(_) => Op::Reshape,
        BaseOperationIr::Expand(ShapeOpIr { input, out }) => {
            if input.shape.num_dims() != out.shape.num_dims() {
                return None;
            }
            Op::Expand
        }
        BaseOperationIr::SwapDims(swap) => {
            let mut axes: Vec<usize> = (0..swap.out.shape.num_dims()).collect();
            axes.swap(swap.dim1, swap.dim2);
            Op::Permute { axes }
        }
        BaseOperationIr::Permute(permute) => Op::Permute {
            axes: permute.axes.clone(),
        },
        BaseOperationIr::Cat(cat) => Op::Concat { axis: cat.dim },
        BaseOperationIr::Select(select) => Op::Select { axis: select.dim },
        BaseOperationIr::Slice(slice) => Op::Slice {
            ranges: ranges(slice)?,
        },
        _ => return None,
    })
}

/// Returns one range for each axis, or `None` if a step is negative.
fn ranges(slice: &SliceOpIr) -> Option<Vec<SliceRange>> {
    let shape = slice.tensor.shape.as_slice();
    let whole = |&end: &usize| SliceRange {
        start: 0,
        end,
        step: 1,
    };
    let mut ranges: Vec<SliceRange> = shape.iter().map(whole).collect();
    for (range, given) in ranges.iter_mut().zip(&slice.ranges) {
        let (bounds, step) = given.to_range_and_step(range.end);
        *range = SliceRange {
            start: bounds.start,
            end: bounds.end,
            step: usize::try_from(step).ok()?,
        };
    }
    Some(ranges)
}

/// Translates the custom operations of `receptive_kernels::ops`.
fn custom_op(operation: &CustomOpIr) -> Option<Op> {
    let scalar = |scalar: &ScalarIr| scalar.elem::<f64>();
    match (operation.id.as_str(), operation.scalars.as_slice()) {
        (ids::LOCAL_RESPONSE_NORM, [size, alpha, beta, k]) => Some(Op::LocalResponseNorm {
            size: size.elem::<i64>().try_into().ok()?,
            alpha: scalar(alpha),
            beta: scalar(beta),
            k: scalar(k),
        }),
        (ids::RADIAL_BASIS, []) => Some(Op::RadialBasis),
        _ => None,
    }
}

/// Returns the name of the innermost variant in lower case: `abs` of
/// `NumericFloat(F32, Abs(UnaryOpIr { .. }))`.
fn describe(operation: &OperationIr) -> String {
    if let OperationIr::Custom(custom) = operation {
        return custom.id.clone();
    }
    let debug = format!("{operation:?}");
    let variants = debug.split(" {").next().unwrap_or_default();
    let names: Vec<&str> = variants
        .split(|c: char| !c.is_alphanumeric())
        .filter(|name| !name.is_empty())
        .collect();
    // The last name is the type of the variant's field.
    let name = names.len().checked_sub(2).map_or("", |last| names[last]);
    name.to_lowercase()
}
