//! Activations, applied to sums in registers.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use serde::{Deserialize, Serialize};

use super::simd::{MicroKernel, Simd};

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
    /// `x / (1 + exp(-x))`, also called swish, within `2.5e-7 * max(1, |x|)`.
    Silu,
    /// Gaussian error linear unit, `x * (1 + erf(x / sqrt(2))) / 2`, within `3e-7 * max(1, |x|)`.
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
            // One function for all kernels of the instruction set: in each of them, these
            // activations would take most of the time of a build.
            Self::LeakyRelu { .. }
            | Self::HardSigmoid { .. }
            | Self::HardSwish
            | Self::Silu
            | Self::Gelu => {
                let mut copy = *sums;
                let memory: *mut f32 = copy.as_mut_ptr().cast();
                // SAFETY: the memory holds the vectors.
                unsafe { self.apply_to_row::<S>(memory, B * P) };
                *sums = copy;
            }
        }
    }

    /// Applies the activation to adjacent vectors in memory.
    ///
    /// # Safety
    ///
    /// The memory is readable and writable.
    #[inline(always)]
    pub(crate) unsafe fn apply_to_row<S: Simd>(self, row: *mut f32, vectors: usize) {
        // SAFETY: as the caller guarantees.
        unsafe {
            S::entry::<ApplyActivation>()(&UnaryArgs {
                x: row,
                x_row: 0,
                y: row,
                y_row: 0,
                rows: 1,
                width: vectors,
                activation: self,
            });
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

/// Error function, within 5e-7 of the result's size.
///
/// An odd and an even polynomial, the minimax fit of their ratio on `0..3.93`: at most 2e-8. NaN
/// gives NaN, infinities give exactly ±1.
#[inline(always)]
pub(crate) fn erf<S: Simd>(s: S, x: S::Vector) -> S::Vector {
    const N: [f32; 6] = [
        FRAC_2_SQRT_PI,
        0.190_784_51,
        0.052_790_258,
        0.003_779_609_2,
        0.000_284_803_62,
        2.041_899_3e-6,
    ];
    const D: [f32; 6] = [
        1.0,
        0.502_411_07,
        0.114_257_7,
        0.014_997_438,
        0.001_165_203_6,
        3.800_307_6e-5,
    ];
    // Where the ratio exceeds 1 by more than roundings.
    const LIMIT: f32 = 4.2;
    let x = s.min(s.splat(LIMIT), s.max(s.splat(-LIMIT), x));
    let square = s.mul(x, x);
    let n = s.mul(x, horner::<S, 6>(s, square, N));
    let quotient = s.quotient(n, horner::<S, 6>(s, square, D));
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

/// Rows of one block. Strides are in elements.
pub(crate) struct UnaryArgs {
    pub x: *const f32,
    pub x_row: usize,
    pub y: *mut f32,
    pub y_row: usize,
    pub rows: usize,
    pub width: usize,
    pub activation: Activation,
}

/// Activation of every element.
///
/// # Safety
///
/// All memory that [`UnaryArgs`] describes is readable, and the memory of `y` is writable.
pub(crate) struct ApplyActivation;

impl MicroKernel for ApplyActivation {
    type Args = UnaryArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &UnaryArgs) {
        macro_rules! each {
            ($activation:expr) => {
                for row in 0..a.rows {
                    for pixel in 0..a.width {
                        let at = pixel * S::LANES;
                        // SAFETY: the caller guarantees the memory that the arguments describe.
                        unsafe {
                            let x = s.load(a.x.add(row * a.x_row + at));
                            let y = $activation.apply::<S>(s, x);
                            s.store(a.y.add(row * a.y_row + at), y);
                        }
                    }
                }
            };
        }
        match a.activation {
            Activation::Identity => each!(Activation::Identity),
            Activation::Relu => each!(Activation::Relu),
            Activation::Clamp { low, high } => each!(Activation::Clamp { low, high }),
            Activation::Tanh => each!(Activation::Tanh),
            Activation::Sigmoid => each!(Activation::Sigmoid),
            Activation::LeakyRelu { slope } => each!(Activation::LeakyRelu { slope }),
            Activation::HardSigmoid { alpha, beta } => {
                each!(Activation::HardSigmoid { alpha, beta });
            }
            Activation::HardSwish => each!(Activation::HardSwish),
            Activation::Silu => each!(Activation::Silu),
            Activation::Gelu => each!(Activation::Gelu),
        }
    }
}

/// Entry point.
pub(crate) type UnaryFn = unsafe fn(&UnaryArgs);
