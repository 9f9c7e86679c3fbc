//! Portable code: arithmetic on arrays of 4 elements.

use super::instruction_set::{MicroKernel, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Scalar(());

const LANES: usize = 4;

#[inline(always)]
fn map(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Simd for Scalar {
    const LANES: usize = LANES;
    const MR: usize = 4;
    type Vector = [f32; LANES];

    #[inline(always)]
    fn zero(self) -> [f32; LANES] {
        [0.0; LANES]
    }
    #[inline(always)]
    fn splat(self, x: f32) -> [f32; LANES] {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; LANES] {
        // SAFETY: the caller guarantees the memory.
        unsafe { from.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: [f32; LANES]) {
        // SAFETY: the caller guarantees the memory.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(x) }
    }
    #[inline(always)]
    fn add(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn sqrt(self, x: [f32; LANES]) -> [f32; LANES] {
        x.map(f32::sqrt)
    }
    #[inline(always)]
    fn swap_halves(self, mut x: [f32; LANES]) -> [f32; LANES] {
        x.rotate_left(LANES / 2);
        x
    }
    #[inline(always)]
    fn mul_add(self, a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        map(map(a, b, |a, b| a * b), c, |ab, c| ab + c)
    }
    #[inline(always)]
    fn neg_mul_add(self, a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        map(map(a, b, |a, b| a * b), c, |ab, c| c - ab)
    }
    #[inline(always)]
    fn max(self, bound: [f32; LANES], x: [f32; LANES]) -> [f32; LANES] {
        map(bound, x, |bound, x| if bound > x { bound } else { x })
    }
    #[inline(always)]
    fn where_positive(self, condition: [f32; LANES], x: [f32; LANES]) -> [f32; LANES] {
        map(
            condition,
            x,
            |condition, x| {
                if condition > 0.0 { x } else { 0.0 }
            },
        )
    }
    #[inline(always)]
    fn min(self, bound: [f32; LANES], x: [f32; LANES]) -> [f32; LANES] {
        map(bound, x, |bound, x| if bound < x { bound } else { x })
    }

    #[inline(always)]
    unsafe fn unpack(self, from: *const f32) -> [[f32; LANES]; 4] {
        // SAFETY: the caller guarantees the memory.
        unsafe {
            let from: [[u32; LANES]; 3] = from.cast::<[[u32; LANES]; 3]>().read_unaligned();
            let mut numbers = [[0.0; LANES]; 4];
            for lane in 0..LANES {
                let [a, b, c] = [from[0][lane], from[1][lane], from[2][lane]];
                let d = a << 24 | (b & 0xff) << 16 | (c & 0xff) << 8;
                for (number, bits) in numbers.iter_mut().zip([a, b, c, d]) {
                    number[lane] = bits.cast_signed() as f32;
                }
            }
            numbers
        }
    }

    fn entry<K: MicroKernel>() -> unsafe fn(&K::Args) {
        unsafe fn compiled<K: MicroKernel>(args: &K::Args) {
            // SAFETY: the caller guarantees the arguments.
            unsafe { K::run(Scalar(()), args) }
        }
        compiled::<K>
    }
}
