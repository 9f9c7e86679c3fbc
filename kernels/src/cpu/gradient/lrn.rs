//! Local response normalization across channels with the exponent 3/4, and its gradient.
//!
//! The micro-kernel computes all channels of one vector of pixels. A buffer of the thread holds the
//! intermediate values of each channel between the passes of the micro-kernel.

use crate::cpu::micro::gradient::{LrnGradArgs, LrnParams};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// Returns the normalization of `x`, `[images, channels, area]`; `shape` is `[channels, area]`.
///
/// # Panics
///
/// When `x` is not a whole number of images.
pub(crate) fn lrn(
    isa: Isa,
    threads: usize,
    x: &[f32],
    shape: [usize; 2],
    params: LrnParams,
) -> Vec<f32> {
    run(isa, threads, [x, &[]], shape, params)
}

/// Returns the gradient of the input `x`, where `gradient` is the gradient `g` of the output: with
/// `d_i = k + alpha sum_j x_j^2`, `g_i d_i^(-3/4) - 3/2 alpha x_i sum_j g_j x_j d_j^(-7/4)`.
///
/// # Panics
///
/// When the lengths of the arrays differ, or are not a whole number of images.
pub(crate) fn lrn_gradient(
    isa: Isa,
    threads: usize,
    [x, gradient]: [&[f32]; 2],
    shape: [usize; 2],
    params: LrnParams,
) -> Vec<f32> {
    assert_eq!(
        x.len(),
        gradient.len(),
        "the gradient must have the length of the input"
    );
    run(isa, threads, [x, gradient], shape, params)
}

/// Returns the gradient of the input, or the normalization if `gradient` is empty.
fn run(
    isa: Isa,
    threads: usize,
    [x, gradient]: [&[f32]; 2],
    [channels, area]: [usize; 2],
    params: LrnParams,
) -> Vec<f32> {
    let kernels = Kernels::get(isa);
    let lanes = kernels.lanes;
    let image = channels * area;
    let images = x.len() / image;
    assert_eq!(x.len(), images * image, "the input must hold whole images");
    let vectors_per_image = area.div_ceil(lanes);
    let mut y = Vec::with_capacity(x.len());
    let output = Shared::uninit(y.spare_capacity_mut());
    run_team(threads, &|part| {
        let mut memory = vec![0.0; 2 * channels * lanes];
        // Copies of the last, incomplete vector of an image: its inputs, gradients and results.
        let mut remainder = vec![0.0; 3 * channels * lanes];
        for vector in part.static_range(images * vectors_per_image) {
            let first = vector / vectors_per_image * image + vector % vectors_per_image * lanes;
            let pixels = (area - vector % vectors_per_image * lanes).min(lanes);
            let mut args = LrnGradArgs {
                params,
                x: x[first..].as_ptr(),
                gradient: match gradient {
                    [] => std::ptr::null(),
                    _ => gradient[first..].as_ptr(),
                },
                // SAFETY: `first` is within the capacity, which is the length of `x`.
                to: unsafe { output.at(first) },
                channels,
                area,
                memory: memory.as_mut_ptr(),
            };
            if pixels == lanes {
                // SAFETY: every channel has a whole vector of pixels at this offset in all arrays,
                // and only this thread writes them.
                unsafe { (kernels.lrn_grad)(&args) };
                continue;
            }
            for channel in 0..channels {
                let from = first + channel * area..first + channel * area + pixels;
                remainder[channel * lanes..][..pixels].copy_from_slice(&x[from.clone()]);
                if !gradient.is_empty() {
                    let to = (channels + channel) * lanes;
                    remainder[to..][..pixels].copy_from_slice(&gradient[from]);
                }
            }
            let start = remainder.as_mut_ptr();
            args.x = start;
            args.area = lanes;
            // SAFETY: `remainder` has three vectors for each channel. The copied pixels lie within
            // the image, and only this thread writes them.
            unsafe {
                if !args.gradient.is_null() {
                    args.gradient = start.add(channels * lanes);
                }
                let results = start.add(2 * channels * lanes);
                args.to = results;
                (kernels.lrn_grad)(&args);
                for channel in 0..channels {
                    let from = results.add(channel * lanes);
                    let to = output.at(first + channel * area);
                    to.copy_from_nonoverlapping(from, pixels);
                }
            }
        }
    });
    // SAFETY: the static ranges of the parts cover all vectors of all images.
    unsafe { y.set_len(x.len()) };
    y
}
