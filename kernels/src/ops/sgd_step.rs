//! Step of stochastic gradient descent.

use super::backend::KernelOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Returns the weights and the velocity after a step of stochastic gradient descent with momentum.
///
/// With `h = gradient + decay * weight`, the step computes `velocity = momentum * velocity + h` and
/// `weight -= rate * velocity`, or with Nesterov's momentum
/// `weight -= rate * (h + momentum * velocity)`.
///
/// All tensors have the same shape. On Burn's CPU backends, weights and velocities of `f32` are updated
/// in place if no other tensor shares their memory. The operation is not differentiable: the step of an
/// optimizer is not part of a graph.
///
/// # Panics
///
/// When the shapes differ.
pub fn sgd_step<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    [rate, momentum, decay]: [f64; 3],
    nesterov: bool,
) -> (Tensor<D>, Tensor<D>) {
    assert!(
        weight.dims() == gradient.dims() && weight.dims() == velocity.dims(),
        "expected tensors of the same shape, found a weight of {:?}, a gradient of {:?} and a velocity of {:?}",
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
