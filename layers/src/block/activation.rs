//! The activation after a convolution.

use burn::tensor::{Tensor, activation};
use receptive_kernels::cpu;

/// The function that a layer applies to each element of its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Activation {
    /// `x`.
    #[default]
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Applies the activation to each element of a tensor of any shape.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => x,
            Self::Relu => activation::relu(x),
            Self::Relu6 => activation::relu6(x),
            Self::Tanh => x.tanh(),
        }
    }
}

impl From<Activation> for cpu::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Identity => Self::Identity,
            Activation::Relu => Self::Relu,
            Activation::Relu6 => Self::Clamp {
                low: 0.0,
                high: 6.0,
            },
            Activation::Tanh => Self::Tanh,
        }
    }
}
