//! Errors of writing.

/// Reasons why a graph cannot be written as an ONNX file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The version of the operators is not supported.
    #[error("opset {requested}, expected 13 to {}", super::options::NEWEST_OPSET)]
    Opset {
        /// The requested version.
        requested: i64,
    },
    /// An operation has no ONNX operator.
    #[error("the operation {operation} of {node} cannot be written as ONNX")]
    Operation {
        /// Name of the node.
        node: String,
        /// Name of the operation.
        operation: String,
    },
    /// A parameter or constant has no elements: the graph was traced without weights.
    #[error("{value} has no elements; record the graph from a network with weights")]
    NoElements {
        /// Name of the parameter, or of the node that reads the constant.
        value: String,
    },
    /// The batch size cannot be left open.
    #[error("the network combines the images of a batch, so the batch size cannot be dynamic")]
    CombinesImages,
    /// The input is not an image that 8-bit pixels can be.
    #[error(
        "the input has shape {found:?}, expected [batch, 1 or 3, height, width] for an input of pixels"
    )]
    NoImage {
        /// Shape of the input.
        found: Vec<usize>,
    },
    /// The file is larger than the format allows.
    #[error(
        "the network has {bytes} bytes of weights, expected less than 2 GiB, the limit of ONNX files"
    )]
    TooLarge {
        /// Size of the weights in bytes.
        bytes: u64,
    },
}
