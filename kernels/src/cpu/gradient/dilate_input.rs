//! Planes with zeros between their pixels.

use std::borrow::Cow;

use crate::threads::{Shared, run_team};

/// Planes of size `from` with `stride - 1` zeros between their pixels, and more to a size of `to`.
pub(crate) fn dilate_input(
    threads: usize,
    values: Cow<'_, [f32]>,
    from: [usize; 2],
    stride: [usize; 2],
    to: [usize; 2],
) -> Cow<'_, [f32]> {
    if from == to {
        return values;
    }
    let [area, wider] = [from, to].map(|[height, width]| height * width);
    let fits = (0..2).all(|axis| (from[axis] - 1) * stride[axis] < to[axis]);
    let planes = values.len() / area;
    assert!(
        fits && values.len() == planes * area,
        "planes of {from:?}, dilate_input by {stride:?}, do not fit {to:?}"
    );
    let mut wide = Vec::with_capacity(planes * wider);
    let all = Shared::uninit(wide.spare_capacity_mut());
    run_team(threads, &|team| {
        for plane in team.static_range(planes) {
            // SAFETY: there is room for all planes, and this one is this thread's.
            let wide = unsafe {
                let wide = all.at(plane * wider);
                wide.write_bytes(0, wider);
                std::slice::from_raw_parts_mut(wide, wider)
            };
            let rows = wide.chunks_exact_mut(to[1]).step_by(stride[0]);
            let plane = &values[plane * area..][..area];
            for (row, values) in rows.zip(plane.chunks_exact(from[1])) {
                for (to, value) in row.iter_mut().step_by(stride[1]).zip(values) {
                    *to = *value;
                }
            }
        }
    });
    // SAFETY: the threads together wrote all planes.
    unsafe { wide.set_len(planes * wider) };
    wide.into()
}
