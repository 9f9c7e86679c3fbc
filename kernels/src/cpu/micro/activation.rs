//! Activations, applied to sums in registers.

use serde::{Deserialize, Serialize};

use super::simd::Simd;

/// Activation of each output element, applied while the element is in a register.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Activation {
    /// `x`.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, low), high)`.
    Clamp {
        /// Lower bound.
        low: f32,
        /// Upper bound.
        high: f32,
    },
    /// Hyperbolic tangent, within 5.5 units in the last place and 2e-7.
    Tanh,
    /// Logistic function `1 / (1 + exp(-x))`, within 1.5e-7.
    Sigmoid,
}

impl Activation {
    /// Applies the activation to all accumulators with one branch: a branch per accumulator would
    /// take as long as the sums.
    #[inline(always)]
    pub(crate) fn apply_all<S: Simd, const B: usize, const P: usize>(
        self,
        s: S,
        sums: &mut [[S::Vector; B]; P],
    ) {
        macro_rules! each {
            ($activation:expr, $sums:expr) => {
                for sum in $sums.as_flattened_mut() {
                    *sum = $activation.apply::<S>(s, *sum);
                }
            };
        }
        // The copy lives in memory: a loop that is too long to unroll would otherwise keep the
        // accumulators there from the start.
        macro_rules! in_memory {
            ($activation:expr) => {{
                let mut copy = *sums;
                each!($activation, copy);
                *sums = copy;
            }};
        }
        match self {
            Self::Identity => {}
            Self::Relu => each!(Self::Relu, sums),
            Self::Clamp { low, high } => each!(Self::Clamp { low, high }, sums),
            Self::Tanh => in_memory!(Self::Tanh),
            Self::Sigmoid => in_memory!(Self::Sigmoid),
        }
    }

    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, s: S, x: S::Vector) -> S::Vector {
        match self {
            Self::Identity => x,
            Self::Relu => s.max(s.zero(), x),
            Self::Clamp { low, high } => s.min(s.splat(high), s.max(s.splat(low), x)),
            Self::Tanh => tanh::<S>(s, x),
            Self::Sigmoid => {
                let half = s.splat(0.5);
                s.mul_add(half, tanh::<S>(s, s.mul(half, x)), half)
            }
        }
    }
}

/// `tanh(x) = 2 t / (1 + t^2)` with `t = tanh(x / 2) = n(x) / d(x)`, so that errors of `t` vanish
/// as the result approaches 1.
///
/// The odd `n` and the even `d` are the minimax fit of their ratio to `tanh(x / 2)` on `0..9`, with
/// errors weighted by their effect on the result: at most 1e-8. All coefficients are positive, so
/// that nothing cancels. NaN gives NaN, infinities give exactly ±1.
#[inline(always)]
fn tanh<S: Simd>(s: S, x: S::Vector) -> S::Vector {
    const N: [f32; 3] = [0.5, 0.014_864_872, 5.664_661_5e-5];
    const D: [f32; 4] = [1.0, 0.113_063_04, 0.001_201_924_4, 1.208_558e-6];
    // Beyond this value the result is 1, whatever the rounding.
    const LIMIT: f32 = 9.01;
    let x = s.min(s.splat(LIMIT), s.max(s.splat(-LIMIT), x));
    let square = s.mul(x, x);
    let n = s.mul(x, horner::<S, 3>(s, square, N));
    let d = horner::<S, 4>(s, square, D);
    let t = s.quotient(s.mul(s.add(n, n), d), s.mul_add(n, n, s.mul(d, d)));
    s.min(s.splat(1.0), s.max(s.splat(-1.0), t))
}

/// Horner's rule; the constant coefficient comes first.
#[inline(always)]
fn horner<S: Simd, const N: usize>(s: S, x: S::Vector, coefficients: [f32; N]) -> S::Vector {
    let mut sum = s.splat(coefficients[N - 1]);
    for i in (0..N - 1).rev() {
        sum = s.mul_add(sum, x, s.splat(coefficients[i]));
    }
    sum
}
