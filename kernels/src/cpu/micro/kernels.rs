//! The table of an instruction set's code.

use std::sync::LazyLock;

use super::adaptive_mean::{Adaptive, AdaptiveFn};
use super::binary::BinaryFns;
use super::blocking::Blocking;
use super::depthwise::DepthwiseFns;
use super::fully_connected::{FullyConnectedFns, fully_connected};
use super::gradient::{
    DepthwiseWeightGrad, DepthwiseWeightGradFn, LinearFns, LrnGrad, LrnGradFn, NormFns, SgdStep,
    SgdStepFn, WeightGradTiles,
};
use super::lrn::LrnFns;
use super::pool::PoolFns;
use super::radial_basis::{Distances, RadialBasisFn};
use super::reorder::{PlanesFn, ReorderToBlocked, ReorderToPlanar};
use super::simd::{Isa, Scalar, Simd};
use super::tile::Tiles;
use super::unary::{Each, UnaryFn};
use super::winograd::{InputTransforms, OutputTransforms, WeightTransforms};

/// The addresses of everything that differs between instruction sets.
pub(crate) struct Kernels {
    /// Elements of a vector, channels of a block.
    pub lanes: usize,
    /// How work is cut.
    pub blocking: Blocking,
    pub(crate) tiles: Tiles,
    /// Taps that a tile goes by between two of its looks [ahead](super::prefetch).
    pub(crate) steps: usize,
    pub(crate) winograd_input: InputTransforms,
    pub(crate) winograd_output: OutputTransforms,
    pub(crate) depthwise: DepthwiseFns,
    pub(crate) fully_connected: FullyConnectedFns,
    pub(crate) pools: PoolFns,
    pub(crate) adaptive_mean: AdaptiveFn,
    pub(crate) lrn: LrnFns,
    pub(crate) radial_basis: RadialBasisFn,
    pub(crate) unary: UnaryFn,
    pub(crate) binary: BinaryFns,
    pub(crate) reorder_to_blocked: PlanesFn,
    pub(crate) reorder_to_planar: PlanesFn,
    pub(crate) winograd_weights: WeightTransforms,
    pub(crate) weight_grad_tiles: WeightGradTiles,
    /// Of any kernel, and of 3x3.
    pub(crate) depthwise_weight_grad: [DepthwiseWeightGradFn; 2],
    pub(crate) norm: NormFns,
    pub(crate) linear: LinearFns,
    pub(crate) lrn_grad: LrnGradFn,
    pub(crate) sgd_step: SgdStepFn,
}

impl Kernels {
    fn of<S: Simd>() -> Self {
        Self {
            lanes: S::LANES,
            blocking: Blocking {
                mr: S::TILE,
                mr_single: S::ALONE,
                kc_nr: S::PANEL,
                mc_kc: S::CACHE,
            },
            tiles: Tiles::of::<S>(),
            steps: S::STEPS,
            winograd_input: InputTransforms::of::<S>(),
            winograd_output: OutputTransforms::of::<S>(),
            depthwise: DepthwiseFns::of::<S>(),
            fully_connected: fully_connected::<S>(),
            pools: PoolFns::of::<S>(),
            adaptive_mean: S::entry::<Adaptive>(),
            lrn: LrnFns::of::<S>(),
            radial_basis: S::entry::<Distances>(),
            unary: S::entry::<Each>(),
            binary: BinaryFns::of::<S>(),
            reorder_to_blocked: S::entry::<ReorderToBlocked>(),
            reorder_to_planar: S::entry::<ReorderToPlanar>(),
            winograd_weights: WeightTransforms::of::<S>(),
            weight_grad_tiles: WeightGradTiles::of::<S>(),
            depthwise_weight_grad: [
                S::entry::<DepthwiseWeightGrad<1>>(),
                S::entry::<DepthwiseWeightGrad<3>>(),
            ],
            norm: NormFns::of::<S>(),
            linear: LinearFns::of::<S>(),
            lrn_grad: S::entry::<LrnGrad>(),
            sgd_step: S::entry::<SgdStep>(),
        }
    }

    /// Those of `isa`, which this machine must have.
    pub fn get(isa: Isa) -> &'static Self {
        assert!(isa.is_available(), "this machine has no {isa}");
        macro_rules! table {
            ($set:ty) => {{
                static TABLE: LazyLock<Kernels> = LazyLock::new(Kernels::of::<$set>);
                &TABLE
            }};
        }
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => table!(super::simd::Avx512),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => table!(super::simd::Avx2),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => table!(super::simd::Neon),
            #[cfg(all(
                target_arch = "wasm32",
                any(target_feature = "simd128", feature = "simd128")
            ))]
            Isa::Simd128 => table!(super::simd::Simd128),
            _ => table!(Scalar),
        }
    }
}

impl Isa {
    /// How its algorithms cut their work.
    ///
    /// # Panics
    ///
    /// Where this machine lacks it.
    pub fn blocking(self) -> Blocking {
        Kernels::get(self).blocking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_as_many_channels_as_vectors_lanes() {
        for isa in Isa::available() {
            assert_eq!(isa.lanes(), Kernels::get(isa).lanes, "{isa}");
        }
    }
}
