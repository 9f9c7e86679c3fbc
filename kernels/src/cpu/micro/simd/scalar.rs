//! No instruction set: plain arithmetic in blocks of 4, on any machine.

use super::{Kernel, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Scalar;

const LANES: usize = 4;

#[inline(always)]
fn map(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Simd for Scalar {
    const LANES: usize = LANES;
    const TILE: usize = 4;
    type Vector = [f32; LANES];

    #[inline(always)]
    unsafe fn zero() -> [f32; LANES] {
        [0.0; LANES]
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; LANES] {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; LANES] {
        unsafe { from.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: [f32; LANES]) {
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn add(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn sqrt(x: [f32; LANES]) -> [f32; LANES] {
        x.map(f32::sqrt)
    }
    #[inline(always)]
    unsafe fn swap_halves(mut x: [f32; LANES]) -> [f32; LANES] {
        x.rotate_left(LANES / 2);
        x
    }
    #[inline(always)]
    unsafe fn mul_add(a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        map(map(a, b, |a, b| a * b), c, |ab, c| ab + c)
    }
    #[inline(always)]
    unsafe fn neg_mul_add(a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        map(map(a, b, |a, b| a * b), c, |ab, c| c - ab)
    }
    #[inline(always)]
    unsafe fn max(bound: [f32; LANES], x: [f32; LANES]) -> [f32; LANES] {
        map(bound, x, |bound, x| if bound > x { bound } else { x })
    }
    #[inline(always)]
    unsafe fn where_positive(condition: [f32; LANES], x: [f32; LANES]) -> [f32; LANES] {
        map(
            condition,
            x,
            |condition, x| {
                if condition > 0.0 { x } else { 0.0 }
            },
        )
    }
    #[inline(always)]
    unsafe fn min(bound: [f32; LANES], x: [f32; LANES]) -> [f32; LANES] {
        map(bound, x, |bound, x| if bound < x { bound } else { x })
    }

    #[inline(always)]
    unsafe fn unpack(from: *const f32) -> [[f32; LANES]; 4] {
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

    fn entry<K: Kernel>() -> unsafe fn(&K::Args) {
        unsafe fn compiled<K: Kernel>(args: &K::Args) {
            unsafe { K::run::<Scalar>(args) }
        }
        compiled::<K>
    }
}
