//! Sizes of Winograd tiles.

use serde::{Deserialize, Serialize};

/// A Winograd tile, `F(m x m, r x r)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WinogradTile {
    /// `F(2x2, 3x3)`: 16 products instead of 36.
    Two,
    /// `F(4x4, 3x3)`: 36 products instead of 144.
    Four,
    /// `F(2x2, 5x5)`: 36 products instead of 100.
    TwoOfFive,
}

impl WinogradTile {
    /// Outputs along each axis, `m`.
    pub const fn outputs(self) -> usize {
        match self {
            Self::Two | Self::TwoOfFive => 2,
            Self::Four => 4,
        }
    }

    /// Taps along each axis, `r`.
    pub const fn kernel(self) -> usize {
        match self {
            Self::Two | Self::Four => 3,
            Self::TwoOfFive => 5,
        }
    }

    /// Inputs along each axis, `m + r - 1`.
    pub const fn inputs(self) -> usize {
        self.outputs() + self.kernel() - 1
    }
}
