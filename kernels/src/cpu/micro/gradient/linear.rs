//! Fully connected layers of few images: forward pass and gradients, row by row of the weight.

use crate::cpu::micro::prefetch::PAGE;
use crate::cpu::micro::simd::{MAX_LANES, MicroKernel, Simd};

/// Operands, of which one is written. Strides are in elements.
pub(crate) struct LinearArgs {
    pub x: *mut f32,
    pub x_row: usize,
    pub weight: *mut f32,
    pub y: *mut f32,
    /// Row stride of the weight and of `y`.
    pub row: usize,
    pub images: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// Whether sums are added to the weight gradient instead of written.
    pub accumulate: bool,
}

/// Entry points of an instruction set.
pub(crate) struct LinearFns {
    pub forward: unsafe fn(&LinearArgs),
    pub input: unsafe fn(&LinearArgs),
    pub weight: unsafe fn(&LinearArgs),
}

impl LinearFns {
    pub fn of<S: Simd>() -> Self {
        Self {
            forward: S::entry::<Forward>(),
            input: S::entry::<Input>(),
            weight: S::entry::<Weight>(),
        }
    }
}

/// Evaluates an expression for tiles of at most 2 rows by 4 images, with both numbers as constants.
macro_rules! in_tiles {
    ($a:expr, |$i:ident, $r:ident, $n:ident, $p:ident| $run:expr) => {{
        let mut $i = 0;
        while $i < $a.inputs {
            let rows = if $i + 2 <= $a.inputs { 2 } else { 1 };
            let mut $n = 0;
            while $n < $a.images {
                let images = ($a.images - $n).min(4);
                match (rows, images) {
                    (2, 4) => {
                        const $r: usize = 2;
                        const $p: usize = 4;
                        $run
                    }
                    (2, 3) => {
                        const $r: usize = 2;
                        const $p: usize = 3;
                        $run
                    }
                    (2, 2) => {
                        const $r: usize = 2;
                        const $p: usize = 2;
                        $run
                    }
                    (2, 1) => {
                        const $r: usize = 2;
                        const $p: usize = 1;
                        $run
                    }
                    (1, 4) => {
                        const $r: usize = 1;
                        const $p: usize = 4;
                        $run
                    }
                    (1, 3) => {
                        const $r: usize = 1;
                        const $p: usize = 3;
                        $run
                    }
                    (1, 2) => {
                        const $r: usize = 1;
                        const $p: usize = 2;
                        $run
                    }
                    _ => {
                        const $r: usize = 1;
                        const $p: usize = 1;
                        $run
                    }
                }
                $n += images;
            }
            $i += rows;
        }
    }};
}

/// Adds `x weight` to `y`.
///
/// # Safety
///
/// All memory that [`LinearArgs`] describes is readable, and the memory of the result is writable.
struct Forward;

/// Rows of the weight that are added at once.
const ROWS: usize = 4;

impl MicroKernel for Forward {
    type Args = LinearArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &LinearArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let whole = a.inputs / ROWS * ROWS;
            for i in (0..whole).step_by(ROWS) {
                forward_rows::<S, ROWS>(s, a, i);
            }
            for i in whole..a.inputs {
                forward_rows::<S, 1>(s, a, i);
            }
        }
    }
}

#[inline(always)]
unsafe fn forward_rows<S: Simd, const R: usize>(s: S, a: &LinearArgs, i: usize) {
    // SAFETY: as the caller guarantees.
    unsafe {
        let weight = a.weight.add(i * a.row);
        let whole = a.outputs / S::LANES * S::LANES;
        for image in 0..a.images {
            let x = a.x.add(image * a.x_row + i);
            let y = a.y.add(image * a.row);
            let mut factors = [s.zero(); R];
            for (r, factor) in factors.iter_mut().enumerate() {
                *factor = s.splat(*x.add(r));
            }
            let mut o = 0;
            while o < whole {
                let mut sum = s.load(y.add(o));
                for (r, factor) in factors.iter().enumerate() {
                    let weight = weight.add(r * a.row + o);
                    if image == 0 {
                        s.prefetch_l1(weight.wrapping_add(PAGE));
                    }
                    sum = s.mul_add(*factor, s.load(weight), sum);
                }
                s.store(y.add(o), sum);
                o += S::LANES;
            }
            for o in whole..a.outputs {
                for r in 0..R {
                    *y.add(o) += *x.add(r) * *weight.add(r * a.row + o);
                }
            }
        }
    }
}

