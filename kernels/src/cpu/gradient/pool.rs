//! The gradient of a max pool.

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
        for plane in crew.share(planes) {
            // SAFETY: the plane is this thread's.
            let to = unsafe { std::slice::from_raw_parts_mut(all.at(plane * area), area) };
            let x = &x[plane * area..][..area];
            let here = plane * count..(plane + 1) * count;
            let (y, gradient) = (&y[here.clone()], &gradient[here]);
            for row in 0..windows[0] {
                let [first, end] = taps(window, 0, row, size[0]);
                for column in 0..windows[1] {
                    let [left, right] = taps(window, 1, column, size[1]);
                    let at = row * windows[1] + column;
                    let greatest = y[at];
                    let mut line = first;
                    'window: while line < end {
                        let mut place = line * size[1] + left;
                        while place < line * size[1] + right {
                            if x[place] == greatest || x[place].is_nan() {
                                to[place] += gradient[at];
                                break 'window;
                            }
                            place += window.dilation[1];
                        }
                        line += window.dilation[0];
                    }
                }
            }
        }
    });
    to
}

/// The first place along an axis of `length` that a window sees, and the end of those.
fn taps(window: &PoolWindow, axis: usize, at: usize, length: usize) -> [usize; 2] {
    let dilation = window.dilation[axis];
    let start = at * window.stride[axis];
    let padding = window.padding[axis];
    // The first tap that is not in the padding.
    let skipped = padding.saturating_sub(start).div_ceil(dilation);
    let first = start + skipped * dilation - padding;
    let end = (start + (window.kernel[axis] - 1) * dilation + 1).saturating_sub(padding);
    [first, end.min(length)]
}
