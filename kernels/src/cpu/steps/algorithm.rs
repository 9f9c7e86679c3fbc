//! The algorithms that compute a convolution.

use super::fully_connected::FullyConnected;
use crate::cpu::layout::{Border, ConvSpec};
use crate::cpu::micro::winograd::WinogradTile;

/// What computes a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// The sum of the definition, whatever the kernel, stride and groups.
    Direct,
    /// The same where each output channel sees one input channel.
    Depthwise,
    /// Winograd's, with tiles of this size.
    Winograd(WinogradTile),
    /// The sum of the definition for an output of one pixel, with [weights in 24 bits](FullyConnected).
    FullyConnected,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Direct,
        Self::FullyConnected,
        Self::Depthwise,
        Self::Winograd(WinogradTile::Two),
        Self::Winograd(WinogradTile::Four),
        Self::Winograd(WinogradTile::TwoOfFive),
    ];

    /// Its name: `direct`, `depthwise`, or Winograd's outputs and taps along one axis, such as
    /// `winograd f(4,3)`.
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

    /// Whether it computes `spec` for an output of this size, of a planar input or one in blocks.
    pub fn fits(self, spec: &ConvSpec, output: [usize; 2], planar: bool) -> bool {
        match self {
            Self::Direct => true,
            Self::FullyConnected => FullyConnected::fits(spec, output) && !planar,
            Self::Depthwise => spec.is_depthwise() && !planar,
            Self::Winograd(tile) => tile.fits(spec) && !planar,
        }
    }

    /// Those that a convolution is chosen among: a depthwise one has an algorithm of its own.
    pub fn candidates(spec: &ConvSpec, output: [usize; 2], planar: bool) -> Vec<Self> {
        if Self::Depthwise.fits(spec, output, planar) {
            return vec![Self::Depthwise];
        }
        let all = Self::ALL.into_iter();
        all.filter(|algorithm| algorithm.fits(spec, output, planar))
            .collect()
    }

    /// Whether it adds up the products of the definition, with the weights as they are.
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Direct | Self::Depthwise)
    }

    /// The zeros that it reads around its input, for an output of this size.
    pub fn border(self, spec: &ConvSpec, output: [usize; 2]) -> Border {
        match self {
            Self::Direct | Self::Depthwise | Self::FullyConnected => spec.padding,
            Self::Winograd(tile) => tile.border(spec, output),
        }
    }
}
