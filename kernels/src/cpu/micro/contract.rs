//! Sums of products of elements at any strides.

use super::simd::{MAX_LANES, MicroKernel, Simd};

/// Adjacent sums of products. Strides are in elements.
pub(crate) struct ContractArgs {
    /// The factors of the first term of the first sum.
    pub factors: [*const f32; 2],
    /// Number of sums, and strides of both factors from one sum to the next.
    pub columns: usize,
    pub column: [isize; 2],
    /// Numbers of terms along each inner axis, outermost first, and strides of both factors.
    pub inner: *const [(usize, [isize; 2])],
    pub y: *mut f32,
}

/// Sums of products.
///
/// # Safety
///
/// All memory that [`ContractArgs`] describes is readable, and the memory of `y` is writable.
pub(crate) struct SumProducts;

/// Vectors of columns that share the broadcast factor.
const VECTORS: usize = 4;

/// Columns whose sums are computed at a time where terms are adjacent.
const COLUMNS: usize = 4;

/// Most axes of terms.
const MAX_AXES: usize = 16;

/// Calls `$run` with the factors of the first term along the last axis for all indices along the
/// other axes.
macro_rules! for_each_run {
    ($inner:expr, $factors:expr, |$a:ident, $b:ident| $run:expr) => {{
        let outer = $inner.len() - 1;
        let mut indices = [0; MAX_AXES];
        let [mut $a, mut $b] = $factors;
        'runs: loop {
            $run;
            let mut axis = outer;
            loop {
                if axis == 0 {
                    break 'runs;
                }
                axis -= 1;
                let (length, [a_step, b_step]) = $inner[axis];
                indices[axis] += 1;
                $a = $a.wrapping_offset(a_step);
                $b = $b.wrapping_offset(b_step);
                if indices[axis] < length {
                    break;
                }
                indices[axis] = 0;
                let length = length as isize;
                $a = $a.wrapping_offset(a_step.wrapping_mul(-length));
                $b = $b.wrapping_offset(b_step.wrapping_mul(-length));
            }
        }
    }};
}

impl MicroKernel for SumProducts {
    type Args = ContractArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, args: &ContractArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let inner = &*args.inner;
            let (_, last) = inner[inner.len() - 1];
            match args.column {
                [0, 1] => broadcast::<S, 0>(s, args, inner),
                [1, 0] => broadcast::<S, 1>(s, args, inner),
                _ if last == [1, 1] => {
                    let mut column = 0;
                    while column + COLUMNS <= args.columns {
                        dot::<S, COLUMNS>(s, args, inner, column);
                        column += COLUMNS;
                    }
                    while column < args.columns {
                        dot::<S, 1>(s, args, inner, column);
                        column += 1;
                    }
                }
                _ => {
                    for column in 0..args.columns {
                        strided(args, inner, column);
                    }
                }
            }
        }
    }
}

/// Sums of which factor number `CONSTANT` is the same in all columns, and the other factors are
/// adjacent.
#[inline(always)]
unsafe fn broadcast<S: Simd, const CONSTANT: usize>(
    s: S,
    args: &ContractArgs,
    inner: &[(usize, [isize; 2])],
) {
    let mut column = 0;
    // SAFETY: as the caller guarantees.
    unsafe {
        while column + VECTORS * S::LANES <= args.columns {
            broadcast_tile::<S, CONSTANT, VECTORS>(s, args, inner, column);
            column += VECTORS * S::LANES;
        }
        while column + S::LANES <= args.columns {
            broadcast_tile::<S, CONSTANT, 1>(s, args, inner, column);
            column += S::LANES;
        }
        while column < args.columns {
            strided(args, inner, column);
            column += 1;
        }
    }
}

