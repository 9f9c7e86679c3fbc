//! Sizes of Winograd tiles.

use serde::{Deserialize, Serialize};

/// How large a tile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WinogradTile {
    /// `F(2x2, 3x3)`: 16 products for 36.
    Two,
    /// `F(4x4, 3x3)`: 36 products for 144.
    Four,
    /// `F(2x2, 5x5)`: 36 products for 100.
    TwoOfFive,
}

impl WinogradTile {
    /// Rows and columns of outputs.
    pub const fn outputs(self) -> usize {
        match self {
            Self::Two | Self::TwoOfFive => 2,
            Self::Four => 4,
        }
    }

    /// Rows and columns of the kernel.
    pub const fn kernel(self) -> usize {
        match self {
            Self::Two | Self::Four => 3,
            Self::TwoOfFive => 5,
        }
    }

    /// Rows and columns of inputs.
    pub const fn inputs(self) -> usize {
        self.outputs() + self.kernel() - 1
    }
}
