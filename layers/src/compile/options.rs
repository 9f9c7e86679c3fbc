//! What is asked of a compiled network.

use std::collections::BTreeMap;

use receptive_kernels::cpu::{Algorithm, Isa};

/// How a network is compiled. The default is the fastest that the machine can do, for the batch that
/// was recorded.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Images of the largest batch; the recorded batch if `None`. Other algorithms may be the fastest for
    /// more images, so that plans for different batches may differ in the last bits; with the same
    /// [`algorithms`](Self::algorithms) they do not.
    pub batch: Option<usize>,
    /// Threads that run it; if `None`, as many as there are physical cores, and one for a network of
    /// less than 3 million multiply-adds. With [`Tuning::Modelled`], results do not depend on it.
    pub threads: Option<usize>,
    /// Which algorithms may be used.
    pub precision: Precision,
    /// How algorithms are chosen.
    pub tuning: Tuning,
    /// The instruction set; the one that `RECEPTIVE_ISA` names, or the fastest there is, if `None`.
    pub isa: Option<Isa>,
    /// Algorithms of single convolutions, by the names that they have in the graph, whatever the
    /// other options say.
    pub algorithms: BTreeMap<String, Algorithm>,
}

/// Which algorithms may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// All: results within 1e-4 of the largest logit.
    #[default]
    Fast,
    /// Those that add up the products of the definition: no Winograd, and no weights in 24 bits.
    Exact,
}

/// How the algorithm of each convolution is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tuning {
    /// By a model of the machine, the same on every run.
    #[default]
    Modelled,
    /// By running the network with each of them, some runs of a moment each.
    Measured,
}
