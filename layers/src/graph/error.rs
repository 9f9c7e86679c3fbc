//! Errors of recording a network.

use burn::backend::capture::CaptureError;

/// The network could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// `forward` returned no tensor.
    #[error("the network returned no tensor, expected at least one output")]
    NoOutput,
    /// An output is on another device than the model and the input.
    #[error(
        "output {index} is not on the recording device, expected an output computed from the input"
    )]
    OutputElsewhere {
        /// Zero-based index of the output.
        index: usize,
    },
    /// The network has no output of the requested name.
    #[error("no output is called {requested:?}; the outputs are {}", known.join(", "))]
    UnknownOutput {
        /// The requested name.
        requested: String,
        /// The names of all outputs.
        known: Vec<&'static str>,
    },
    /// An axis of the input has length 0.
    #[error("the input {shape:?} is empty, expected axes of at least 1")]
    EmptyInput {
        /// The requested input shape.
        shape: Vec<usize>,
    },
    /// `forward` panicked: the network does not accept an input of this shape, or `forward` reads
    /// the elements of a tensor.
    #[error("forward failed for an input of shape {shape:?}: {message}")]
    Forward {
        /// The requested input shape.
        shape: Vec<usize>,
        /// The message of the panic, in one line.
        message: String,
    },
    /// The input has more than 2^40 elements.
    #[error("the input {shape:?} is too large, expected at most 2^40 elements")]
    InputTooLarge {
        /// The requested input shape.
        shape: Vec<usize>,
    },
    /// Burn's capture device reported an error.
    #[error("the network could not be recorded: {0}")]
    Capture(CaptureError),
}
