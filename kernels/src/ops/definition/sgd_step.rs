//! Step of stochastic gradient descent by Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar};

/// See [`sgd_step`](crate::ops::sgd_step()); `step` is the learning rate, the momentum and the weight
/// decay.
pub(in crate::ops) fn forward<B: Backend>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    velocity: FloatTensor<B>,
    step: [f64; 3],
    nesterov: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let [rate, momentum, decay] = step.map(Scalar::from);
    let decay = B::float_mul_scalar(weight.clone(), decay);
    let gradient = B::float_add(gradient, decay);
    let velocity = B::float_add(B::float_mul_scalar(velocity, momentum), gradient.clone());
    let direction = match nesterov {
        true => B::float_add(gradient, B::float_mul_scalar(velocity.clone(), momentum)),
        false => velocity.clone(),
    };
    (
        B::float_sub(weight, B::float_mul_scalar(direction, rate)),
        velocity,
    )
}
