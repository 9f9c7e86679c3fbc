//! Steps of a program.

use serde::{Deserialize, Serialize};

use crate::cpu::{
    AdaptiveMean, Algorithm, Apply, Binary, Constant, Contract, ConvSpec, CopyChannels, Depthwise,
    Direct, Export, FullyConnected, Import, Isa, Lrn, Map, MaxPool, MeanPool, Operation, Output,
    RadialBasis, Rearrange, Reduce, Resample, Separable, Softmax, Unary, Winograd,
};

/// A step with the name of its layer and its micro-batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProgramStep {
    /// Name of the layer in the graph.
    pub name: String,
    /// The operation.
    pub step: Step,
    /// Images that the step processes at a time: the whole batch, or a power of two, and not fewer
    /// than in the previous step.
    ///
    /// Consecutive steps with the same micro-batch form a segment. All steps of a segment run on
    /// one micro-batch before the next micro-batch starts, and a segment starts as soon as the
    /// preceding segments have completed one of its micro-batches (depth-first execution), so that
    /// maps stay in the cache.
    pub micro_batch: usize,
}

/// Operation of a step. The algorithms are documented at their types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Reorders the caller's images into a map.
    Import(Import),
    /// Direct convolution; pointwise and fully connected layers are special cases.
    Direct(Direct),
    /// Fully connected layer with 24-bit weights.
    FullyConnected(FullyConnected),
    /// Winograd convolution.
    Winograd(Winograd),
    /// Depthwise convolution.
    Depthwise(Depthwise),
    /// Depthwise convolution fused with the pointwise convolution after it.
    Separable(Box<Separable>),
    /// Max pooling.
    MaxPool(MaxPool),
    /// Mean pooling.
    MeanPool(MeanPool),
    /// Adaptive mean pooling.
    AdaptiveMean(AdaptiveMean),
    /// Local response normalization.
    Lrn(Lrn),
    /// Elementwise operation on two maps.
    Binary(Binary),
    /// Activation.
    Unary(Unary),
    /// Softmax over channels.
    Softmax(Softmax),
    /// Squared Euclidean distances from centers (radial basis functions).
    RadialBasis(RadialBasis),
    /// Copies a map into channels of another map.
    CopyChannels(CopyChannels),
    /// Copies elements: transposes, slices, padding, gathers.
    Rearrange(Rearrange),
    /// Elementwise function.
    Apply(Apply),
    /// Reduction along any axes.
    Reduce(Reduce),
    /// Product of two maps, summed along any axes.
    Contract(Contract),
    /// Interpolation of rows and columns.
    Resample(Resample),
    /// Constant map.
    Constant(Constant),
    /// Reorders a map into one of the caller's output arrays.
    Export(Export),
}

impl Step {
    /// The step that computes the convolution `spec` of `x` by `algorithm`, which
    /// [fits](Algorithm::fits) it, with packed weights from element `weights` on; and the number of
    /// packed elements. `x` has at least the [border](Algorithm::border) of the algorithm.
    ///
    /// # Panics
    ///
    /// When the processor lacks `isa`.
    pub fn convolution(
        algorithm: Algorithm,
        spec: ConvSpec,
        x: Map,
        output: Output,
        weights: usize,
        isa: Isa,
    ) -> (Self, usize) {
        let (step, len) = ConvStep::new(algorithm, spec, x, output, weights, isa);
        (step.into(), len)
    }

    /// Packs the weights, `[out, in / groups, height, width]`, and the bias of a
    /// [`convolution`](Self::convolution) into `packed`.
    ///
    /// # Panics
    ///
    /// When the step is not a convolution, or `packed` is too short.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        match self {
            Self::Direct(step) => step.pack(weights, bias, packed),
            Self::FullyConnected(step) => step.pack(weights, bias, packed),
            Self::Depthwise(step) => step.pack(weights, bias, packed),
            Self::Winograd(step) => step.pack(weights, bias, packed),
            other => panic!("expected a convolution step, found {other:?}"),
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
            Self::Rearrange(step) => step,
            Self::Apply(step) => step,
            Self::Reduce(step) => step,
            Self::Contract(step) => step,
            Self::Resample(step) => step,
            Self::Constant(step) => step,
            Self::Export(step) => step,
        }
    }
}

/// Step that computes a convolution: one variant for each [`Algorithm`].
pub(crate) enum ConvStep {
    Direct(Direct),
    FullyConnected(FullyConnected),
    Depthwise(Depthwise),
    Winograd(Winograd),
}

impl ConvStep {
    /// As [`Step::convolution`].
    pub fn new(
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
}

impl From<ConvStep> for Step {
    fn from(step: ConvStep) -> Self {
        match step {
            ConvStep::Direct(step) => Self::Direct(step),
            ConvStep::FullyConnected(step) => Self::FullyConnected(step),
            ConvStep::Depthwise(step) => Self::Depthwise(step),
            ConvStep::Winograd(step) => Self::Winograd(step),
        }
    }
}
