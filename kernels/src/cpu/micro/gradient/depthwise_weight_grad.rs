//! Sums over pixels of products of a channel with itself: the gradient of a depthwise weight.

use crate::cpu::micro::simd::{Kernel, Simd};

/// What is summed, of one block of channels. Strides are in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DepthwiseWeightGradArgs {
    /// The first tap of the first pixel; from one image, row and pixel to the next.
    pub x: *const f32,
    pub x_image: usize,
    pub x_row: usize,
    pub x_pixel: usize,
    /// From one tap to the next, down and across, and how many there are.
    pub x_tap: [usize; 2],
    pub kernel: [usize; 2],
    /// The gradient of the first pixel; adjacent pixels are side by side.
    pub gradient: *const f32,
    pub gradient_image: usize,
    pub gradient_row: usize,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// A vector for each tap, to which the sums are added.
    pub sums: *mut f32,
}

/// Whether [`DepthwiseWeightGrad<3>`] is for this kernel.
pub(crate) fn three(kernel: [usize; 2]) -> bool {
    kernel == [3, 3]
}

/// Kernels of `N` by `N`, whose sums stay in registers, or of any size, tap by tap, if `N` is 1.
///
/// # Safety
///
/// All that [`DepthwiseWeightGradArgs`] describes must be readable, and the sums writable.
pub(crate) struct DepthwiseWeightGrad<const N: usize>;

impl<const N: usize> Kernel for DepthwiseWeightGrad<N> {
    type Args = DepthwiseWeightGradArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &DepthwiseWeightGradArgs) {
        let [down, across] = if N == 1 { a.kernel } else { [1, 1] };
        for first in 0..down * across {
            let place = first / across * a.x_tap[0] + first % across * a.x_tap[1];
            for image in 0..a.images {
                for row in 0..a.rows {
                    unsafe {
                        let mut x = a.x.add(place + image * a.x_image + row * a.x_row);
                        let from = image * a.gradient_image + row * a.gradient_row;
                        let mut gradient = a.gradient.add(from);
                        // A row's sums are added to the others when they are complete, which keeps
                        // rounding small.
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

/// The address of its code.
pub(crate) type DepthwiseWeightGradFn = unsafe fn(&DepthwiseWeightGradArgs);
