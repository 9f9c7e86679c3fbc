//! Zero insertion between the pixels of planes.
//!
//! The gradient of a strided convolution's input is a convolution of stride 1 over the dilated
//! output gradient.

use std::borrow::Cow;

use crate::threads::{Shared, run_team};

/// Inserts `stride - 1` zeros between the pixels of planes of size `from`, and pads the planes with
/// zeros below and to the right up to size `to`. Returns `values` unchanged if the sizes are equal.
///
/// # Panics
///
/// When `values` are not whole planes, or `to` is too small.
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
    let [area, dilated_area] = [from, to].map(|[height, width]| height * width);
    let fits = (0..2).all(|axis| (from[axis] - 1) * stride[axis] < to[axis]);
    let planes = values.len() / area;
    assert!(
        fits && values.len() == planes * area,
        "planes of size {from:?}, dilated by {stride:?}, do not fit size {to:?}"
    );
    let mut dilated = Vec::with_capacity(planes * dilated_area);
    let output = Shared::uninit(dilated.spare_capacity_mut());
    run_team(threads, &|part| {
        for plane in part.static_range(planes) {
            // SAFETY: the vector has capacity for all planes, and only this thread writes this
            // plane. The plane is initialized before a reference to it is made.
            let dilated = unsafe {
                let dilated = output.at(plane * dilated_area);
                dilated.write_bytes(0, dilated_area);
                std::slice::from_raw_parts_mut(dilated, dilated_area)
            };
            let rows = dilated.chunks_exact_mut(to[1]).step_by(stride[0]);
            let plane = &values[plane * area..][..area];
            for (row, values) in rows.zip(plane.chunks_exact(from[1])) {
                for (to, value) in row.iter_mut().step_by(stride[1]).zip(values) {
                    *to = *value;
                }
            }
        }
    });
    // SAFETY: the static ranges of the parts cover all planes, so every element is initialized.
    unsafe { dilated.set_len(planes * dilated_area) };
    dilated.into()
}
