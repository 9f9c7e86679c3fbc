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
    /// The hyperbolic tangent, within 5.5 units in the last place and 2e-7.
    Tanh,
    /// `1 / (1 + exp(-x))`, within 1.5e-7.
    Sigmoid,
}

impl Activation {
    /// Applies it to all of `sums`, by one decision: one for each of them would take as long as the sums.
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
        // A loop that is too long to be written out would keep them there from the start.
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

/// `tanh(x) = 2 t / (1 + t^2)` with `t = tanh(x / 2) = n(x) / d(x)`: an error of `t` vanishes where
/// the result nears 1.
///
/// `n` is odd and `d` even; their ratio is the minimax fit to `tanh(x / 2)` on `0..9`, where an error
/// counts by what it does to the result: 1e-8 of it at most. All coefficients are positive, so that
/// nothing cancels. NaN stays, infinities give 1 exactly.
#[inline(always)]
fn tanh<S: Simd>(s: S, x: S::Vector) -> S::Vector {
    const N: [f32; 3] = [0.5, 0.014_864_872, 5.664_661_5e-5];
    const D: [f32; 4] = [1.0, 0.113_063_04, 0.001_201_924_4, 1.208_558e-6];
    // From here on the result is 1, however its terms are rounded.
    const LIMIT: f32 = 9.01;
    {
        let x = s.min(s.splat(LIMIT), s.max(s.splat(-LIMIT), x));
        let square = s.mul(x, x);
        let n = s.mul(x, horner::<S, 3>(s, square, N));
        let d = horner::<S, 4>(s, square, D);
        let t = s.quotient(s.mul(s.add(n, n), d), s.mul_add(n, n, s.mul(d, d)));
        s.min(s.splat(1.0), s.max(s.splat(-1.0), t))
    }
}

/// The polynomial with these coefficients, the constant first.
#[inline(always)]
fn horner<S: Simd, const N: usize>(s: S, x: S::Vector, coefficients: [f32; N]) -> S::Vector {
    let mut sum = s.splat(coefficients[N - 1]);
    for i in (0..N - 1).rev() {
        sum = s.mul_add(sum, x, s.splat(coefficients[i]));
    }
    sum
}
