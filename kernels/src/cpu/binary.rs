//! Two maps, element by element.

use serde::{Deserialize, Serialize};

use super::accesses::AccessSet;
use super::activation::Activation;
use super::check::{CheckError, Memory, elementwise, ensure};
use super::context::Context;
use super::map::Map;
use super::output::Output;
use super::simd::{Kernel, Simd};

/// What is done with two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BinaryOp {
    /// The sum.
    Add,
    /// The difference.
    Sub,
    /// The product.
    Mul,
    /// The quotient.
    Div,
}

/// `a op b`, through an activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    op: BinaryOp,
    a: Map,
    b: Map,
    output: Output,
}

impl Binary {
    /// From `a` and `b` to the output's map, all of the same shape and in blocks of a vector's
    /// lanes. It may be one of them. The output has no residual.
    pub fn new(op: BinaryOp, a: Map, b: Map, output: Output) -> Self {
        Self { op, a, b, output }
    }

    /// What it reads and writes.
    pub(crate) fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.a, &self.b], &self.output.y)
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Output { y, residual, .. } = &self.output;
        ensure(residual.is_none(), "a residual")?;
        memory.map(y)?;
        for x in [&self.a, &self.b] {
            memory.map(x)?;
            elementwise(x, y)?;
        }
        Ok(())
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The maps are within the arena.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let Self { op, a, b, output } = self;
        let [a, b] = [a, b].map(|map| cx.here(map));
        let output = cx.output(output);
        let y = &output.y;
        unsafe { cx.zero_border(y) };
        let function = cx.kernels.binary.get(*op);
        for (image, block, rows) in cx.share_rows(y) {
            unsafe {
                function(&BinaryArgs {
                    a: cx.at(a.at(image, block, rows.start, 0)),
                    a_row: a.row,
                    b: cx.at(b.at(image, block, rows.start, 0)),
                    b_row: b.row,
                    y: cx.at(y.at(image, block, rows.start, 0)),
                    y_row: y.row,
                    rows: rows.len(),
                    width: y.width,
                    activation: output.activation,
                });
            }
        }
    }
}

/// Some rows of one block. Strides are in elements.
pub(super) struct BinaryArgs {
    a: *const f32,
    a_row: usize,
    b: *const f32,
    b_row: usize,
    y: *mut f32,
    y_row: usize,
    rows: usize,
    width: usize,
    activation: Activation,
}

/// The operation `OP`, a [`BinaryOp`], of each pair.
///
/// # Safety
///
/// All that [`BinaryArgs`] describes must be readable, and `y` writable.
struct Pairs<const OP: usize>;

const ADD: usize = BinaryOp::Add as usize;
const SUB: usize = BinaryOp::Sub as usize;
const MUL: usize = BinaryOp::Mul as usize;
const DIV: usize = BinaryOp::Div as usize;

impl<const OP: usize> Kernel for Pairs<OP> {
    type Args = BinaryArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(args: &BinaryArgs) {
        for row in 0..args.rows {
            for pixel in 0..args.width {
                let at = pixel * S::LANES;
                unsafe {
                    let a = S::load(args.a.add(row * args.a_row + at));
                    let b = S::load(args.b.add(row * args.b_row + at));
                    let y = match OP {
                        ADD => S::add(a, b),
                        SUB => S::sub(a, b),
                        MUL => S::mul(a, b),
                        _ => S::div(a, b),
                    };
                    S::store(
                        args.y.add(row * args.y_row + at),
                        args.activation.apply::<S>(y),
                    );
                }
            }
        }
    }
}

/// The address of an operation's code.
type BinaryFn = unsafe fn(&BinaryArgs);

/// The operations of an instruction set.
pub(super) struct BinaryFns([BinaryFn; 4]);

impl BinaryFns {
    pub fn of<S: Simd>() -> Self {
        Self([
            S::entry::<Pairs<ADD>>(),
            S::entry::<Pairs<SUB>>(),
            S::entry::<Pairs<MUL>>(),
            S::entry::<Pairs<DIV>>(),
        ])
    }

    fn get(&self, op: BinaryOp) -> BinaryFn {
        self.0[op as usize]
    }
}
