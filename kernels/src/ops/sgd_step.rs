//! A step of gradient descent.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Scalar};
use burn::tensor::Tensor;

use super::backend::KernelOps;

/// The weights and their velocity after a step against `gradient` of stochastic gradient descent with
/// momentum: with `h = gradient + decay * weight`, `velocity = momentum * velocity + h` and
/// `weight -= rate * velocity`, or with Nesterov's momentum `weight -= rate * (h + momentum * velocity)`.
///
/// All are of one shape. On Burn's CPU backends a weight and a velocity of `f32` that nobody else has are
/// written where they are. Not differentiable by intent: an optimizer's step is no part of a graph.
pub fn sgd_step<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    [rate, momentum, decay]: [f64; 3],
    nesterov: bool,
) -> (Tensor<D>, Tensor<D>) {
    assert!(
        weight.dims() == gradient.dims() && weight.dims() == velocity.dims(),
        "a weight of {:?} with a gradient of {:?} and a velocity of {:?}",
        weight.dims(),
        gradient.dims(),
        velocity.dims()
    );
    let (weight, velocity) = Dispatch::sgd_step(
        weight.into_dispatch(),
        gradient.into_dispatch(),
        velocity.into_dispatch(),
        rate,
        momentum,
        decay,
        nesterov,
    );
    (
        Tensor::from_dispatch(weight),
        Tensor::from_dispatch(velocity),
    )
}

/// By the backend's own operations.
pub(super) fn forward<B: Backend>(
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
