//! Elementwise operations on rows of two maps.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::simd::{MicroKernel, Simd};

/// An elementwise operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BinaryOp {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// Smaller of both.
    Min,
    /// Larger of both.
    Max,
}

/// Rows of one block. Strides are in elements.
pub(crate) struct BinaryArgs {
    pub a: *const f32,
    pub a_row: usize,
    pub b: *const f32,
    pub b_row: usize,
    pub y: *mut f32,
    pub y_row: usize,
    pub rows: usize,
    pub width: usize,
    pub activation: Activation,
}

/// Elementwise operation `OP`, a [`BinaryOp`].
///
/// # Safety
///
/// All memory that [`BinaryArgs`] describes is readable, and the memory of `y` is writable.
struct Elementwise<const OP: usize>;

const ADD: usize = BinaryOp::Add as usize;

const SUB: usize = BinaryOp::Sub as usize;

const MUL: usize = BinaryOp::Mul as usize;

const DIV: usize = BinaryOp::Div as usize;

const MIN: usize = BinaryOp::Min as usize;

impl<const OP: usize> MicroKernel for Elementwise<OP> {
    type Args = BinaryArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, args: &BinaryArgs) {
        for row in 0..args.rows {
            for pixel in 0..args.width {
                let at = pixel * S::LANES;
                // SAFETY: the caller guarantees the memory that the arguments describe.
                unsafe {
                    let a = s.load(args.a.add(row * args.a_row + at));
                    let b = s.load(args.b.add(row * args.b_row + at));
                    let y = match OP {
                        ADD => s.add(a, b),
                        SUB => s.sub(a, b),
                        MUL => s.mul(a, b),
                        DIV => s.div(a, b),
                        MIN => s.min(a, b),
                        _ => s.max(a, b),
                    };
                    s.store(
                        args.y.add(row * args.y_row + at),
                        args.activation.apply::<S>(s, y),
                    );
                }
            }
        }
    }
}

/// Entry point of an operation.
pub(crate) type BinaryFn = unsafe fn(&BinaryArgs);

/// Operations of an instruction set.
pub(crate) struct BinaryFns([BinaryFn; 6]);

impl BinaryFns {
    pub fn of<S: Simd>() -> Self {
        Self([
            S::entry::<Elementwise<ADD>>(),
            S::entry::<Elementwise<SUB>>(),
            S::entry::<Elementwise<MUL>>(),
            S::entry::<Elementwise<DIV>>(),
            S::entry::<Elementwise<MIN>>(),
            S::entry::<Elementwise<{ BinaryOp::Max as usize }>>(),
        ])
    }

    pub fn get(&self, op: BinaryOp) -> BinaryFn {
        self.0[op as usize]
    }
}
