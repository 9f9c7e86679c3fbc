//! Compiler options.

use std::collections::BTreeMap;

use receptive_kernels::cpu::{Algorithm, Isa};

/// Options of [`compile`](super::compile). The default compiles the fastest network that the
/// machine supports, for the recorded batch size.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Largest batch size, in images; the recorded batch size if `None`. Another batch size than the
    /// recorded one is an error if the network combines images
    /// ([`Graph::any_batch`](crate::graph::Graph::any_batch)). The batch size influences
    /// the choice of algorithms, so results for different batch sizes may differ in the last bits.
    /// With equal [`algorithms`](Self::algorithms), results are bit-identical.
    pub batch: Option<usize>,
    /// Number of threads; if `None`, the number of physical cores, or 1 for a network of less than
    /// 3 million multiply-adds per image. With [`Tuning::Modelled`], results do not depend on the
    /// number of threads.
    pub threads: Option<usize>,
    /// Allowed algorithms.
    pub precision: Precision,
    /// Method of choosing the algorithm of each convolution.
    pub tuning: Tuning,
    /// Instruction set; if `None`, the value of the environment variable `RECEPTIVE_ISA`, or the
    /// fastest instruction set of the machine.
    pub isa: Option<Isa>,
    /// Algorithms of individual convolutions, keyed by the name of the node in the graph. Takes
    /// precedence over [`precision`](Self::precision) and [`tuning`](Self::tuning).
    pub algorithms: BTreeMap<String, Algorithm>,
}

/// The algorithms that the compiler may choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Precision {
    /// All algorithms: errors are at most 1e-4 of the largest logit.
    #[default]
    Fast,
    /// Algorithms that sum the products of the convolution's definition: no Winograd, no 24-bit
    /// weights.
    Exact,
}

/// Method of choosing the algorithm of each convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Tuning {
    /// Chooses by a deterministic cost model of the machine.
    #[default]
    Modelled,
    /// Measures every candidate by running the network a few times.
    Measured,
}
