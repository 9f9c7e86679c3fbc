//! Elementwise operations on rows of two maps.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::simd::{MAX_LANES, MicroKernel, Simd};

/// An elementwise operation on `a` and `b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BinaryOp {
    /// Sum.
    Add,
    /// Difference `a - b`.
    Sub,
    /// Product.
    Mul,
    /// Quotient `a / b`.
    Div,
    /// Minimum; NaN where either is NaN.
    Min,
    /// Maximum; NaN where either is NaN.
    Max,
    /// `a` to the power of `b`.
    Pow,
    /// `a` where it is positive, elsewhere `a * b`.
    Prelu,
}

/// Rows of one block. Strides are in elements.
pub(crate) struct BinaryArgs {
    pub a: *const f32,
    pub a_row: usize,
    pub b: *const f32,
    pub b_row: usize,
    /// Whether all pixels have the same `b`, the pixel at `b`.
    pub is_b_constant: bool,
    pub y: *mut f32,
    pub y_row: usize,
    pub rows: usize,
    pub width: usize,
    /// Channels of the block: lanes beyond them become 0, before the activation.
    pub channels: usize,
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
const MAX: usize = BinaryOp::Max as usize;
const POW: usize = BinaryOp::Pow as usize;
const PRELU: usize = BinaryOp::Prelu as usize;

/// `a OP b`.
#[inline(always)]
fn apply<S: Simd, const OP: usize>(s: S, a: S::Vector, b: S::Vector) -> S::Vector {
    match OP {
        ADD => s.add(a, b),
        SUB => s.sub(a, b),
        MUL => s.mul(a, b),
        DIV => s.div(a, b),
        MIN => {
            // `min` keeps a NaN of `b`. Clamping `a` to 0 leaves a NaN of `a`, which is added.
            let nan = s.min(s.zero(), s.max(s.zero(), a));
            s.add(s.min(a, b), nan)
        }
        MAX => s.maximum(a, b),
        POW => {
            let [mut power, mut exponents] = [[0.0; MAX_LANES]; 2];
            // SAFETY: the arrays have at least as many elements as a vector.
            unsafe {
                s.store(power.as_mut_ptr(), a);
                s.store(exponents.as_mut_ptr(), b);
                for lane in 0..S::LANES {
                    power[lane] = power[lane].powf(exponents[lane]);
                }
                s.load(power.as_ptr())
            }
        }
        PRELU => {
            // One of the two terms is 0.
            let positive = s.max(s.zero(), a);
            let negative = s.where_positive(s.sub(s.zero(), a), s.mul(a, b));
            s.add(positive, negative)
        }
        _ => unreachable!(),
    }
}

impl<const OP: usize> MicroKernel for Elementwise<OP> {
    type Args = BinaryArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, args: &BinaryArgs) {
        let mut used = [0.0; MAX_LANES];
        for lane in 0..args.channels.min(S::LANES) {
            used[lane] = 1.0;
        }
        // SAFETY: the array has at least as many elements as a vector.
        let used = unsafe { s.load(used.as_ptr()) };
        macro_rules! result {
            ($a:expr, $b:expr) => {{
                let y = apply::<S, OP>(s, $a, $b);
                s.where_positive(used, y)
            }};
        }
        for row in 0..args.rows {
            // SAFETY: the caller guarantees the memory that the arguments describe.
            unsafe {
                let a = args.a.add(row * args.a_row);
                let y = args.y.add(row * args.y_row);
                if args.is_b_constant {
                    let b = s.load(args.b);
                    for pixel in 0..args.width {
                        let at = pixel * S::LANES;
                        s.store(y.add(at), result!(s.load(a.add(at)), b));
                    }
                } else {
                    let b = args.b.add(row * args.b_row);
                    for pixel in 0..args.width {
                        let at = pixel * S::LANES;
                        s.store(y.add(at), result!(s.load(a.add(at)), s.load(b.add(at))));
                    }
                }
                if args.activation != Activation::Identity {
                    // The row is in the cache.
                    args.activation.apply_to_row::<S>(y, args.width);
                }
            }
        }
    }
}

/// Entry point of an operation.
pub(crate) type BinaryFn = unsafe fn(&BinaryArgs);

/// Operations of an instruction set.
pub(crate) struct BinaryFns([BinaryFn; 8]);

impl BinaryFns {
    pub fn of<S: Simd>() -> Self {
        Self([
            S::entry::<Elementwise<ADD>>(),
            S::entry::<Elementwise<SUB>>(),
            S::entry::<Elementwise<MUL>>(),
            S::entry::<Elementwise<DIV>>(),
            S::entry::<Elementwise<MIN>>(),
            S::entry::<Elementwise<MAX>>(),
            S::entry::<Elementwise<POW>>(),
            S::entry::<Elementwise<PRELU>>(),
        ])
    }

    pub fn get(&self, op: BinaryOp) -> BinaryFn {
        self.0[op as usize]
    }
}
