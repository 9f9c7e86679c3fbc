//! Activations, applied to sums in registers.

use std::f32::consts::FRAC_1_SQRT_2;

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
    /// `x` if it is positive, else `slope * x`.
    LeakyRelu {
        /// Factor of negative numbers, finite.
        slope: f32,
    },
    /// `min(max(alpha * x + beta, 0), 1)`.
    HardSigmoid {
        /// Factor, finite.
        alpha: f32,
        /// Summand, finite.
        beta: f32,
    },
    /// `x * min(max(x + 3, 0), 6) / 6`.
    HardSwish,
    /// `x / (1 + exp(-x))`, also called swish, within `2e-7 * max(1, |x|)`.
    Silu,
    /// Gaussian error linear unit, `x * (1 + erf(x / sqrt(2))) / 2`, within `2e-7 * max(1, |x|)`.
    Gelu,
}

impl Activation {
    /// Whether the activation never decreases: `x <= y` implies `f(x) <= f(y)`. Only such an
    /// activation commutes with a maximum.
    pub fn is_monotone(self) -> bool {
        match self {
            Self::Identity | Self::Relu | Self::Clamp { .. } | Self::Tanh | Self::Sigmoid => true,
            Self::LeakyRelu { slope } => slope >= 0.0,
            Self::HardSigmoid { alpha, .. } => alpha >= 0.0,
            Self::HardSwish | Self::Silu | Self::Gelu => false,
        }
    }

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
            Self::LeakyRelu { slope } => in_memory!(Self::LeakyRelu { slope }),
            Self::HardSigmoid { alpha, beta } => in_memory!(Self::HardSigmoid { alpha, beta }),
            Self::HardSwish => in_memory!(Self::HardSwish),
            Self::Silu => in_memory!(Self::Silu),
            Self::Gelu => in_memory!(Self::Gelu),
        }
    }

    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, s: S, x: S::Vector) -> S::Vector {
        match self {
            Self::Identity => x,
            Self::Relu => s.max(s.zero(), x),
            Self::Clamp { low, high } => s.min(s.splat(high), s.max(s.splat(low), x)),
            Self::Tanh => tanh::<S>(s, x),
            Self::Sigmoid => sigmoid::<S>(s, x),
            Self::LeakyRelu { slope } => {
                // One of the two terms is 0.
                let positive = s.max(s.zero(), x);
                s.mul_add(s.splat(slope), s.min(s.zero(), x), positive)
            }
            Self::HardSigmoid { alpha, beta } => {
                let sum = s.mul_add(s.splat(alpha), x, s.splat(beta));
                s.min(s.splat(1.0), s.max(s.zero(), sum))
            }
            Self::HardSwish => {
                let gate = s.max(s.zero(), s.add(x, s.splat(3.0)));
                let gate = s.min(s.splat(6.0), gate);
                s.mul(s.mul(x, s.splat(1.0 / 6.0)), gate)
            }
            Self::Silu => s.mul(x, sigmoid::<S>(s, x)),
            Self::Gelu => {
                let half = s.mul(s.splat(0.5), x);
                let x = s.mul(s.splat(FRAC_1_SQRT_2), x);
                s.mul_add(half, erf::<S>(s, x), half)
            }
        }
    }
}

/// `1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2`.
#[inline(always)]
fn sigmoid<S: Simd>(s: S, x: S::Vector) -> S::Vector {
    let half = s.splat(0.5);
    s.mul_add(half, tanh::<S>(s, s.mul(half, x)), half)
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

/// Error function: a quotient of polynomials, whose coefficients are those of Eigen and XLA. NaN
/// gives NaN, infinities give exactly ±1.
#[inline(always)]
pub(crate) fn erf<S: Simd>(s: S, x: S::Vector) -> S::Vector {
    const N: [f32; 7] = [
        -1.609_603_3e-2,
        -2.954_599_8e-3,
        -7.349_906e-4,
        -5.692_506_4e-5,
        -2.101_024e-6,
        2.770_681_4e-8,
        -2.726_142_3e-10,
    ];
    const D: [f32; 5] = [
        -1.426_473_9e-2,
        -7.373_329e-3,
        -1.682_827e-3,
        -2.133_740_6e-4,
        -1.456_607_2e-5,
    ];
    const LIMIT: f32 = 4.0;
    let x = s.min(s.splat(LIMIT), s.max(s.splat(-LIMIT), x));
    let square = s.mul(x, x);
    let n = s.mul(x, horner::<S, 7>(s, square, N));
    let quotient = s.div(n, horner::<S, 5>(s, square, D));
    s.min(s.splat(1.0), s.max(s.splat(-1.0), quotient))
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
