//! Offset lists of a tile's windows (indirect convolution).

use super::check::{CheckError, ensure};
use crate::cpu::micro::tile::TileArgs;

/// Offsets of a window's positions from its first element, input block by input block and row by
/// row.
///
/// A tile follows the list whatever the kernel, the dilation and the layout; nested loops over
/// blocks, rows and columns would take a large fraction of a shallow tile's time. The idea comes
/// from the indirection buffer (Dukhan, "The Indirect Convolution Algorithm", 2019), with offsets
/// in place of addresses, so that one list serves all pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offsets {
    first: *const u32,
    /// Positions in each input block.
    positions: usize,
}

impl Offsets {
    /// Checks that the offsets of an input of `len` elements fit 32 bits.
    pub fn check(len: usize) -> Result<(), CheckError> {
        ensure(
            u32::try_from(len).is_ok(),
            "an input has more than 2^32 elements",
        )
    }

    /// Elements of scratch memory for the list of `blocks` blocks of `rows` by `columns` positions.
    pub const fn len(blocks: usize, [rows, columns]: [usize; 2]) -> usize {
        blocks.saturating_mul(rows).saturating_mul(columns)
    }

    /// Writes the list to `memory`, which has [`len`](Self::len) elements. Each pair is a count and
    /// a stride in elements.
    ///
    /// # Safety
    ///
    /// The memory is writable and not modified while the list is in use.
    #[inline]
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
                    // SAFETY: the caller guarantees `len` writable elements.
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

    /// The list of a pointwise window: one position in each block.
    ///
    /// # Safety
    ///
    /// As [`list`](Self::list).
    #[inline]
    pub unsafe fn pointwise(memory: *mut f32, blocks: usize, block: usize) -> Self {
        // SAFETY: as the caller guarantees.
        unsafe { Self::list(memory, (blocks, block), (1, 0), (1, 0)) }
    }
}

impl Offsets {
    /// Arguments of a tile over `channels` input channels in blocks of `lanes`, without addresses.
    #[inline]
    pub fn tile(self, channels: usize, lanes: usize) -> TileArgs {
        self.tile_of_rows(channels / lanes, lanes, channels % lanes)
    }

    /// Arguments of a tile over `blocks` blocks with `inner` contiguous taps at each position, and
    /// one more block with `last_inner` taps if it is not 0, without addresses.
    #[inline]
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
