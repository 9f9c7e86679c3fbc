//! Errors of compiling, saving and loading a network.

use std::path::PathBuf;

use receptive_kernels::cpu::{Isa, UnknownIsa};
use receptive_kernels::plan::ProgramError;

use crate::graph::GraphError;

/// The network could not be compiled, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The network could not be recorded.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A layer cannot be compiled.
    #[error("layer {layer}: {problem}")]
    Layer {
        /// Name of the node in the graph.
        layer: String,
        /// Reason.
        problem: Problem,
    },
    /// The network's input has no elements, or images of no axes.
    #[error("the network's input is {found:?}, expected [batch, ..] with axes of at least 1")]
    Input {
        /// Shape of the input.
        found: Vec<usize>,
    },
    /// An option names a layer that is not a convolution of the network.
    #[error("unknown convolution {requested:?}, expected one of {}", known.join(", "))]
    UnknownLayer {
        /// Requested name.
        requested: String,
        /// Names of the convolutions in execution order.
        known: Vec<String>,
    },
    /// The batch size is 0.
    #[error("the batch size is 0, expected at least 1")]
    EmptyBatch,
    /// The batch size is another than the recorded one, and the network does not compute each image
    /// by itself.
    #[error(
        "the batch size is {requested}, expected {recorded} as recorded: with another number of images, the \
         network computes other operations, or combines images"
    )]
    BatchSize {
        /// Requested batch size, in images.
        requested: usize,
        /// Recorded batch size, in images.
        recorded: usize,
    },
    /// The environment variable `RECEPTIVE_ISA` names no instruction set.
    #[error(transparent)]
    UnknownIsa(#[from] UnknownIsa),
    /// The machine does not support the requested instruction set.
    #[error("this machine does not support {isa}, expected one of {}", Isa::available().map(Isa::name).collect::<Vec<_>>().join(", "))]
    MissingIsa {
        /// Requested instruction set.
        isa: Isa,
    },
    /// The program of steps is invalid.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A file could not be written or read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Reason why a layer cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No kernel computes the operation.
    #[error("{operation} cannot be compiled, expected {expected}")]
    Unsupported {
        /// The operation and its shape.
        operation: String,
        /// Supported operations or operands.
        expected: &'static str,
    },
    /// The elements of a weight are unknown.
    #[error("{value} has no elements, expected a recorded model or random weights")]
    NoValues {
        /// Name of the parameter, or `constant` or `value` with an index.
        value: String,
    },
    /// The number of a weight's elements does not match its shape.
    #[error("{value} has {found} elements, expected {expected}")]
    Size {
        /// Name of the parameter, or `constant` or `value` with an index.
        value: String,
        /// Number of elements.
        found: usize,
        /// Number of elements that the shape requires.
        expected: usize,
    },
    /// The options request an algorithm that does not support this convolution.
    #[error("{algorithm} does not support this convolution, expected one of {}", fitting.join(", "))]
    Algorithm {
        /// Requested algorithm.
        algorithm: &'static str,
        /// Algorithms that support the convolution.
        fitting: Vec<&'static str>,
    },
}

impl Problem {
    /// Returns the error of this problem in the layer `layer`.
    pub(super) fn in_layer(self, layer: &str) -> CompileError {
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

/// The file of a compiled network could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system could not read or write the file.
    #[error("{}: {source}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a compiled network.
    #[error("{}: not a compiled network, expected a file that Compiled::save wrote", path.display())]
    NotCompiled {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file has an unsupported format version.
    #[error("{}: format version {found}, expected {expected}", path.display())]
    Version {
        /// Path of the file.
        path: PathBuf,
        /// Format version of the file.
        found: u32,
        /// Supported format version.
        expected: u32,
    },
    /// The file is truncated, or has trailing bytes.
    #[error("{}: {found} bytes, expected {expected}", path.display())]
    Length {
        /// Path of the file.
        path: PathBuf,
        /// Length of the file, in bytes.
        found: u64,
        /// Length that the header requires, in bytes.
        expected: u64,
    },
    /// The file is corrupt: the checksum does not match the content.
    #[error("{}: the SHA-256 of its content is {found}, expected {expected}", path.display())]
    Checksum {
        /// Path of the file.
        path: PathBuf,
        /// SHA-256 of the content, in hexadecimal.
        found: String,
        /// SHA-256 that the file stores, in hexadecimal.
        expected: String,
    },
    /// The header is invalid.
    #[error("{}: invalid header: {reason}", path.display())]
    Header {
        /// Path of the file.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// The machine does not support the instruction set that the weights are packed for.
    #[error("{}: packed for {isa}, which this machine does not support; compile the network on this machine", path.display())]
    Isa {
        /// Path of the file.
        path: PathBuf,
        /// Instruction set of the file.
        isa: Isa,
    },
}
