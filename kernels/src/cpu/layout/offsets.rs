//! Where the taps of a tile lie.

use super::check::{CheckError, ensure};
use crate::cpu::micro::tile::TileArgs;

/// For every position of a window, block after block of input channels and in each one row after the other:
/// how far its elements are from the window's first. A tile follows the list, whatever the kernel, the dilation and
/// the map are; nested loops would take a good part of its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offsets {
    first: *const u32,
    /// Positions in each block.
    positions: usize,
}

impl Offsets {
    /// Whether all elements of an input of `len` elements can be listed.
    pub fn check(len: usize) -> Result<(), CheckError> {
        ensure(
            u32::try_from(len).is_ok(),
            "an input of more than 2^32 elements",
        )
    }

    /// Elements of memory that a list of `blocks` blocks of `rows` by `columns` positions takes.
    pub const fn len(blocks: usize, [rows, columns]: [usize; 2]) -> usize {
        blocks.saturating_mul(rows).saturating_mul(columns)
    }

    /// Lists them in `memory`, of [`len`](Self::len) elements; blocks, rows and columns are so many elements
    /// apart.
    ///
    /// # Safety
    ///
    /// The memory is writable, and left alone as long as the list is read.
    pub unsafe fn list(
        memory: *mut f32,
        (blocks, block): (usize, usize),
        (rows, row): (usize, usize),
        (columns, column): (usize, usize),
    ) -> Self {
        let first = memory.cast::<u32>();
        let mut to = first;
        for at in (0..blocks).map(|i| i * block) {
            for at in (0..rows).map(|i| at + i * row) {
                for at in (0..columns).map(|i| at + i * column) {
                    unsafe {
                        to.write(at as u32);
                        to = to.add(1);
                    }
                }
            }
        }
        Self {
            first,
            positions: rows * columns,
        }
    }

    /// Those of blocks that lie next to each other's, one position in each.
    ///
    /// # Safety
    ///
    /// As [`list`](Self::list).
    pub unsafe fn pointwise(memory: *mut f32, blocks: usize, block: usize) -> Self {
        unsafe { Self::list(memory, (blocks, block), (1, 0), (1, 0)) }
    }
}

impl Offsets {
    /// A tile over `channels` channels in blocks of `lanes`, which reads and writes nowhere yet.
    pub fn tile(self, channels: usize, lanes: usize) -> TileArgs {
        self.tile_of_rows(channels / lanes, lanes, channels % lanes)
    }

    /// A tile over `blocks` blocks with `inner` contiguous taps at each position, and if `last_inner` is not 0,
    /// another with so many.
    pub fn tile_of_rows(self, blocks: usize, inner: usize, last_inner: usize) -> TileArgs {
        let last_positions = match last_inner {
            0 => 0,
            _ => self.positions,
        };
        TileArgs::new(
            self.first,
            [blocks * self.positions, inner],
            [last_positions, last_inner],
        )
    }
}
