//! ReLU of a sum, and gradients of activations.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::memory::{PASSES, floats};
use crate::cpu::Activation;
use crate::cpu::gradient::elementwise;
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::Host;

/// The gradient before the activation whose output is `y`.
pub(super) fn masked(activation: Activation, y: &[f32], gradient: &[f32]) -> Vec<f32> {
    let threads = threads(y.len() * PASSES);
    let pair = [y, gradient];
    match activation {
        Activation::Relu => elementwise(threads, pair, |y, g| if y > 0.0 { g } else { 0.0 }),
        Activation::Clamp { low, high } => elementwise(threads, pair, |y, g| {
            let open = y > low && y < high;
            if open { g } else { 0.0 }
        }),
        Activation::Tanh => elementwise(threads, pair, |y, g| g * (1.0 - y * y)),
        _ => gradient.to_vec(),
    }
}

/// The ReLU of the sum.
pub(in crate::ops) fn add_relu<B: Host>(x: FloatTensor<B>, y: FloatTensor<B>) -> FloatTensor<B> {
    let [x, y] = [x, y].map(B::contiguous);
    let values = [&x, &y].map(|tensor| B::floats(tensor).expect("checked before"));
    // Not a number stays what it is.
    let threads = threads(values[0].len() * PASSES);
    let sum = elementwise(
        threads,
        values,
        |x, y| if x + y < 0.0 { 0.0 } else { x + y },
    );
    B::tensor(sum, x.shape())
}

/// The gradient before a ReLU whose output is `y`.
pub(in crate::ops) fn relu_gradient<B: Host>(
    y: FloatTensor<B>,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let [y, gradient] = [y, gradient].map(B::contiguous);
    let floats = floats::<B>;
    let made = masked(Activation::Relu, floats(&y), floats(&gradient));
    B::tensor(made, y.shape())
}
