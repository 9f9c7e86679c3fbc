//! The gradient of a max pool.

use std::ops::Range;

use super::super::pool::PoolWindow;
use super::shared::Shared;
use crate::plan::crew;

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
    crew(threads, &|crew| {
        // Where each window of a row has its greatest, as yet.
        let mut places = vec![NOWHERE; windows[1]];
        for plane in crew.share(planes) {
            // SAFETY: the plane is this thread's.
            let to = unsafe { std::slice::from_raw_parts_mut(all.at(plane * area), area) };
            let x = &x[plane * area..][..area];
            for row in 0..windows[0] {
                let here = plane * count + row * windows[1]..plane * count + (row + 1) * windows[1];
                let (y, gradient) = (&y[here.clone()], &gradient[here]);
                places.fill(NOWHERE);
                // The last taps first, so that the first stays. No branch depends on values.
                for tap in (0..window.kernel[0] * window.kernel[1]).rev() {
                    let [down, across] = [tap / window.kernel[1], tap % window.kernel[1]];
                    let place = row * window.stride[0] + down * window.dilation[0];
                    let Some(line) = place.checked_sub(window.padding[0]) else {
                        continue;
                    };
                    if line >= size[0] {
                        continue;
                    }
                    let first = line * size[1];
                    for column in seen(window, across, size[1], windows[1]) {
                        let ahead = column * window.stride[1] + across * window.dilation[1];
                        let place = first + ahead - window.padding[1];
                        let is_it = (x[place] >= y[column]) | x[place].is_nan();
                        places[column] = if is_it { place } else { places[column] };
                    }
                }
                for (&place, gradient) in places.iter().zip(gradient) {
                    if place != NOWHERE {
                        to[place] += gradient;
                    }
                }
            }
        }
    });
    to
}

/// No place in a plane.
const NOWHERE: usize = usize::MAX;

/// The windows of a row whose tap `across` lies within a line of `length`.
fn seen(window: &PoolWindow, across: usize, length: usize, windows: usize) -> Range<usize> {
    let (stride, padding) = (window.stride[1], window.padding[1]);
    let tap = across * window.dilation[1];
    let first = padding.saturating_sub(tap).div_ceil(stride);
    let end = (length + padding).saturating_sub(tap).div_ceil(stride);
    first..end.min(windows)
}
