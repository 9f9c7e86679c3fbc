//! Where a feature map lies in memory.

use serde::{Deserialize, Serialize};

/// Elements around a map: top, bottom, left, right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Border {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Pixels before each row.
    pub left: usize,
    /// Pixels after each row.
    pub right: usize,
}

impl Border {
    /// The smallest that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.max(other.left),
            right: self.right.max(other.right),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Where a feature map, `[batch, channels, height, width]`, lies in memory: in blocks of `lanes`
/// channels, `[batch, channels / lanes, height, width, lanes]`, with zeros around each block where
/// convolutions that pad will read it. With one lane that is the planar layout.
///
/// Channels beyond the last are kept finite and never count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Channels of a block.
    pub lanes: usize,
    /// Zeros around each block.
    pub border: Border,
    /// The element of the arena where the first block's border begins.
    pub offset: usize,
    /// Elements from one row to the next.
    pub row: usize,
    /// Elements from one block to the next.
    pub block: usize,
    /// Elements from one image to the next.
    pub image: usize,
    /// Images that have a place in it at a time: all of a batch, or a power of two. Image `i` of a batch is in place
    /// `i % places`, which it leaves to a later one when all steps that read the map have had it.
    pub slots: usize,
}

/// From one block of `extent` elements to the next. What a tile reads at one place of every block must not
/// fall into the same few sets of a cache, as it does where maps are 56 or 112 pixels wide: blocks of many
/// cache lines are an odd number of them.
fn padded_stride(extent: usize) -> usize {
    const LINE: usize = 16;
    const MANY: usize = 16;
    match extent.div_ceil(LINE) {
        lines if lines >= MANY => (lines | 1) * LINE,
        _ => extent,
    }
}

impl Map {
    /// A map of its own at `offset`, with a place for one image.
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

    /// The same map with places for so many images.
    #[must_use]
    pub fn with_slots(self, slots: usize) -> Self {
        Self { slots, ..self }
    }

    /// Blocks of channels.
    pub fn blocks(&self) -> usize {
        self.channels.div_ceil(self.lanes)
    }

    /// Elements of a block with its border.
    pub fn extent(&self) -> usize {
        (self.border.top + self.height + self.border.bottom) * self.row
    }

    /// Elements from the first of an image to its last.
    pub fn extent_of_image(&self) -> usize {
        (self.blocks() - 1) * self.block + self.extent()
    }

    /// Elements of all its places.
    pub fn elements(&self) -> usize {
        self.image * self.slots
    }

    /// Values of an image.
    pub fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Its shape without the batch.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// The element of the arena at this place.
    #[inline]
    pub fn at(&self, image: usize, block: usize, y: usize, x: usize) -> usize {
        self.offset
            + image * self.image
            + block * self.block
            + (self.border.top + y) * self.row
            + (self.border.left + x) * self.lanes
    }

    /// Whether it has no element in common with `other`, in any of their places. It may say no of some that have none,
    /// but not of slices of one map. Both are as large as memory at most, so nothing here is too large to count.
    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|map| map.extent_of_image() as i128);
        let meet = |from: i128| from < own && from + others > 0;
        let distance = other.offset as i128 - self.offset as i128;
        if (self.image, self.slots) == (other.image, other.slots) {
            // Slices of one map. Images of `other` that begin before and after one of `self`.
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

    /// The channels from `first` on, as a map: a part of a concatenation. `first` must be a
    /// multiple of `lanes`.
    #[must_use]
    pub fn slice(&self, first: usize, channels: usize) -> Self {
        assert!(first.is_multiple_of(self.lanes), "a part starts at a block");
        Self {
            channels,
            offset: self.offset + first / self.lanes * self.block,
            ..*self
        }
    }

    /// Whether the pixels of a block are contiguous.
    pub fn is_dense(&self) -> bool {
        self.row == self.width * self.lanes && self.border.left + self.border.right == 0
    }

    /// The same map with all pixels of a block in one row, of a dense map.
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

    /// Elements from the arena's start to the end of its last place.
    pub fn end(&self) -> usize {
        self.offset + self.slots.saturating_sub(1) * self.image + self.blocks() * self.block
    }
}