/// Adds `y weight'` to `x`.
///
/// # Safety
///
/// As [`Forward`].
struct Input;

impl MicroKernel for Input {
    type Args = LinearArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &LinearArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            in_tiles!(a, |i, R, n, P| input_tile::<S, R, P>(s, a, i, n));
        }
    }
}

#[inline(always)]
unsafe fn input_tile<S: Simd, const R: usize, const P: usize>(
    s: S,
    a: &LinearArgs,
    i: usize,
    n: usize,
) {
    // SAFETY: as the caller guarantees.
    unsafe {
        let weight = a.weight.add(i * a.row);
        let y = a.y.add(n * a.row);
        let whole = a.outputs / S::LANES * S::LANES;
        let mut sums = [[s.zero(); P]; R];
        let mut o = 0;
        while o < whole {
            let mut weights = [s.zero(); R];
            for (r, vector) in weights.iter_mut().enumerate() {
                *vector = s.load(weight.add(r * a.row + o));
            }
            for p in 0..P {
                let y = s.load(y.add(p * a.row + o));
                for r in 0..R {
                    sums[r][p] = s.mul_add(y, weights[r], sums[r][p]);
                }
            }
            o += S::LANES;
        }
        for r in 0..R {
            for p in 0..P {
                let mut values = [0.0_f32; MAX_LANES];
                s.store(values.as_mut_ptr(), sums[r][p]);
                let mut sum: f32 = values.iter().sum();
                for o in whole..a.outputs {
                    sum += *y.add(p * a.row + o) * *weight.add(r * a.row + o);
                }
                *a.x.add((n + p) * a.x_row + i + r) += sum;
            }
        }
    }
}

/// Sums `x' y` over the images into the weight.
///
/// # Safety
///
/// As [`Forward`].
struct Weight;

impl MicroKernel for Weight {
    type Args = LinearArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &LinearArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            in_tiles!(a, |i, R, n, P| weight_tile::<S, R, P>(s, a, i, n));
        }
    }
}

#[inline(always)]
unsafe fn weight_tile<S: Simd, const R: usize, const P: usize>(
    s: S,
    a: &LinearArgs,
    i: usize,
    n: usize,
) {
    // SAFETY: as the caller guarantees.
    unsafe {
        let weight = a.weight.add(i * a.row);
        let (x, y) = (a.x.add(n * a.x_row + i), a.y.add(n * a.row));
        let accumulate = a.accumulate || n > 0;
        let whole = a.outputs / S::LANES * S::LANES;
        let mut factors = [[s.zero(); P]; R];
        for (r, factors) in factors.iter_mut().enumerate() {
            for (p, factor) in factors.iter_mut().enumerate() {
                *factor = s.splat(*x.add(p * a.x_row + r));
            }
        }
        let mut o = 0;
        while o < whole {
            let mut sums = [s.zero(); R];
            if accumulate {
                for (r, sum) in sums.iter_mut().enumerate() {
                    *sum = s.load(weight.add(r * a.row + o));
                }
            }
            for p in 0..P {
                let y = s.load(y.add(p * a.row + o));
                for r in 0..R {
                    sums[r] = s.mul_add(factors[r][p], y, sums[r]);
                }
            }
            for (r, sum) in sums.into_iter().enumerate() {
                s.store(weight.add(r * a.row + o), sum);
            }
            o += S::LANES;
        }
        for r in 0..R {
            for o in whole..a.outputs {
                let to = weight.add(r * a.row + o);
                let mut sum = if accumulate { *to } else { 0.0 };
                for p in 0..P {
                    sum += *x.add(p * a.x_row + r) * *y.add(p * a.row + o);
                }
                *to = sum;
            }
        }
    }
}
