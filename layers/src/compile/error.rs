//! Why a network could not be compiled.

use std::path::PathBuf;

use receptive_kernels::cpu::{Isa, UnknownIsa};
use receptive_kernels::plan::ProgramError;

use crate::graph::GraphError;

/// Why a network could not be compiled, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The network could not be recorded.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A layer cannot be compiled.
    #[error("layer {layer}: {problem}")]
    Layer {
        /// The node's name in the graph.
        layer: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The network's input is no batch of maps or vectors.
    #[error(
        "the network's input is {found:?}, expected [batch, channels, height, width] or [batch, features]"
    )]
    Input {
        /// Its shape.
        found: Vec<usize>,
    },
    /// An option names a layer that is none of the network's convolutions.
    #[error("no convolution is called {asked:?}, expected one of {}", known.join(", "))]
    UnknownLayer {
        /// What was asked for.
        asked: String,
        /// The convolutions' names, in the order in which they run.
        known: Vec<String>,
    },
    /// A batch of no images.
    #[error("the batch is 0, expected at least 1")]
    EmptyBatch,
    /// The instruction set that the environment asks for does not exist.
    #[error(transparent)]
    UnknownIsa(#[from] UnknownIsa),
    /// This machine lacks the instruction set that was asked for.
    #[error("this machine has no {isa}, expected one of {}", Isa::available().map(Isa::name).collect::<Vec<_>>().join(", "))]
    MissingIsa {
        /// What was asked for.
        isa: Isa,
    },
    /// The program does not hold together.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A file could not be written or read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What is wrong with a layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no step for the operation.
    #[error("{operation} cannot be compiled, expected {expected}")]
    Unsupported {
        /// The operation, as it stands in the graph.
        operation: String,
        /// What there are steps for.
        expected: &'static str,
    },
    /// A weight's elements are not known.
    #[error("{value} has no elements, expected a recorded model or random weights")]
    NoValues {
        /// The parameter's name, or what stands in its place.
        value: String,
    },
    /// A weight has another size than its shape says.
    #[error("{value} has {found} elements, expected {expected}")]
    Size {
        /// The parameter's name, or what stands in its place.
        value: String,
        /// Elements there are.
        found: usize,
        /// Elements there should be.
        expected: usize,
    },
    /// The options ask for an algorithm that does not compute this convolution.
    #[error("{algorithm} does not compute this convolution, expected one of {}", fitting.join(", "))]
    Algorithm {
        /// What was asked for.
        algorithm: &'static str,
        /// What does.
        fitting: Vec<&'static str>,
    },
}

impl Problem {
    /// This problem of the layer `layer`.
    pub(super) fn of(self, layer: &str) -> CompileError {
        CompileError::Layer {
            layer: layer.to_owned(),
            problem: self,
        }
    }

    pub(super) fn unsupported(operation: impl Into<String>, expected: &'static str) -> Self {
        Self::Unsupported {
            operation: operation.into(),
            expected,
        }
    }
}

/// What is wrong with the file of a compiled network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{}: not a compiled network, expected a file that Compiled::save wrote", path.display())]
    NotCompiled {
        /// The file.
        path: PathBuf,
    },
    /// Another version wrote it.
    #[error("{}: written in version {found}, expected version {expected}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// It ends early, or something follows it.
    #[error("{}: {found} bytes, expected {expected}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes there are.
        found: u64,
        /// Bytes that it says it has.
        expected: u64,
    },
    /// Its bytes are not those that were written.
    #[error("{}: the SHA-256 of its content is {found}, expected {expected}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What its content has.
        found: String,
        /// What it says it has.
        expected: String,
    },
    /// Its header is not understood.
    #[error("{}: the header is damaged: {reason}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// This machine lacks the instruction set that it is packed for.
    #[error("{}: packed for {isa}, which this machine does not have; compile the network here", path.display())]
    Isa {
        /// The file.
        path: PathBuf,
        /// The instruction set.
        isa: Isa,
    },
}
