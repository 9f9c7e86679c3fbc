//! Activation of rows of a map.

use super::activation::Activation;
use super::simd::{Kernel, Simd};

/// Some rows of one block. Strides are in elements.
pub(crate) struct UnaryArgs {
    pub x: *const f32,
    pub x_row: usize,
    pub y: *mut f32,
    pub y_row: usize,
    pub rows: usize,
    pub width: usize,
    pub activation: Activation,
}

/// The activation of each element.
///
/// # Safety
///
/// All that [`UnaryArgs`] describes must be readable, and `y` writable.
pub(crate) struct Each;

impl Kernel for Each {
    type Args = UnaryArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &UnaryArgs) {
        for row in 0..a.rows {
            for pixel in 0..a.width {
                let at = pixel * S::LANES;
                unsafe {
                    let x = s.load(a.x.add(row * a.x_row + at));
                    s.store(a.y.add(row * a.y_row + at), a.activation.apply::<S>(s, x));
                }
            }
        }
    }
}

/// The address of its code.
pub(crate) type UnaryFn = unsafe fn(&UnaryArgs);
