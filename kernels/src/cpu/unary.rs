//! A function of each element.

use serde::{Deserialize, Serialize};

use super::accesses::AccessSet;
use super::activation::Activation;
use super::check::{CheckError, Memory, elementwise};
use super::context::Context;
use super::map::Map;
use super::simd::{Kernel, Simd};

/// An activation by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unary {
    x: Map,
    y: Map,
    activation: Activation,
}

impl Unary {
    /// From `x` to `y` of the same shape, both in blocks of a vector's lanes. `y` may be `x`.
    pub fn new(x: Map, y: Map, activation: Activation) -> Self {
        Self { x, y, activation }
    }

    /// What it reads and writes.
    pub(crate) fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        memory.map(&self.x)?;
        memory.map(&self.y)?;
        elementwise(&self.x, &self.y)
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The maps are within the arena.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let Self { x, y, activation } = self;
        let [x, y] = &[x, y].map(|map| cx.here(map));
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.share_rows(y) {
            unsafe {
                (cx.kernels.unary)(&UnaryArgs {
                    x: cx.at(x.at(image, block, rows.start, 0)),
                    x_row: x.row,
                    y: cx.at(y.at(image, block, rows.start, 0)),
                    y_row: y.row,
                    rows: rows.len(),
                    width: y.width,
                    activation: *activation,
                });
            }
        }
    }
}

/// Some rows of one block. Strides are in elements.
pub(super) struct UnaryArgs {
    x: *const f32,
    x_row: usize,
    y: *mut f32,
    y_row: usize,
    rows: usize,
    width: usize,
    activation: Activation,
}

/// The activation of each element.
///
/// # Safety
///
/// All that [`UnaryArgs`] describes must be readable, and `y` writable.
pub(super) struct Each;

impl Kernel for Each {
    type Args = UnaryArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &UnaryArgs) {
        for row in 0..a.rows {
            for pixel in 0..a.width {
                let at = pixel * S::LANES;
                unsafe {
                    let x = S::load(a.x.add(row * a.x_row + at));
                    S::store(a.y.add(row * a.y_row + at), a.activation.apply::<S>(x));
                }
            }
        }
    }
}

/// The address of its code.
pub(super) type UnaryFn = unsafe fn(&UnaryArgs);
