//! Gradient of max pooling over planar maps.

use std::ops::Range;

use crate::cpu::micro::pool::PoolWindow;
use crate::threads::{Shared, run_team};

/// Index of no tap.
const NO_TAP: u32 = u32::MAX;

/// Returns the gradient of the input `x`, planes of `size`, where `y` are the maxima, planes of
/// `windows`, and `gradient` is the gradient of `y`. The gradient of a window goes to the first tap
/// that equals the maximum.
///
/// # Panics
///
/// When the lengths of the arrays do not fit the sizes.
pub(crate) fn max_pool_gradient(
    threads: usize,
    window: &PoolWindow,
    [size, windows]: [[usize; 2]; 2],
    x: &[f32],
    [y, gradient]: [&[f32]; 2],
) -> Vec<f32> {
    let [area, window_count] = [size, windows].map(|[height, width]| height * width);
    let planes = x.len() / area;
    assert!(
        x.len() == planes * area && y.len() == planes * window_count && gradient.len() == y.len(),
        "arrays of {} inputs, {} maxima and {} gradients do not fit planes of {size:?} and {windows:?}",
        x.len(),
        y.len(),
        gradient.len()
    );
    let mut x_gradient = vec![0.0; x.len()];
    let output = Shared::new(&mut x_gradient);
    let [kernel_height, kernel_width] = window.kernel;
    // Vertical and horizontal distance of each tap from the first.
    let taps: Vec<[usize; 2]> = (0..kernel_height * kernel_width)
        .map(|tap| [tap / kernel_width, tap % kernel_width])
        .map(|tap| std::array::from_fn(|axis| tap[axis] * window.dilation[axis]))
        .collect();
    run_team(threads, &|part| {
        // For each window of a row of windows, the first tap found so far that equals the maximum.
        let mut max_taps = vec![NO_TAP; windows[1]];
        for plane in part.static_range(planes) {
            // SAFETY: the array has `planes` planes, and only this thread uses this one.
            let x_gradient =
                unsafe { std::slice::from_raw_parts_mut(output.at(plane * area), area) };
            let x = &x[plane * area..][..area];
            for row in 0..windows[0] {
                let first = plane * window_count + row * windows[1];
                let (y, gradient) = (&y[first..][..windows[1]], &gradient[first..][..windows[1]]);
                max_taps.fill(NO_TAP);
                // Taps are visited from the last to the first, so that the first one that equals
                // the maximum remains. No branch depends on the values of pixels.
                for (tap, [down, across]) in taps.iter().enumerate().rev() {
                    let line = (row * window.stride[0] + down).checked_sub(window.padding[0]);
                    let Some(line) = line.filter(|&line| line < size[0]) else {
                        continue;
                    };
                    let columns = windows_with_tap(window, *across, size[1], windows[1]);
                    if columns.is_empty() {
                        continue;
                    }
                    let first = columns.start * window.stride[1] + across - window.padding[1];
                    let line = &x[line * size[1]..][..size[1]][first..];
                    let (max_taps, y) = (&mut max_taps[columns.clone()], &y[columns]);
                    let candidates = max_taps.iter_mut().zip(y);
                    match window.stride[1] {
                        // Adjacent pixels, which the compiler vectorizes.
                        1 => candidates
                            .zip(line)
                            .for_each(|candidate| update_max_tap(tap as u32, candidate)),
                        stride => {
                            let line = line.iter().step_by(stride);
                            candidates
                                .zip(line)
                                .for_each(|candidate| update_max_tap(tap as u32, candidate));
                        }
                    }
                }
                for (column, (&tap, gradient)) in max_taps.iter().zip(gradient).enumerate() {
                    if tap != NO_TAP {
                        let [down, across] = taps[tap as usize];
                        let line = row * window.stride[0] + down - window.padding[0];
                        let pixel = column * window.stride[1] + across - window.padding[1];
                        x_gradient[line * size[1] + pixel] += gradient;
                    }
                }
            }
        }
    });
    x_gradient
}

/// Sets the tap of a window to `tap` if the pixel `x` under the tap equals the maximum `y` of the
/// window, or is not a number.
#[inline(always)]
fn update_max_tap(tap: u32, ((max_tap, &y), &x): ((&mut u32, &f32), &f32)) {
    let is_max = (x >= y) | x.is_nan();
    *max_tap = if is_max { tap } else { *max_tap };
}

/// The windows of a row of windows whose tap at horizontal distance `across` lies within a row of
/// `width` pixels.
fn windows_with_tap(
    window: &PoolWindow,
    across: usize,
    width: usize,
    windows: usize,
) -> Range<usize> {
    let (stride, padding) = (window.stride[1], window.padding[1]);
    let first = padding.saturating_sub(across).div_ceil(stride);
    let end = (width + padding).saturating_sub(across).div_ceil(stride);
    first..end.min(windows)
}
