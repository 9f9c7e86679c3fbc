//! Stochastic gradient descent, in place on the CPU.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use receptive_kernels::ops;

/// Stochastic gradient descent with the semantics of `burn::optim::Sgd`, fused into one pass over
/// each weight: see [`ops::sgd_step`].
#[derive(Debug, Clone)]
pub struct Sgd {
    /// Factor of the previous velocity.
    pub momentum: f64,
    /// Whether the momentum is Nesterov momentum.
    pub nesterov: bool,
    /// Weight decay: the multiple of the weight that is added to its gradient.
    pub decay: f64,
}

/// Optimizer state of one parameter.
#[derive(Debug, Clone)]
pub struct Velocity<const D: usize> {
    velocity: Tensor<D>,
}

/// Key of the velocity in a saved state, the same as in the state of `burn::optim::Sgd`.
const VELOCITY: &str = "momentum.velocity";

// Burn's derive macro only works inside Burn: its paths start at Burn's crate root.
impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, VELOCITY, self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let data = source.take_tensor(prefix, VELOCITY)?;
        Some(Self {
            velocity: Tensor::from_data(data, device),
        })
    }
}

impl Optimizer for Sgd {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Velocity<D>>,
    ) -> (Tensor<D>, Option<Velocity<D>>) {
        let velocity = match state {
            Some(state) => state.velocity,
            None => gradient.zeros_like(),
        };
        let step = [rate, self.momentum, self.decay];
        let (weight, velocity) = ops::sgd_step(weight, gradient, velocity, step, self.nesterov);
        (weight, Some(Velocity { velocity }))
    }

    fn to_device<const D: usize>(state: Velocity<D>, device: &Device) -> Velocity<D> {
        Velocity {
            velocity: state.velocity.to_device(device),
        }
    }
}
