//! Where a convolution's sums go.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::context::Context;
use super::map::Map;
use super::tile::TileArgs;

/// Where an algorithm's sums go: added to `residual` if there is one, through the activation, into
/// `y`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The output map.
    pub y: Map,
    /// A map of the same shape and lanes.
    pub residual: Option<Map>,
    /// The last thing that is done to an element.
    pub activation: Activation,
}

impl Output {
    /// Whether the pixels of all its maps' blocks are contiguous.
    pub fn is_dense(&self) -> bool {
        self.y.is_dense() && self.residual.is_none_or(|map| map.is_dense())
    }

    /// Lets a tile write from pixel `column` of `row` on, from `block` on, of `image`; a dense map's
    /// column may be beyond its row.
    ///
    /// # Safety
    ///
    /// The maps are within the arena.
    pub(super) unsafe fn place(
        &self,
        cx: &Context,
        [image, block, row, column]: [usize; 4],
        args: &mut TileArgs,
    ) {
        let at = |map: &Map| unsafe { cx.at(map.at(image, block, row, column)) };
        args.y = at(&self.y);
        args.y_pixel = self.y.lanes;
        args.y_block = self.y.block;
        if let Some(map) = &self.residual {
            args.residual = at(map);
            args.residual_pixel = map.lanes;
            args.residual_block = map.block;
        }
        args.activation = self.activation;
    }

    /// The same with all pixels of a block in one row.
    #[must_use]
    pub fn flat(&self) -> Self {
        Self {
            y: self.y.flat(),
            residual: self.residual.map(|map| map.flat()),
            ..*self
        }
    }
}
