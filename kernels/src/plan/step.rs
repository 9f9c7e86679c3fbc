//! The steps of a program.

use serde::{Deserialize, Serialize};

use crate::cpu::{
    AdaptiveMean, Algorithm, Binary, ConvSpec, CopyChannels, Depthwise, Direct, Export,
    FullyConnected, Import, Isa, Lrn, Map, MaxPool, MeanPool, Operation, Output, RadialBasis,
    Separable, Softmax, Unary, Winograd,
};

/// A step, and the layer that it computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProgramStep {
    /// The layer's name, as the graph has it.
    pub name: String,
    /// What it does.
    pub step: Step,
    /// Images that pass it at a time: all of the largest batch, or a power of two, and not fewer than pass the step
    /// before. Steps in a row with the same number form a stretch: so many images pass all of it before
    /// the next do, and it waits for no more to have passed those before it, so that all maps stay in
    /// the cache.
    pub micro_batch: usize,
}

/// What a step does. Each is documented where its algorithm is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The caller's images to a map.
    Import(Import),
    /// Direct convolution, pointwise and fully connected layers.
    Direct(Direct),
    /// Fully connected layers, with weights in 24 bits.
    FullyConnected(FullyConnected),
    /// Convolution by Winograd's algorithm.
    Winograd(Winograd),
    /// Depthwise convolution.
    Depthwise(Depthwise),
    /// A depthwise convolution and the pointwise one after it.
    Separable(Box<Separable>),
    /// The greatest of each window.
    MaxPool(MaxPool),
    /// The mean of each window.
    MeanPool(MeanPool),
    /// The means of a map's parts.
    AdaptiveMean(AdaptiveMean),
    /// Local response normalization.
    Lrn(Lrn),
    /// Two maps, element by element.
    Binary(Binary),
    /// An activation by itself.
    Unary(Unary),
    /// Softmax over channels.
    Softmax(Softmax),
    /// Squared distances from centers.
    RadialBasis(RadialBasis),
    /// A map into channels of another.
    CopyChannels(CopyChannels),
    /// A map to the caller's output.
    Export(Export),
}

impl Step {
    /// The convolution `spec` of `x` by `algorithm`, which [fits](Algorithm::fits) it, with its weights packed
    /// from element `weights` on; and how many elements they are. `x` has at least the algorithm's
    /// [border](Algorithm::border).
    ///
    /// # Panics
    ///
    /// Where this machine lacks `isa`.
    pub fn convolution(
        algorithm: Algorithm,
        spec: ConvSpec,
        x: Map,
        output: Output,
        weights: usize,
        isa: Isa,
    ) -> (Self, usize) {
        let lanes = isa.lanes();
        match algorithm {
            Algorithm::Direct => (
                Self::Direct(Direct::new(spec, x, output, weights)),
                Direct::packed_len(&spec, x.lanes, lanes),
            ),
            Algorithm::FullyConnected => (
                Self::FullyConnected(FullyConnected::new(spec, x, output, weights)),
                FullyConnected::packed_len(&spec, lanes),
            ),
            Algorithm::Depthwise => (
                Self::Depthwise(Depthwise::new(spec, x, output, weights)),
                Depthwise::packed_len(&spec, lanes),
            ),
            Algorithm::Winograd(tile) => {
                let step = Winograd::new(tile, spec, x, output, weights, isa.blocking());
                let len = Winograd::packed_len(tile, &spec, lanes);
                (Self::Winograd(step), len)
            }
        }
    }

    /// Packs the weights, `[out, in / groups, height, width]`, and the bias of a
    /// [`convolution`](Self::convolution).
    ///
    /// # Panics
    ///
    /// Another step's, and where there is no room.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        match self {
            Self::Direct(step) => step.pack(weights, bias, packed),
            Self::FullyConnected(step) => step.pack(weights, bias, packed),
            Self::Depthwise(step) => step.pack(weights, bias, packed),
            Self::Winograd(step) => step.pack(weights, bias, packed),
            other => panic!("expected a convolution, found {other:?}"),
        }
    }

    /// The implementation of this step.
    pub(crate) fn operation(&self) -> &dyn Operation {
        match self {
            Self::Import(step) => step,
            Self::Direct(step) => step,
            Self::FullyConnected(step) => step,
            Self::Winograd(step) => step,
            Self::Depthwise(step) => step,
            Self::Separable(step) => &**step,
            Self::MaxPool(step) => step,
            Self::MeanPool(step) => step,
            Self::AdaptiveMean(step) => step,
            Self::Lrn(step) => step,
            Self::Binary(step) => step,
            Self::Unary(step) => step,
            Self::Softmax(step) => step,
            Self::RadialBasis(step) => step,
            Self::CopyChannels(step) => step,
            Self::Export(step) => step,
        }
    }
}
