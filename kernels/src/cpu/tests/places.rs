//! Maps to be tried.

use proptest::prelude::*;

use super::super::Border;
use super::Place;

/// Any border of up to two elements on each side, and up to two blocks before and after in a wider
/// map; mostly neither.
pub(crate) fn surroundings() -> impl Strategy<Value = (Border, [usize; 2])> {
    let side = || 0..=2_usize;
    let border = (side(), side(), side(), side()).prop_map(|(top, bottom, left, right)| Border {
        top,
        bottom,
        left,
        right,
    });
    (
        prop_oneof![Just(Border::default()), border],
        prop_oneof![Just([0, 0]), [side(), side()]],
    )
}

/// A map of `shape` with such surroundings.
pub(crate) fn place(shape: [usize; 3], (border, around): (Border, [usize; 2])) -> Place {
    Place {
        border,
        around,
        ..Place::new(shape)
    }
}

/// Small shapes, down to a single element, with channels that fill their blocks and that do not.
pub(crate) fn shapes() -> impl Strategy<Value = [usize; 3]> {
    let channels = prop_oneof![1..=37_usize, Just(16), Just(32)];
    (channels, 1..=9_usize, 1..=19_usize).prop_map(|(c, h, w)| [c, h, w])
}

/// The value of channel `c` of image `n` at a pixel, as the values of a trial lie.
pub(crate) fn at(
    [channels, height, width]: [usize; 3],
    n: usize,
    c: usize,
    y: usize,
    x: usize,
) -> usize {
    ((n * channels + c) * height + y) * width + x
}

/// The indices of all elements of `images` images in order: image, channel, row, column.
pub(crate) fn elements(
    images: usize,
    [channels, height, width]: [usize; 3],
) -> impl Iterator<Item = [usize; 4]> {
    (0..images * channels * height * width).map(move |i| {
        let (row, x) = (i / width, i % width);
        let (plane, y) = (row / height, row % height);
        [plane / channels, plane % channels, y, x]
    })
}
