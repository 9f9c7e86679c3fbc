//! Multiply-adds of recorded operations that are no [`Op`](super::Op) of their own.

use burn::backend::ir::{
    AttentionOpIr, FloatOperationIr, IntOperationIr, InterpolateModeIr, ModuleOperationIr,
    OperationIr, TensorIr,
};

/// Returns the products that an operation sums for the whole batch, or `None` if the recording does
/// not tell their number or they exceed 64 bits.
///
/// As in the usual tables, element-wise operations, norms, pools and reductions have none.
pub(super) fn multiply_adds(operation: &OperationIr) -> Option<u64> {
    match operation {
        OperationIr::Module(module) => of_module(module),
        OperationIr::Float(_, FloatOperationIr::Matmul(product))
        | OperationIr::Int(IntOperationIr::Matmul(product)) => {
            let inner = *product.lhs.shape.as_slice().last()?;
            times(elements(&product.out)?, &[inner])
        }
        OperationIr::Float(_, FloatOperationIr::Cross(_) | FloatOperationIr::GridSample2d(_))
        | OperationIr::Custom(_)
        | OperationIr::Distributed(_) => None,
        _ => Some(0),
    }
}

fn of_module(operation: &ModuleOperationIr) -> Option<u64> {
    use ModuleOperationIr as Module;
    match operation {
        Module::Conv1d(conv) => convolution(&conv.out, &conv.weight),
        Module::Conv2d(conv) => convolution(&conv.out, &conv.weight),
        Module::Conv3d(conv) => convolution(&conv.out, &conv.weight),
        Module::DeformableConv2d(conv) => convolution(&conv.out, &conv.weight),
        // Each input element is multiplied by the weights of all its outputs.
        Module::ConvTranspose1d(conv) => convolution(&conv.x, &conv.weight),
        Module::ConvTranspose2d(conv) => convolution(&conv.x, &conv.weight),
        Module::ConvTranspose3d(conv) => convolution(&conv.x, &conv.weight),
        Module::Linear(linear) => {
            let inputs = *linear.x.shape.as_slice().last()?;
            times(elements(&linear.out)?, &[inputs])
        }
        Module::Attention(attention) => of_attention(attention),
        Module::BatchNorm(_)
        | Module::LayerNorm(_)
        | Module::Embedding(_)
        | Module::Unfold4d(_)
        | Module::AvgPool1d(_)
        | Module::AvgPool2d(_)
        | Module::AdaptiveAvgPool1d(_)
        | Module::AdaptiveAvgPool2d(_)
        | Module::AdaptiveAvgPool3d(_)
        | Module::MaxPool1d(_)
        | Module::MaxPool1dWithIndices(_)
        | Module::MaxPool2d(_)
        | Module::MaxPool2dWithIndices(_) => Some(0),
        Module::Interpolate(resize) => match resize.options.mode {
            InterpolateModeIr::Nearest => Some(0),
            _ => None,
        },
        // Losses and gradients.
        _ => None,
    }
}

/// Returns the products of a convolution that multiplies each element of `positions` by the weights
/// of one of the channels along the first axis of `weight`.
fn convolution(positions: &TensorIr, weight: &TensorIr) -> Option<u64> {
    times(elements(positions)?, weight.shape.as_slice().get(1..)?)
}

/// Returns the products of the scores, `query * key`, and of the mean of the values.
fn of_attention(attention: &AttentionOpIr) -> Option<u64> {
    let &[.., keys, _] = attention.key.shape.as_slice() else {
        return None;
    };
    let scores = times(elements(&attention.query)?, &[keys])?;
    scores.checked_add(times(elements(&attention.out)?, &[keys])?)
}

fn elements(tensor: &TensorIr) -> Option<u64> {
    times(1, tensor.shape.as_slice())
}

fn times(count: u64, lengths: &[usize]) -> Option<u64> {
    let mut lengths = lengths.iter();
    lengths.try_fold(count, |product, &length| product.checked_mul(length as u64))
}
