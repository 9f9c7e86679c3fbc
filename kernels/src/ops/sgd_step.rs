//! A step of gradient descent.

use super::backend::KernelOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

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
