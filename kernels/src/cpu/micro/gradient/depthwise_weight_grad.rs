//! Gradient of a depthwise weight: sums over pixels of input times output gradient, channel by
//! channel.

use crate::cpu::micro::simd::{MicroKernel, Simd};

/// One block of channels. Strides are in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DepthwiseWeightGradArgs {
    /// First tap of the first pixel, and strides from one image, row and pixel to the next.
    pub x: *const f32,
    pub x_image: usize,
    pub x_row: usize,
    pub x_pixel: usize,
    /// Vertical and horizontal strides between taps, and their numbers.
    pub x_tap: [usize; 2],
    pub kernel: [usize; 2],
    /// Output gradient of the first pixel; pixels of a row are adjacent.
    pub gradient: *const f32,
    pub gradient_image: usize,
    pub gradient_row: usize,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// One vector per tap, to which the sums are added.
    pub sums: *mut f32,
}

/// Whether the 3x3 micro-kernel applies.
pub(crate) fn is_three_by_three(kernel: [usize; 2]) -> bool {
    kernel == [3, 3]
}

/// `N x N` kernels, whose sums stay in registers; or any kernel, one tap at a time, if `N` is 1.
///
/// # Safety
///
/// All memory that [`DepthwiseWeightGradArgs`] describes is readable, and the memory of the sums
/// is writable.
pub(crate) struct DepthwiseWeightGrad<const N: usize>;

impl<const N: usize> MicroKernel for DepthwiseWeightGrad<N> {
    type Args = DepthwiseWeightGradArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &DepthwiseWeightGradArgs) {
        let [down, across] = if N == 1 { a.kernel } else { [1, 1] };
        for first in 0..down * across {
            let tap_offset = first / across * a.x_tap[0] + first % across * a.x_tap[1];
            for image in 0..a.images {
                for row in 0..a.rows {
                    // SAFETY: the caller guarantees the memory that the arguments describe.
                    unsafe {
                        let mut x = a.x.add(tap_offset + image * a.x_image + row * a.x_row);
                        let from = image * a.gradient_image + row * a.gradient_row;
                        let mut gradient = a.gradient.add(from);
                        // Sums of a row are completed before they are added, which keeps rounding
                        // errors small.
                        let mut sums = [[s.zero(); N]; N];
                        for _ in 0..a.columns {
                            let vector = s.load(gradient);
                            for (i, sums) in sums.iter_mut().enumerate() {
                                for (j, sum) in sums.iter_mut().enumerate() {
                                    let tap = x.wrapping_add(i * a.x_tap[0] + j * a.x_tap[1]);
                                    *sum = s.mul_add(s.load(tap), vector, *sum);
                                }
                            }
                            x = x.wrapping_add(a.x_pixel);
                            gradient = gradient.wrapping_add(S::LANES);
                        }
                        for (i, sum) in sums.into_iter().flatten().enumerate() {
                            let to = a.sums.add((first + i) * S::LANES);
                            s.store(to, s.add(s.load(to), sum));
                        }
                    }
                }
            }
        }
    }
}

/// Entry point.
pub(crate) type DepthwiseWeightGradFn = unsafe fn(&DepthwiseWeightGradArgs);
