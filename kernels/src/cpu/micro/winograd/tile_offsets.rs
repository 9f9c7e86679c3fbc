//! Offsets of the tiles of a round, and the prefetch of later ones.

/// The tile, of those after the one at work, whose part of a map is brought nearer meanwhile.
const SOON: usize = 3;

/// Where a tile lies, in the first block of each map.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TileOffsets {
    /// Its window of the input, what is padded included.
    pub x: usize,
    /// Its outputs, and what is added to them.
    pub y: usize,
    pub residual: usize,
    /// Rows and columns of outputs that the map has.
    pub size: [usize; 2],
}

/// The tile of each block's `tiles` whose part of a map is brought nearer while tile `tile` is at work; and how
/// many blocks further it is.
#[inline(always)]
pub(crate) fn soon(tile: usize, tiles: &[TileOffsets]) -> (usize, TileOffsets) {
    match tile + SOON {
        soon if soon < tiles.len() => (0, tiles[soon]),
        soon => (1, tiles[(soon - tiles.len()).min(tile)]),
    }
}

/// `N`, the turns of a transform's loops, of which the compiler knows nothing unless it may write them out: 36 values
/// have more addresses than there are registers, and each would be fetched from memory.
#[inline(always)]
pub(crate) fn turns<const N: usize>() -> usize {
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
