//! Offsets of the tiles of a round, and the prefetch of later tiles.

/// Tiles ahead of the current one whose maps are prefetched.
const PREFETCH_DISTANCE: usize = 3;

/// Offsets in the arena of a tile, for the first block of each map.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TileOffsets {
    /// Offset of the tile's input window, border included.
    pub x: usize,
    /// Offsets of the tile's outputs, and of the residual.
    pub y: usize,
    pub residual: usize,
    /// Rows and columns of the tile inside the output map.
    pub size: [usize; 2],
}

/// The tile to prefetch while tile number `tile` of `tiles` is transformed, and the number of
/// blocks of channels by which that tile is ahead.
#[inline(always)]
pub(crate) fn prefetch_tile(tile: usize, tiles: &[TileOffsets]) -> (usize, TileOffsets) {
    match tile + PREFETCH_DISTANCE {
        ahead if ahead < tiles.len() => (0, tiles[ahead]),
        ahead => (1, tiles[(ahead - tiles.len()).min(tile)]),
    }
}

/// `N` as a trip count that the compiler may unroll only for small tiles: fully unrolled, the
/// addresses of 36 elements would spill the registers.
#[inline(always)]
pub(crate) fn opaque<const N: usize>() -> usize {
    if N <= 4 { N } else { std::hint::black_box(N) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every tile but the first few of the first block is prefetched once, `PREFETCH_DISTANCE`
    /// tiles ahead.
    #[test]
    fn tiles_are_prefetched_once() {
        for count in 1..9 {
            let offsets = |tile| TileOffsets {
                x: tile,
                ..TileOffsets::default()
            };
            let tiles: Vec<TileOffsets> = (0..count).map(offsets).collect();
            for tile in 0..count {
                let (blocks_ahead, ahead) = prefetch_tile(tile, &tiles);
                let ahead = blocks_ahead * count + ahead.x - tile;
                assert!(
                    blocks_ahead <= 1 && ahead <= PREFETCH_DISTANCE,
                    "{tile} of {count}"
                );
                assert!(
                    ahead == PREFETCH_DISTANCE || count < PREFETCH_DISTANCE,
                    "{tile} of {count}"
                );
            }
        }
    }
}
