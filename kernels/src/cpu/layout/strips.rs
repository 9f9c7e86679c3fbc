//! Strips: runs of adjacent tiles of one width.

use std::ops::Range;

use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::prefetch::PrefetchPlan;
use crate::cpu::micro::tile::TileArgs;
use crate::threads::partition::{GridCells, Partition};

/// Rows of pixels of consecutive images, each divided into tiles of nearly equal width.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    height: usize,
    per_row: usize,
    columns: Partition,
}

/// Adjacent tiles of one width in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strip {
    /// Tiles before the strip, from the first requested tile.
    pub before: usize,
    pub image: usize,
    pub row: usize,
    /// First pixel of the strip in the row.
    pub column: usize,
    /// Pixels of each tile.
    pub pixels: usize,
    pub tiles: usize,
}

impl Strip {
    /// Computes the tiles for `blocks` blocks of outputs and issues the prefetches of
    /// `prefetch_plan`.
    ///
    /// # Safety
    ///
    /// As [`Tile`](crate::cpu::micro::tile::Tile): `args` describes the memory of the first tile.
    #[inline]
    pub unsafe fn compute(
        self,
        kernels: &Kernels,
        blocks: usize,
        prefetch_plan: &PrefetchPlan,
        args: &mut TileArgs,
    ) {
        args.prefetch = prefetch_plan.from(self.before);
        args.tiles = self.tiles;
        // SAFETY: as the caller guarantees.
        unsafe { (kernels.tiles.get(blocks, self.pixels))(args) }
    }
}

impl Rows {
    /// Images of `height` rows of `width` pixels, in tiles of at most `widest` pixels.
    #[inline]
    pub fn new([height, width]: [usize; 2], widest: usize) -> Self {
        let per_row = width.div_ceil(widest);
        Self {
            height,
            per_row,
            columns: Partition::new(width, per_row),
        }
    }

    /// Tiles of each row.
    #[inline]
    pub fn per_row(self) -> usize {
        self.per_row
    }

    /// The tiles number `tiles`, counted over all rows of all images, in as few strips as possible.
    /// The first tile is a separate strip, since no other tile prefetches the next panel when it is
    /// the only tile.
    #[inline]
    pub fn strips(self, tiles: Range<usize>) -> impl Iterator<Item = Strip> {
        let mut rows = GridCells::after(tiles.start / self.per_row, [self.height, 1]);
        let mut part = tiles.start % self.per_row;
        let mut at = tiles.start;
        let [mut image, mut row] = [0; 2];
        let mut fresh = true;
        std::iter::from_fn(move || {
            if at == tiles.end {
                return None;
            }
            if fresh {
                [image, row, _] = rows.next()?;
            }
            let most = if at == tiles.start { 1 } else { tiles.end - at };
            let columns = self.columns.get(part);
            let strip = Strip {
                before: at - tiles.start,
                image,
                row,
                column: columns.start,
                pixels: columns.len(),
                tiles: self.columns.alike(part..self.per_row).min(most),
            };
            at += strip.tiles;
            part += strip.tiles;
            fresh = part == self.per_row;
            if fresh {
                part = 0;
            }
            Some(strip)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strips_are_all_tiles_in_order(
            height in 1_usize..5,
            width in 1_usize..60,
            widest in 1_usize..15,
            start in 0_usize..40,
            count in 0_usize..60,
        ) {
            let rows = Rows::new([height, width], widest);
            let per_row = width.div_ceil(widest);
            let columns = Partition::new(width, per_row);
            let mut tiles = Vec::new();
            let strips: Vec<Strip> = rows.strips(start..start + count).collect();
            for strip in &strips {
                prop_assert_eq!(strip.before, tiles.len());
                for tile in 0..strip.tiles {
                    let first = strip.column + tile * strip.pixels;
                    tiles.push((strip.image, strip.row, first..first + strip.pixels));
                }
            }
            let expected: Vec<_> = (start..start + count)
                .map(|tile| {
                    let row = tile / per_row;
                    (row / height, row % height, columns.get(tile % per_row))
                })
                .collect();
            prop_assert_eq!(tiles, expected);
            prop_assert!(strips.iter().all(|strip| strip.pixels <= widest));
            prop_assert!(strips.first().is_none_or(|strip| strip.tiles == 1));
            // Two strips per row, the first tile, and the rest of its strip.
            prop_assert!(strips.len() <= 2 * (count.div_ceil(per_row) + 1) + 1);
        }
    }
}
