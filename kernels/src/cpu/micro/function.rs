//! Functions of the elements of a row.

use std::f32::consts::{FRAC_2_SQRT_PI, SQRT_2};

use serde::{Deserialize, Serialize};

use super::activation::erf;
use super::simd::{MAX_LANES, MicroKernel, Simd};

/// A function of one number. Results are within `1e-6` of their size where the function is
/// well-conditioned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Function {
    /// `x` if it is positive, else `alpha * (exp(x) - 1)`.
    Elu {
        /// Factor of negative numbers.
        alpha: f32,
    },
    /// `scale * x` if `x` is positive, else `scale * alpha * (exp(x) - 1)`.
    Selu {
        /// Factor of negative numbers.
        alpha: f32,
        /// Factor of all numbers.
        scale: f32,
    },
    /// `x` if it is positive, else `alpha * (exp(x / alpha) - 1)`.
    Celu {
        /// Scale of negative numbers, not 0.
        alpha: f32,
    },
    /// `x` if it is greater than `alpha`, else 0.
    ThresholdedRelu {
        /// Threshold.
        alpha: f32,
    },
    /// `x * tanh(ln(1 + exp(x)))`.
    Mish,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2`.
    GeluTanh,
    /// Error function.
    Erf,
    /// Exponential function.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Square root.
    Sqrt,
    /// Absolute value.
    Abs,
    /// `-x`.
    Neg,
    /// `1 / x`.
    Reciprocal,
    /// 1 if `x` is positive, -1 if it is negative, 0 if it is 0.
    Sign,
    /// Largest integer that is not greater.
    Floor,
    /// Smallest integer that is not less.
    Ceil,
    /// Nearest integer, the even one of two.
    Round,
    /// Sine of an angle in radians.
    Sin,
    /// Cosine of an angle in radians.
    Cos,
}

/// `len` adjacent elements.
pub(crate) struct FunctionArgs {
    pub function: Function,
    pub x: *const f32,
    pub y: *mut f32,
    pub len: usize,
}

/// Function of every element.
///
/// # Safety
///
/// All memory that [`FunctionArgs`] describes is readable, and the memory of `y` is writable. `y`
/// is `x`, or they do not overlap.
pub(crate) struct ApplyFunction;

impl MicroKernel for ApplyFunction {
    type Args = FunctionArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &FunctionArgs) {
        macro_rules! each {
            ($x:ident => $y:expr) => {
                for at in 0..a.len {
                    // SAFETY: the caller guarantees the memory that the arguments describe.
                    unsafe {
                        let $x = *a.x.add(at);
                        *a.y.add(at) = $y;
                    }
                }
            };
        }
        match a.function {
            Function::Elu { alpha } => each!(x => elu(x, alpha)),
            Function::Selu { alpha, scale } => each!(x => scale * elu(x, alpha)),
            Function::Celu { alpha } => {
                each!(x => if x > 0.0 { x } else { alpha * (x / alpha).exp_m1() });
            }
            Function::ThresholdedRelu { alpha } => each!(x => if x <= alpha { 0.0 } else { x }),
            Function::Mish => each!(x => mish(x)),
            Function::Softplus => each!(x => softplus(x)),
            Function::Softsign => each!(x => x / (1.0 + x.abs())),
            Function::GeluTanh => each!(x => gelu_tanh(x)),
            // SAFETY: as the caller guarantees.
            Function::Erf => unsafe { erf_of_all::<S>(s, a) },
            Function::Exp => each!(x => x.exp()),
            Function::Ln => each!(x => x.ln()),
            Function::Sqrt => each!(x => x.sqrt()),
            Function::Abs => each!(x => x.abs()),
            Function::Neg => each!(x => -x),
            Function::Reciprocal => each!(x => 1.0 / x),
            Function::Sign => each!(x => sign(x)),
            Function::Floor => each!(x => x.floor()),
            Function::Ceil => each!(x => x.ceil()),
            Function::Round => each!(x => x.round_ties_even()),
            Function::Sin => each!(x => x.sin()),
            Function::Cos => each!(x => x.cos()),
        }
    }
}

/// Error function of every element, a vector at a time.
#[inline(always)]
unsafe fn erf_of_all<S: Simd>(s: S, a: &FunctionArgs) {
    let whole = a.len / S::LANES * S::LANES;
    let mut at = 0;
    // SAFETY: as the caller guarantees; the array is longer than the elements after the last vector.
    unsafe {
        while at < whole {
            s.store(a.y.add(at), erf::<S>(s, s.load(a.x.add(at))));
            at += S::LANES;
        }
        let mut rest = [0.0; MAX_LANES];
        for i in whole..a.len {
            rest[i - whole] = *a.x.add(i);
        }
        let results = erf::<S>(s, s.load(rest.as_ptr()));
        s.store(rest.as_mut_ptr(), results);
        for i in whole..a.len {
            *a.y.add(i) = rest[i - whole];
        }
    }
}

#[inline(always)]
fn elu(x: f32, alpha: f32) -> f32 {
    if x > 0.0 { x } else { alpha * x.exp_m1() }
}

/// `ln(1 + exp(x))` without overflow.
#[inline(always)]
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `tanh(ln(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2)` with `e = exp(x)`.
#[inline(always)]
fn mish(x: f32) -> f32 {
    // Beyond this value the factor is 1, and before the power overflows.
    let power = x.min(20.0).exp();
    let numerator = power * (power + 2.0);
    x * (numerator / (numerator + 2.0))
}

/// `(1 + tanh(z)) / 2 = 1 / (1 + exp(-2 z))`, without cancellation.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    // sqrt(2 / pi)
    const FACTOR: f32 = FRAC_2_SQRT_PI / SQRT_2;
    let z = FACTOR * (x + 0.044_715 * (x * x * x));
    x / (1.0 + (-2.0 * z).exp())
}

/// Zeros and NaN are their own sign.
#[inline(always)]
fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    }
}

/// Entry point.
pub(crate) type FunctionFn = unsafe fn(&FunctionArgs);
