//! Algorithms that compute a convolution.

use super::fully_connected::FullyConnected;
use crate::cpu::layout::{Border, ConvSpec};
use crate::cpu::micro::winograd::WinogradTile;

/// An algorithm that computes a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Direct sums of products: any kernel, stride, dilation and groups.
    Direct,
    /// Direct sums of a depthwise convolution.
    Depthwise,
    /// Winograd's algorithm with this tile.
    Winograd(WinogradTile),
    /// Direct sums for an output of one pixel, with [24-bit weights](FullyConnected).
    FullyConnected,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 6] = [
        Self::Direct,
        Self::FullyConnected,
        Self::Depthwise,
        Self::Winograd(WinogradTile::Two),
        Self::Winograd(WinogradTile::Four),
        Self::Winograd(WinogradTile::TwoOfFive),
    ];

    /// Name: `direct`, `direct in 24 bits`, `depthwise`, or Winograd's outputs and taps along one
    /// axis, such as `winograd f(4,3)`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::FullyConnected => "direct in 24 bits",
            Self::Depthwise => "depthwise",
            Self::Winograd(WinogradTile::Two) => "winograd f(2,3)",
            Self::Winograd(WinogradTile::Four) => "winograd f(4,3)",
            Self::Winograd(WinogradTile::TwoOfFive) => "winograd f(2,5)",
        }
    }

    /// Whether the algorithm computes `spec` for an output of this size, from a planar or a blocked
    /// input.
    pub fn fits(self, spec: &ConvSpec, output: [usize; 2], planar: bool) -> bool {
        match self {
            Self::Direct => true,
            Self::FullyConnected => FullyConnected::fits(spec, output) && !planar,
            Self::Depthwise => spec.is_depthwise() && !planar,
            Self::Winograd(tile) => tile.fits(spec) && !planar,
        }
    }

    /// Algorithms to choose from. A depthwise convolution has only its own.
    pub fn candidates(spec: &ConvSpec, output: [usize; 2], planar: bool) -> Vec<Self> {
        if Self::Depthwise.fits(spec, output, planar) {
            return vec![Self::Depthwise];
        }
        let all = Self::ALL.into_iter();
        all.filter(|algorithm| algorithm.fits(spec, output, planar))
            .collect()
    }

    /// Whether the algorithm sums the products of the definition with unmodified weights.
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Direct | Self::Depthwise)
    }

    /// Border that the algorithm reads around its input, for an output of this size.
    pub fn border(self, spec: &ConvSpec, output: [usize; 2]) -> Border {
        match self {
            Self::Direct | Self::Depthwise | Self::FullyConnected => spec.padding,
            Self::Winograd(tile) => tile.border(spec, output),
        }
    }
}
