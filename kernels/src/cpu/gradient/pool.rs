//! The gradient of a max pool.

use std::ops::Range;

use crate::cpu::micro::pool::PoolWindow;
use crate::threads::{Shared, run_team};

/// The gradient of the input `x`, planes of `size`, where `y` is the greatest of each window, planes of
/// `windows`, and `gradient` that of `y`: each goes to the first tap of its window that is as great.
pub(crate) fn max_pool_gradient(
    threads: usize,
    window: &PoolWindow,
    [size, windows]: [[usize; 2]; 2],
    x: &[f32],
    [y, gradient]: [&[f32]; 2],
) -> Vec<f32> {
    let [area, count] = [size, windows].map(|[height, width]| height * width);
    let planes = x.len() / area;
    assert!(
        x.len() == planes * area && y.len() == planes * count && gradient.len() == y.len(),
        "arrays of other lengths than the pool's"
    );
    let mut to = vec![0.0; x.len()];
    let all = Shared::new(&mut to);
    let [down, across] = window.kernel;
    // How far each tap is from the first.
    let places: Vec<[usize; 2]> = (0..down * across)
        .map(|tap| [tap / across, tap % across])
        .map(|tap| std::array::from_fn(|axis| tap[axis] * window.dilation[axis]))
        .collect();
    run_team(threads, &|team| {
        // The tap at which each window of a row has its greatest, as yet.
        let mut taps = vec![NONE; windows[1]];
        for plane in team.static_range(planes) {
            // SAFETY: the plane is this thread's.
            let to = unsafe { std::slice::from_raw_parts_mut(all.at(plane * area), area) };
            let x = &x[plane * area..][..area];
            for row in 0..windows[0] {
                let here = plane * count + row * windows[1]..plane * count + (row + 1) * windows[1];
                let (y, gradient) = (&y[here.clone()], &gradient[here]);
                taps.fill(NONE);
                // The last taps first, so that the first stays. No branch depends on values.
                for (tap, [down, across]) in places.iter().enumerate().rev() {
                    let line = (row * window.stride[0] + down).checked_sub(window.padding[0]);
                    let Some(line) = line.filter(|&line| line < size[0]) else {
                        continue;
                    };
                    let columns = seen(window, *across, size[1], windows[1]);
                    if columns.is_empty() {
                        continue;
                    }
                    let first = columns.start * window.stride[1] + across - window.padding[1];
                    let line = &x[line * size[1]..][..size[1]][first..];
                    let (taps, y) = (&mut taps[columns.clone()], &y[columns]);
                    let marks = taps.iter_mut().zip(y);
                    match window.stride[1] {
                        // Vectors, of values side by side.
                        1 => marks.zip(line).for_each(|marks| mark(tap as u32, marks)),
                        stride => {
                            let line = line.iter().step_by(stride);
                            marks.zip(line).for_each(|marks| mark(tap as u32, marks));
                        }
                    }
                }
                for (column, (&tap, gradient)) in taps.iter().zip(gradient).enumerate() {
                    if tap != NONE {
                        let [down, across] = places[tap as usize];
                        let line = row * window.stride[0] + down - window.padding[0];
                        let place = column * window.stride[1] + across - window.padding[1];
                        to[line * size[1] + place] += gradient;
                    }
                }
            }
        }
    });
    to
}

/// No tap.
const NONE: u32 = u32::MAX;

/// Marks a window whose greatest is at this tap: the window's tap, its greatest, and the value here.
#[inline(always)]
fn mark(here: u32, ((tap, &y), &x): ((&mut u32, &f32), &f32)) {
    let is_it = (x >= y) | x.is_nan();
    *tap = if is_it { here } else { *tap };
}

/// The windows of a row of which the tap this far across lies within a line of `length`.
fn seen(window: &PoolWindow, across: usize, length: usize, windows: usize) -> Range<usize> {
    let (stride, padding) = (window.stride[1], window.padding[1]);
    let first = padding.saturating_sub(across).div_ceil(stride);
    let end = (length + padding).saturating_sub(across).div_ceil(stride);
    first..end.min(windows)
}
