//! Activation of rows of a map.

use super::activation::Activation;
use super::simd::{MicroKernel, Simd};

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
