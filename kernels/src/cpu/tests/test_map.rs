//! Maps of tests: their layout, and strategies for their shapes and margins.

use proptest::prelude::*;

use super::super::{Border, Map};

/// A map that a step reads or writes in a test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestMap {
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// Border and neighboring blocks.
    pub margins: Margins,
    /// Whether the map is planar: one channel per block instead of as many as a vector has lanes.
    pub planar: bool,
}

/// Memory around a test map.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Margins {
    /// Border of each block.
    pub border: Border,
    /// Blocks before and after the map in the wider map of which it is a slice.
    pub neighbor_blocks: [usize; 2],
}

impl TestMap {
    /// A blocked map without margins.
    pub fn new(shape: [usize; 3]) -> Self {
        Self::with_margins(shape, Margins::default())
    }

    /// A blocked map with `margins`.
    pub fn with_margins(shape: [usize; 3], margins: Margins) -> Self {
        Self {
            shape,
            margins,
            planar: false,
        }
    }

    /// Number of values of one image.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns the wider map at `offset`, with one slot for each of `images` images, and the slice
    /// of the wider map that is the test map.
    pub fn wider_map_and_slice(&self, lanes: usize, images: usize, offset: usize) -> [Map; 2] {
        let lanes = if self.planar { 1 } else { lanes };
        let [channels, height, width] = self.shape;
        let [before, after] = self.margins.neighbor_blocks.map(|blocks| blocks * lanes);
        let all = if after == 0 {
            before + channels
        } else {
            before + channels.next_multiple_of(lanes) + after
        };
        let border = self.margins.border;
        let wider = Map::new([all, height, width], border, lanes, offset).with_slots(images);
        [wider, wider.slice(before, channels)]
    }
}

/// Strategy for margins: a border of up to two rows or pixels on each side, and up to two
/// neighboring blocks before and after. Half of the borders are empty, and half of the maps have no
/// neighboring blocks.
pub(crate) fn margins() -> impl Strategy<Value = Margins> {
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
        .prop_map(|(border, neighbor_blocks)| Margins {
            border,
            neighbor_blocks,
        })
}

/// Strategy for small shapes, `[channels, height, width]`, from a single element up. Channels may
/// or may not fill the last block.
pub(crate) fn shapes() -> impl Strategy<Value = [usize; 3]> {
    let channels = prop_oneof![1..=37_usize, Just(16), Just(32)];
    (channels, 1..=9_usize, 1..=19_usize).prop_map(|(c, h, w)| [c, h, w])
}

/// Index in an array `[images, channels, height, width]` of pixel `(y, x)` in channel `c` of image
/// `n`.
pub(crate) fn nchw_offset(
    [channels, height, width]: [usize; 3],
    n: usize,
    c: usize,
    y: usize,
    x: usize,
) -> usize {
    ((n * channels + c) * height + y) * width + x
}

/// Iterator over all `[image, channel, row, column]` of an array `[images, channels, height,
/// width]`, in row-major order.
pub(crate) fn nchw_indices(
    images: usize,
    [channels, height, width]: [usize; 3],
) -> impl Iterator<Item = [usize; 4]> {
    (0..images * channels * height * width).map(move |i| {
        let (row, x) = (i / width, i % width);
        let (plane, y) = (row / height, row % height);
        [plane / channels, plane % channels, y, x]
    })
}
