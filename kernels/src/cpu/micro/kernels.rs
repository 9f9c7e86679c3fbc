//! Table of an instruction set's micro-kernels.

use std::sync::LazyLock;

use super::accumulate::AccumulateFns;
use super::activation::{ApplyActivation, UnaryFn};
use super::adaptive_mean::{Adaptive, AdaptiveFn};
use super::binary::BinaryFns;
use super::blocking::Blocking;
use super::contract::{ContractFn, SumProducts};
use super::depthwise::DepthwiseFns;
use super::fully_connected::{FullyConnectedFns, fully_connected};
use super::function::{ApplyFunction, FunctionFn};
use super::gradient::{
    DepthwiseWeightGrad, DepthwiseWeightGradFn, LinearFns, LrnGrad, LrnGradFn, NormFns, SgdStep,
    SgdStepFn, WeightGradTiles,
};
use super::lrn::LrnFns;
use super::pool::PoolFns;
use super::radial_basis::{Distances, RadialBasisFn};
use super::reorder::{PlanesFn, ReorderToBlocked, ReorderToPlanar};
use super::resample::{ResampleFn, ResampleRow};
use super::simd::{Isa, Scalar, Simd};
use super::tile::Tiles;
use super::winograd::{InputTransforms, OutputTransforms, WeightTransforms};

/// Entry points of an instruction set's micro-kernels.
pub(crate) struct Kernels {
    /// Elements of a vector; channels of a block.
    pub lanes: usize,
    /// Block sizes of the algorithms.
    pub blocking: Blocking,
    pub(crate) tiles: Tiles,
    /// Taps of a tile between two [prefetches](super::prefetch).
    pub(crate) unroll: usize,
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
    pub(crate) function: FunctionFn,
    pub(crate) contract: ContractFn,
    pub(crate) accumulate: AccumulateFns,
    pub(crate) resample: ResampleFn,
    pub(crate) reorder_to_blocked: PlanesFn,
    pub(crate) reorder_to_planar: PlanesFn,
    pub(crate) winograd_weights: WeightTransforms,
    pub(crate) weight_grad_tiles: WeightGradTiles,
    /// For any kernel size, and for 3x3.
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
                mr: S::MR,
                mr_single: S::MR_SINGLE,
                kc_nr: S::KC_NR,
                mc_kc: S::MC_KC,
            },
            tiles: Tiles::of::<S>(),
            unroll: S::UNROLL,
            winograd_input: InputTransforms::of::<S>(),
            winograd_output: OutputTransforms::of::<S>(),
            depthwise: DepthwiseFns::of::<S>(),
            fully_connected: fully_connected::<S>(),
            pools: PoolFns::of::<S>(),
            adaptive_mean: S::entry::<Adaptive>(),
            lrn: LrnFns::of::<S>(),
            radial_basis: S::entry::<Distances>(),
            unary: S::entry::<ApplyActivation>(),
            binary: BinaryFns::of::<S>(),
            contract: S::entry::<SumProducts>(),
            accumulate: AccumulateFns::of::<S>(),
            function: S::entry::<ApplyFunction>(),
            resample: S::entry::<ResampleRow>(),
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

    /// The table of `isa`.
    ///
    /// # Panics
    ///
    /// When the processor lacks `isa`.
    pub fn get(isa: Isa) -> &'static Self {
        assert!(isa.is_available(), "the processor lacks {isa}");
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
    /// Block sizes of the algorithms on this instruction set.
    ///
    /// # Panics
    ///
    /// When the processor lacks the instruction set.
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
