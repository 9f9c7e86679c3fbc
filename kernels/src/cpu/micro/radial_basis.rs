//! Squared distances of one image from one block of centers.

use super::simd::{MicroKernel, Simd};

/// One block of centers for one image. Strides are in elements.
pub(crate) struct RadialBasisArgs {
    /// First pixel of the image.
    pub x: *const f32,
    /// Channels, height and width of the image; channels of a block.
    pub shape: [usize; 3],
    pub lanes: usize,
    /// Strides from one row and from one block of channels to the next.
    pub x_row: usize,
    pub x_block: usize,
    pub centers: *const f32,
    pub y: *mut f32,
}

/// Squared distances from one block of centers.
///
/// # Safety
///
/// All memory that [`RadialBasisArgs`] describes is readable, and the memory of `y` is writable.
pub(crate) struct Distances;

impl MicroKernel for Distances {
    type Args = RadialBasisArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &RadialBasisArgs) {
        let [channels, height, width] = a.shape;
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let mut sum = s.zero();
            let mut centers = a.centers;
            for block in 0..channels.div_ceil(a.lanes) {
                let channels = a.lanes.min(channels - block * a.lanes);
                for row in 0..height {
                    for column in 0..width {
                        let at = block * a.x_block + row * a.x_row + column * a.lanes;
                        for channel in 0..channels {
                            let x = s.splat(*a.x.add(at + channel));
                            let difference = s.sub(x, s.load(centers));
                            sum = s.mul_add(difference, difference, sum);
                            centers = centers.add(S::LANES);
                        }
                    }
                }
            }
            s.store(a.y, sum);
        }
    }
}

/// Entry point.
pub(crate) type RadialBasisFn = unsafe fn(&RadialBasisArgs);
