//! The steps of a program.

use serde::{Deserialize, Serialize};

use crate::cpu::{
    AccessSet, AdaptiveMean, Algorithm, Binary, CheckError, Context, ConvSpec, CopyChannels,
    Depthwise, Direct, Export, FullyConnected, Import, Isa, Lrn, Map, MaxPool, MeanPool, Memory,
    Output, RadialBasis, Separable, Softmax, Unary, Winograd,
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

    /// Elements of its own memory that each thread needs.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Direct(step) => step.scratch(),
            Self::FullyConnected(step) => step.scratch(),
            Self::Winograd(step) => step.scratch(),
            Self::Separable(step) => step.scratch(),
            Self::Lrn(step) => step.scratch(),
            _ => 0,
        }
    }

    /// What it reads and writes.
    pub(crate) fn accesses(&self) -> AccessSet {
        match self {
            Self::Import(step) => step.accesses(),
            Self::Direct(step) => step.accesses(),
            Self::FullyConnected(step) => step.accesses(),
            Self::Winograd(step) => step.accesses(),
            Self::Depthwise(step) => step.accesses(),
            Self::Separable(step) => step.accesses(),
            Self::MaxPool(step) => step.accesses(),
            Self::MeanPool(step) => step.accesses(),
            Self::AdaptiveMean(step) => step.accesses(),
            Self::Lrn(step) => step.accesses(),
            Self::Binary(step) => step.accesses(),
            Self::Unary(step) => step.accesses(),
            Self::Softmax(step) => step.accesses(),
            Self::RadialBasis(step) => step.accesses(),
            Self::CopyChannels(step) => step.accesses(),
            Self::Export(step) => step.accesses(),
        }
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        match self {
            Self::Import(step) => step.check(memory),
            Self::Direct(step) => step.check(memory),
            Self::FullyConnected(step) => step.check(memory),
            Self::Winograd(step) => step.check(memory),
            Self::Depthwise(step) => step.check(memory),
            Self::Separable(step) => step.check(memory),
            Self::MaxPool(step) => step.check(memory),
            Self::MeanPool(step) => step.check(memory),
            Self::AdaptiveMean(step) => step.check(memory),
            Self::Lrn(step) => step.check(memory),
            Self::Binary(step) => step.check(memory),
            Self::Unary(step) => step.check(memory),
            Self::Softmax(step) => step.check(memory),
            Self::RadialBasis(step) => step.check(memory),
            Self::CopyChannels(step) => step.check(memory),
            Self::Export(step) => step.check(memory),
        }
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The program was checked against the arena and weights of `cx`, and every step before this
    /// one has been run by all threads, but for those that it is
    /// [apart](AccessSet::is_disjoint) from.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        unsafe {
            match self {
                Self::Import(step) => step.run(cx),
                Self::Direct(step) => step.run(cx),
                Self::FullyConnected(step) => step.run(cx),
                Self::Winograd(step) => step.run(cx),
                Self::Depthwise(step) => step.run(cx),
                Self::Separable(step) => step.run(cx),
                Self::MaxPool(step) => step.run(cx),
                Self::MeanPool(step) => step.run(cx),
                Self::AdaptiveMean(step) => step.run(cx),
                Self::Lrn(step) => step.run(cx),
                Self::Binary(step) => step.run(cx),
                Self::Unary(step) => step.run(cx),
                Self::Softmax(step) => step.run(cx),
                Self::RadialBasis(step) => step.run(cx),
                Self::CopyChannels(step) => step.run(cx),
                Self::Export(step) => step.run(cx),
            }
        }
    }
}
