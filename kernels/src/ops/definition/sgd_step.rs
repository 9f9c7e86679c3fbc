//! A step of stochastic gradient descent by Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar};

pub(in crate::ops) fn forward<B: Backend>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    velocity: FloatTensor<B>,
    step: [f64; 3],
    nesterov: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let [rate, momentum, decay] = step.map(Scalar::from);
    let decayed = B::float_mul_scalar(weight.clone(), decay);
    let pull = B::float_add(gradient, decayed);
    let velocity = B::float_add(B::float_mul_scalar(velocity, momentum), pull.clone());
    let by = match nesterov {
        true => B::float_add(pull, B::float_mul_scalar(velocity.clone(), momentum)),
        false => velocity.clone(),
    };
    (
        B::float_sub(weight, B::float_mul_scalar(by, rate)),
        velocity,
    )
}