#[inline(always)]
unsafe fn broadcast_tile<S: Simd, const CONSTANT: usize, const N: usize>(
    s: S,
    args: &ContractArgs,
    inner: &[(usize, [isize; 2])],
    column: usize,
) {
    let (terms, steps) = inner[inner.len() - 1];
    let mut factors = args.factors;
    factors[1 - CONSTANT] = factors[1 - CONSTANT].wrapping_add(column);
    let mut sums = [s.zero(); N];
    for_each_run!(inner, factors, |a, b| {
        let mut factors = [a, b];
        for _ in 0..terms {
            // SAFETY: as the caller guarantees.
            unsafe {
                let factor = s.splat(*factors[CONSTANT]);
                let others = factors[1 - CONSTANT];
                for i in 0..N {
                    let other = s.load(others.add(i * S::LANES));
                    sums[i] = s.mul_add(factor, other, sums[i]);
                }
            }
            for i in 0..2 {
                factors[i] = factors[i].wrapping_offset(steps[i]);
            }
        }
    });
    for i in 0..N {
        // SAFETY: as the caller guarantees.
        unsafe { s.store(args.y.add(column + i * S::LANES), sums[i]) };
    }
}

/// Sums of adjacent terms.
#[inline(always)]
unsafe fn dot<S: Simd, const N: usize>(
    s: S,
    args: &ContractArgs,
    inner: &[(usize, [isize; 2])],
    column: usize,
) {
    let (terms, _) = inner[inner.len() - 1];
    let [a_column, b_column] = args.column;
    let at = |i: usize, step: isize| step.wrapping_mul((column + i) as isize);
    let mut sums = [s.zero(); N];
    let mut rests = [0.0; N];
    for_each_run!(inner, args.factors, |a, b| {
        let mut term = 0;
        // SAFETY: as the caller guarantees.
        unsafe {
            while term + S::LANES <= terms {
                for i in 0..N {
                    let a = s.load(a.wrapping_offset(at(i, a_column)).add(term));
                    let b = s.load(b.wrapping_offset(at(i, b_column)).add(term));
                    sums[i] = s.mul_add(a, b, sums[i]);
                }
                term += S::LANES;
            }
            while term < terms {
                for i in 0..N {
                    let a = *a.wrapping_offset(at(i, a_column)).add(term);
                    let b = *b.wrapping_offset(at(i, b_column)).add(term);
                    rests[i] += a * b;
                }
                term += 1;
            }
        }
    });
    for i in 0..N {
        let mut lanes = [0.0; MAX_LANES];
        // SAFETY: the array has at least as many elements as a vector; the rest is as the caller
        // guarantees.
        unsafe {
            s.store(lanes.as_mut_ptr(), sums[i]);
            // Halves are added, so that a sum has few roundings.
            let mut width = S::LANES / 2;
            while width > 0 {
                for lane in 0..width {
                    lanes[lane] += lanes[lane + width];
                }
                width /= 2;
            }
            *args.y.add(column + i) = lanes[0] + rests[i];
        }
    }
}

/// One sum at any strides.
#[inline(always)]
unsafe fn strided(args: &ContractArgs, inner: &[(usize, [isize; 2])], column: usize) {
    let (terms, [a_step, b_step]) = inner[inner.len() - 1];
    let factors = [0, 1].map(|factor| {
        let offset = args.column[factor].wrapping_mul(column as isize);
        args.factors[factor].wrapping_offset(offset)
    });
    let mut sums = [0.0_f32; 4];
    for_each_run!(inner, factors, |a, b| {
        let (mut x, mut y) = (a, b);
        for term in 0..terms {
            // SAFETY: as the caller guarantees.
            unsafe { sums[term % 4] += *x * *y };
            x = x.wrapping_offset(a_step);
            y = y.wrapping_offset(b_step);
        }
    });
    // SAFETY: as the caller guarantees.
    unsafe { *args.y.add(column) = (sums[0] + sums[1]) + (sums[2] + sums[3]) };
}

/// Entry point.
pub(crate) type ContractFn = unsafe fn(&ContractArgs);
