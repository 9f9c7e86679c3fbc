//! Where the tiles of a round lie, listed once for the transforms of inputs and of sums.

use super::super::map::Map;
use super::super::output::Output;
use super::Winograd;

/// The tile, of those after the one at work, whose part of a map is brought nearer meanwhile.
const SOON: usize = 3;

/// Where a tile lies, in the first block of each map.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cpu) struct TileOffsets {
    /// Its window of the input, what is padded included.
    pub x: usize,
    /// Its outputs, and what is added to them.
    pub y: usize,
    pub residual: usize,
    /// Rows and columns of outputs that the map has.
    pub size: [usize; 2],
}

impl Winograd {
    /// Where the tile of this image, row and column lies.
    pub(super) fn offsets_of(
        &self,
        x: &Map,
        output: &Output,
        [image, row, column]: [usize; 3],
    ) -> TileOffsets {
        let Output { y, residual, .. } = output;
        let [row, column] = [row, column].map(|at| at * self.tile.outputs());
        let padding = self.spec.padding;
        let top = x.border.top - padding.top + row;
        let left = x.border.left - padding.left + column;
        let at = |map: &Map| map.at(image, 0, row, column);
        let here = |length: usize, at: usize| (length - at).min(self.tile.outputs());
        TileOffsets {
            x: x.offset + image * x.image + top * x.row + left * x.lanes,
            y: at(y),
            residual: residual.as_ref().map_or(0, at),
            size: [here(y.height, row), here(y.width, column)],
        }
    }
}

/// The tile of each block's `tiles` whose part of a map is brought nearer while tile `tile` is at work; and how
/// many blocks further it is.
#[inline(always)]
pub(super) fn soon(tile: usize, tiles: &[TileOffsets]) -> (usize, TileOffsets) {
    match tile + SOON {
        soon if soon < tiles.len() => (0, tiles[soon]),
        soon => (1, tiles[(soon - tiles.len()).min(tile)]),
    }
}

/// `N`, the turns of a transform's loops, of which the compiler knows nothing unless it may write them out: 36 values
/// have more addresses than there are registers, and each would be fetched from memory.
#[inline(always)]
pub(super) fn turns<const N: usize>() -> usize {
    if N <= 4 { N } else { std::hint::black_box(N) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every tile but the first few of the first block is asked for once, some tiles before its turn.
    #[test]
    fn what_is_brought_nearer_is_what_comes() {
        for count in 1..9 {
            let spot = |tile| TileOffsets {
                x: tile,
                ..TileOffsets::default()
            };
            let tiles: Vec<TileOffsets> = (0..count).map(spot).collect();
            for tile in 0..count {
                let (next, soon) = soon(tile, &tiles);
                let ahead = next * count + soon.x - tile;
                assert!(next <= 1 && ahead <= SOON, "{tile} of {count}");
                assert!(ahead == SOON || count < SOON, "{tile} of {count}");
            }
        }
    }
}
