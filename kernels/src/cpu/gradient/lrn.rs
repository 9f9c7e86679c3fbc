//! Local response normalization across channels with the exponent 3/4, and its gradient, over planes.
//!
//! A vector's pixels go through all channels; what each channel leaves for the next pass lies in memory of
//! the thread's own.

use crate::cpu::micro::gradient::{LrnGradArgs, LrnParams};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// The response of `x`, `[images, channels, area]`.
pub(crate) fn lrn(
    isa: Isa,
    threads: usize,
    x: &[f32],
    shape: [usize; 2],
    response: LrnParams,
) -> Vec<f32> {
    run(isa, threads, [x, &[]], shape, response)
}

/// The gradient of its input where `gradient` is that of its output: with `d_i` the sum in brackets,
/// `g_i d_i^(-3/4) - 3/2 alpha x_i sum_j g_j x_j d_j^(-7/4)`.
pub(crate) fn lrn_gradient(
    isa: Isa,
    threads: usize,
    [x, gradient]: [&[f32]; 2],
    shape: [usize; 2],
    response: LrnParams,
) -> Vec<f32> {
    assert_eq!(x.len(), gradient.len(), "as many gradients as values");
    run(isa, threads, [x, gradient], shape, response)
}

/// The gradient, or without one the response.
fn run(
    isa: Isa,
    threads: usize,
    [x, gradient]: [&[f32]; 2],
    [channels, area]: [usize; 2],
    response: LrnParams,
) -> Vec<f32> {
    let kernels = Kernels::get(isa);
    let lanes = kernels.lanes;
    let image = channels * area;
    let images = x.len() / image;
    assert_eq!(x.len(), images * image, "whole images");
    let per_image = area.div_ceil(lanes);
    let mut y = Vec::with_capacity(x.len());
    let to = Shared::uninit(y.spare_capacity_mut());
    run_team(threads, &|team| {
        let mut memory = vec![0.0; 2 * channels * lanes];
        // The last pixels of an image, where they are no whole vector: its values, its gradient, the result.
        let mut few = vec![0.0; 3 * channels * lanes];
        for unit in team.static_range(images * per_image) {
            let first = unit / per_image * image + unit % per_image * lanes;
            let pixels = (area - unit % per_image * lanes).min(lanes);
            let mut args = LrnGradArgs {
                params: response,
                x: x[first..].as_ptr(),
                gradient: match gradient {
                    [] => std::ptr::null(),
                    _ => gradient[first..].as_ptr(),
                },
                // SAFETY: there is room for all images.
                to: unsafe { to.at(first) },
                channels,
                area,
                memory: memory.as_mut_ptr(),
            };
            if pixels == lanes {
                // SAFETY: every channel has a vector here, which is this thread's.
                unsafe { (kernels.lrn_grad)(&args) };
                continue;
            }
            for channel in 0..channels {
                let from = first + channel * area..first + channel * area + pixels;
                few[channel * lanes..][..pixels].copy_from_slice(&x[from.clone()]);
                if !gradient.is_empty() {
                    let there = (channels + channel) * lanes;
                    few[there..][..pixels].copy_from_slice(&gradient[from]);
                }
            }
            let all = few.as_mut_ptr();
            args.x = all;
            args.area = lanes;
            // SAFETY: there are three vectors for each channel, and the pixels are this thread's.
            unsafe {
                if !args.gradient.is_null() {
                    args.gradient = all.add(channels * lanes);
                }
                let made = all.add(2 * channels * lanes);
                args.to = made;
                (kernels.lrn_grad)(&args);
                for channel in 0..channels {
                    let from = made.add(channel * lanes);
                    let to = to.at(first + channel * area);
                    to.copy_from_nonoverlapping(from, pixels);
                }
            }
        }
    });
    // SAFETY: the threads together wrote all images.
    unsafe { y.set_len(x.len()) };
    y
}
