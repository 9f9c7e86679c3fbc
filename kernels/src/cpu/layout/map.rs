//! Layout of a feature map in the arena.

use serde::{Deserialize, Serialize};

/// Rows and pixels of zeros around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Border {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Pixels left of each row.
    pub left: usize,
    /// Pixels right of each row.
    pub right: usize,
}

impl Border {
    /// The smallest border that contains both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.max(other.left),
            right: self.right.max(other.right),
        }
    }

    /// Whether all sides are 0.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Layout of a feature map, `[batch, channels, height, width]`, in the arena: in blocks of `lanes`
/// channels, `[batch, channels / lanes, height, width, lanes]` (NCHW16c with 16 lanes), each block
/// surrounded by a border of zeros that padded convolutions read. With one lane the layout is
/// planar.
///
/// Lanes beyond the last channel hold finite values that do not affect results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Channels of a block, 1 in a planar map.
    pub lanes: usize,
    /// Border of each block.
    pub border: Border,
    /// Offset in the arena of the first block, its border included.
    pub offset: usize,
    /// Stride from one row to the next, in elements.
    pub row: usize,
    /// Stride from one block to the next, in elements.
    pub block: usize,
    /// Stride from one image to the next, in elements.
    pub image: usize,
    /// Images that the map holds at a time: the batch, or a power of two. The slots are a ring
    /// buffer: image `i` of a batch is in slot `i % slots` until a later image overwrites it, after
    /// all steps that read it have finished.
    pub slots: usize,
}

/// Stride between blocks of `extent` elements: an odd number of cache lines for large blocks. A
/// tile reads the same pixel of every block; with strides of a power of two, as in maps 56 or 112
/// pixels wide, these pixels would fall into few cache sets.
fn padded_stride(extent: usize) -> usize {
    const LINE: usize = 16;
    const MIN_LINES: usize = 16;
    match extent.div_ceil(LINE) {
        lines if lines >= MIN_LINES => (lines | 1) * LINE,
        _ => extent,
    }
}

impl Map {
    /// A map at `offset` with one slot.
    pub fn new(
        [channels, height, width]: [usize; 3],
        border: Border,
        lanes: usize,
        offset: usize,
    ) -> Self {
        let row = (border.left + width + border.right) * lanes;
        let extent = (border.top + height + border.bottom) * row;
        let block = if lanes > 1 {
            padded_stride(extent)
        } else {
            extent
        };
        Self {
            channels,
            height,
            width,
            lanes,
            border,
            offset,
            row,
            block,
            image: block * channels.div_ceil(lanes),
            slots: 1,
        }
    }

    /// The same map with `slots` slots.
    #[must_use]
    pub fn with_slots(self, slots: usize) -> Self {
        Self { slots, ..self }
    }

    /// Number of blocks of channels.
    #[inline]
    pub fn blocks(&self) -> usize {
        self.channels.div_ceil(self.lanes)
    }

    /// Elements of a block, border included.
    #[inline]
    pub fn extent(&self) -> usize {
        (self.border.top + self.height + self.border.bottom) * self.row
    }

    /// Elements of an image without the padding after its last block.
    pub fn extent_of_image(&self) -> usize {
        (self.blocks() - 1) * self.block + self.extent()
    }

    /// Elements of all slots.
    #[inline]
    pub fn elements(&self) -> usize {
        self.image * self.slots
    }

    /// Values of an image: channels times height times width.
    pub fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Offset in the arena of pixel `(y, x)` of a block.
    #[inline]
    pub fn at(&self, image: usize, block: usize, y: usize, x: usize) -> usize {
        self.offset
            + image * self.image
            + block * self.block
            + (self.border.top + y) * self.row
            + (self.border.left + x) * self.lanes
    }

    /// Whether the map has no element in common with `other` in any slot. Exact for slices of one
    /// map; otherwise `false` may also be returned for disjoint maps. Both maps fit in the address
    /// space, so the arithmetic cannot overflow.
    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|map| map.extent_of_image() as i128);
        let meet = |from: i128| from < own && from + others > 0;
        let distance = other.offset as i128 - self.offset as i128;
        if (self.image, self.slots) == (other.image, other.slots) {
            // Slices of one map: only the nearest images of `other` before and after an image of
            // `self` can overlap it.
            let image = self.image as i128;
            let most = self.slots as i128 - 1;
            let nearest = (-distance).div_euclid(image);
            !(nearest - 1..=nearest + 1).any(|n| meet(distance + n.clamp(-most, most) * image))
        } else {
            let [own, others] = [(self, own), (other, others)]
                .map(|(map, image)| (map.slots as i128 - 1) * map.image as i128 + image);
            distance >= own || distance + others <= 0
        }
    }

    /// The channels from `first` on as a map: a slice of a concatenation. `first` must be a
    /// multiple of `lanes`.
    #[must_use]
    pub fn slice(&self, first: usize, channels: usize) -> Self {
        assert!(
            first.is_multiple_of(self.lanes),
            "a slice starts at a block"
        );
        Self {
            channels,
            offset: self.offset + first / self.lanes * self.block,
            ..*self
        }
    }

    /// Whether the pixels of a block are contiguous.
    #[inline]
    pub fn is_dense(&self) -> bool {
        self.row == self.width * self.lanes && self.border.left + self.border.right == 0
    }

    /// The same dense map with all pixels of a block in one row.
    #[inline]
    pub fn flat(&self) -> Self {
        debug_assert!(self.is_dense());
        Self {
            height: 1,
            width: self.height * self.width,
            row: self.height * self.width * self.lanes,
            offset: self.offset + self.border.top * self.row,
            border: Border::default(),
            ..*self
        }
    }

    /// Offset of the end of the last slot.
    pub fn end(&self) -> usize {
        self.offset + self.slots.saturating_sub(1) * self.image + self.blocks() * self.block
    }
}
