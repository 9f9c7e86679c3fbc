//! Tiles of an output map: their number, border and offsets.

use super::{MAX_TILES, MIN_TILES, Winograd};
use crate::cpu::layout::{Border, ConvSpec, Map, Output};
use crate::cpu::micro::blocking::Blocking;
use crate::cpu::micro::winograd::{TileOffsets, WinogradTile};

/// An image with at most this many tiles is one round, whatever the caches.
const SINGLE_ROUND_TILES: usize = 28;

impl WinogradTile {
    /// Whether the tile computes `spec`.
    pub fn fits(self, spec: &ConvSpec) -> bool {
        spec.kernel == [self.kernel(); 2]
            && spec.stride == [1, 1]
            && spec.dilation == [1, 1]
            && spec.groups == 1
    }

    /// Tiles along each axis of an output of `size`.
    pub fn tiles(self, size: [usize; 2]) -> [usize; 2] {
        size.map(|length| length.div_ceil(self.outputs()))
    }

    /// Tiles of a round for an input of `depth` channels and an output of `size`: as many as caches
    /// allow, since each round reads all weights. A small image is one round.
    pub fn tiles_per_round(self, depth: usize, size: [usize; 2], blocking: Blocking) -> usize {
        let widest = blocking.mr;
        let elements = self.inputs() * self.inputs();
        let [least, most] = [MIN_TILES, MAX_TILES].map(|tiles| (tiles / widest).max(1));
        let held = Blocking::WINOGRAD_ROUND_ELEMENTS / (elements * depth);
        let round = (held / widest).clamp(least, most) * widest;
        let [down, across] = self.tiles(size);
        match down * across {
            tiles if tiles <= SINGLE_ROUND_TILES => round.max(tiles),
            _ => round,
        }
    }

    /// Border that the input needs for an output of this size: the padding, and the reach of the
    /// last tiles beyond the output.
    pub fn border(self, spec: &ConvSpec, output: [usize; 2]) -> Border {
        let [over_y, over_x] =
            std::array::from_fn(|i| self.tiles(output)[i] * self.outputs() - output[i]);
        Border {
            bottom: spec.padding.bottom + over_y,
            right: spec.padding.right + over_x,
            ..spec.padding
        }
    }
}

impl Winograd {
    /// Offsets of the tile at this image, row and column.
    pub(crate) fn offsets_of(
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
