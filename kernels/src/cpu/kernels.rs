//! The table of an instruction set's code.

use std::sync::LazyLock;

use super::binary::BinaryFns;
use super::blocking::Blocking;
use super::depthwise::DepthwiseFns;
use super::fully_connected::{FullyConnectedFns, fully_connected};
use super::gradient::{
    DepthwiseWeightGrad, DepthwiseWeightGradFn, LinearFns, LrnGrad, LrnGradFn, NormFns, SgdStep,
    SgdStepFn, WeightGradTiles,
};
use super::lrn::LrnFns;
use super::pool::{Adaptive, AdaptiveFn, PoolFns};
use super::radial_basis::{Distances, RadialBasisFn};
use super::reorder::{PlanesFn, ReorderToBlocked, ReorderToPlanar};
use super::simd::{Isa, Scalar, Simd};
use super::tile::Tiles;
use super::unary::{Each, UnaryFn};
use super::winograd::{InputTransforms, SumsTransforms, WeightTransforms};

/// The addresses of everything that differs between instruction sets.
pub(crate) struct Kernels {
    /// Elements of a vector, channels of a block.
    pub lanes: usize,
    /// How work is cut.
    pub blocking: Blocking,
    pub(super) tiles: Tiles,
    /// Taps that a tile goes by between two of its looks [ahead](super::prefetch).
    pub(super) steps: usize,
    pub(super) winograd_input: InputTransforms,
    pub(super) winograd_sums: SumsTransforms,
    pub(super) depthwise: DepthwiseFns,
    pub(super) fully_connected: FullyConnectedFns,
    pub(super) pools: PoolFns,
    pub(super) adaptive_mean: AdaptiveFn,
    pub(super) lrn: LrnFns,
    pub(super) radial_basis: RadialBasisFn,
    pub(super) unary: UnaryFn,
    pub(super) binary: BinaryFns,
    pub(super) reorder_to_blocked: PlanesFn,
    pub(super) reorder_to_planar: PlanesFn,
    pub(super) winograd_weights: WeightTransforms,
    pub(super) weight_grad_tiles: WeightGradTiles,
    /// Of any kernel, and of 3x3.
    pub(super) depthwise_weight_grad: [DepthwiseWeightGradFn; 2],
    pub(super) norm: NormFns,
    pub(super) linear: LinearFns,
    pub(super) lrn_grad: LrnGradFn,
    pub(super) sgd_step: SgdStepFn,
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
            winograd_sums: SumsTransforms::of::<S>(),
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
