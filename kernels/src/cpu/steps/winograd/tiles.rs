//! Tiles of a map: their number, border, and offsets.

use super::{FEWEST, MOST, Winograd};
use crate::cpu::layout::{Border, ConvSpec, Map, Output};
use crate::cpu::micro::blocking::Blocking;
use crate::cpu::micro::winograd::{TileOffsets, WinogradTile};

/// All tiles there are, when they are one round whatever fits a cache.
const FEW: usize = 28;

impl WinogradTile {
    /// Whether it computes this convolution.
    pub fn fits(self, spec: &ConvSpec) -> bool {
        spec.kernel == [self.kernel(); 2]
            && spec.stride == [1, 1]
            && spec.dilation == [1, 1]
            && spec.groups == 1
    }

    /// Tiles along each axis of an output of this size.
    pub fn tiles(self, size: [usize; 2]) -> [usize; 2] {
        size.map(|length| length.div_ceil(self.outputs()))
    }

    /// Tiles that are transformed together, for an input of `depth` channels and an output of `size`: many, for
    /// each round reads all weights. A small image's are one round.
    pub fn tiles_per_round(self, depth: usize, size: [usize; 2], blocking: Blocking) -> usize {
        let widest = blocking.mr;
        let elements = self.inputs() * self.inputs();
        let [least, most] = [FEWEST, MOST].map(|tiles| (tiles / widest).max(1));
        let held = Blocking::WINOGRAD_ROUND_ELEMENTS / (elements * depth);
        let round = (held / widest).clamp(least, most) * widest;
        let [down, across] = self.tiles(size);
        match down * across {
            few if few <= FEW => round.max(few),
            _ => round,
        }
    }

    /// The border that its input needs for an output of this size: what is padded, and as much
    /// again as its last tiles reach over the edge.
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
    /// Where the tile of this image, row and column lies.
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
