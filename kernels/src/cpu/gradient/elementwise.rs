//! Element by element.

use crate::threads::{Shared, run_team};

/// Elements of which a thread takes all or none.
const UNIT: usize = 4 << 10;

/// `of` of each pair of elements.
pub(crate) fn elementwise(
    threads: usize,
    [a, b]: [&[f32]; 2],
    of: impl Fn(f32, f32) -> f32 + Sync,
) -> Vec<f32> {
    let len = a.len();
    assert_eq!(len, b.len(), "as many of each");
    let mut made = Vec::with_capacity(len);
    let to = Shared::uninit(made.spare_capacity_mut());
    run_team(threads, &|team| {
        let units = team.static_range(len.div_ceil(UNIT));
        let part = (units.start * UNIT).min(len)..(units.end * UNIT).min(len);
        // SAFETY: there is room for all, and the part is this thread's.
        let to = unsafe { to.at(part.start) };
        for (at, (&a, &b)) in a[part.clone()].iter().zip(&b[part]).enumerate() {
            // SAFETY: as above.
            unsafe { to.add(at).write(of(a, b)) };
        }
    });
    // SAFETY: the threads together wrote all.
    unsafe { made.set_len(len) };
    made
}
