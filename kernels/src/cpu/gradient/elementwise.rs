//! Elementwise operation on two arrays.

use crate::threads::{Shared, run_team};

/// Granularity of the partition among threads, in elements.
const CHUNK_ELEMENTS: usize = 4 << 10;

/// Returns `operation(a, b)` for each pair of elements of two arrays of the same length.
///
/// # Panics
///
/// When the lengths differ.
pub(crate) fn elementwise(
    threads: usize,
    [a, b]: [&[f32]; 2],
    operation: impl Fn(f32, f32) -> f32 + Sync,
) -> Vec<f32> {
    let len = a.len();
    assert_eq!(len, b.len(), "the arrays must have the same length");
    let mut result = Vec::with_capacity(len);
    let output = Shared::uninit(result.spare_capacity_mut());
    run_team(threads, &|part| {
        let chunks = part.static_range(len.div_ceil(CHUNK_ELEMENTS));
        let range =
            (chunks.start * CHUNK_ELEMENTS).min(len)..(chunks.end * CHUNK_ELEMENTS).min(len);
        // SAFETY: the range lies within the capacity of the vector.
        let output = unsafe { output.at(range.start) };
        for (index, (&a, &b)) in a[range.clone()].iter().zip(&b[range]).enumerate() {
            // SAFETY: the index lies within the range, which only this thread writes.
            unsafe { output.add(index).write(operation(a, b)) };
        }
    });
    // SAFETY: the ranges of the parts cover all elements.
    unsafe { result.set_len(len) };
    result
}
