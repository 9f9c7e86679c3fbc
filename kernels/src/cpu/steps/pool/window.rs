//! Check and execution that max and mean pooling share.

use crate::cpu::layout::{CheckError, Context, Map, Memory, disjoint, ensure};
use crate::cpu::micro::pool::{PoolArgs, PoolFn, PoolWindow};

/// Checks that pooling from `x` to `y` stays within `memory`.
pub(crate) fn check(
    window: &PoolWindow,
    memory: &Memory,
    x: &Map,
    y: &Map,
) -> Result<(), CheckError> {
    memory.map(x)?;
    memory.map(y)?;
    disjoint(x, y)?;
    ensure(
        x.channels == y.channels,
        "the maps have different numbers of channels",
    )?;
    let sizes = [[x.height, y.height], [x.width, y.width]];
    let pitch = [x.row, x.lanes];
    for axis in 0..2 {
        let step = [
            window.kernel[axis],
            window.stride[axis],
            window.dilation[axis],
        ];
        ensure(!step.contains(&0), "a kernel, stride or dilation is 0")?;
        let [kernel, stride, dilation] = step;
        let [length, windows] = sizes[axis];
        // Upper bound of all computed positions, including positions that are clipped later.
        (|| {
            let last = windows.checked_mul(stride)?;
            let taps = kernel.checked_add(1)?.checked_mul(dilation)?;
            let padding = window.padding[axis].checked_mul(2)?;
            let furthest = last.checked_add(taps)?.checked_add(padding)?;
            furthest
                .checked_add(length)?
                .checked_mul(pitch[axis])?
                .checked_mul(4)
        })()
        .ok_or(CheckError::Outside)?;
    }
    window.kernel[0]
        .checked_mul(window.kernel[1])
        .ok_or(CheckError::Outside)?;
    Ok(())
}

/// Executes `function` on the rows that this thread claims.
///
/// # Safety
///
/// The maps are within the arena.
pub(crate) unsafe fn run(
    cx: &Context,
    function: PoolFn,
    window: &PoolWindow,
    count_padding: bool,
    [x, y]: [&Map; 2],
) {
    let [x, y] = &[x, y].map(|map| cx.at_micro_batch(map));
    // SAFETY: the map is within the arena, and only this step accesses it.
    unsafe { cx.zero_border(y) };
    for (image, block, rows) in cx.claim_rows(y) {
        // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
        // writes them.
        unsafe {
            function(&PoolArgs {
                window: *window,
                count_padding,
                x: cx.at(x.at(image, block, 0, 0)),
                size: [x.height, x.width],
                x_row: x.row,
                y: cx.at(y.at(image, block, 0, 0)),
                y_row: y.row,
                rows,
                width: y.width,
            });
        }
    }
}
