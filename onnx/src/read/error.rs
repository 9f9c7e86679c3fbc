//! Errors of reading.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Reasons why an ONNX file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("{}: {source}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Reason.
        source: io::Error,
    },
    /// The bytes are not a message of Protocol Buffers.
    #[error("not an ONNX file: {message}")]
    Format {
        /// Reason.
        message: String,
    },
    /// The file has no graph.
    #[error("not an ONNX file, or an empty one: it contains no graph")]
    NoGraph,
    /// The version of the operators is missing or not supported.
    #[error(
        "opset {}, expected {} to {}",
        found.map_or("missing".to_owned(), |found| found.to_string()),
        super::options::OLDEST_OPSET,
        super::options::NEWEST_OPSET
    )]
    Opset {
        /// The version.
        found: Option<i64>,
    },
    /// The network does not have exactly one input.
    #[error("the network has {} inputs ({}), expected 1", names.len(), names.join(", "))]
    Inputs {
        /// Names of the inputs.
        names: Vec<String>,
    },
    /// The network has no output.
    #[error("the network has no outputs")]
    NoOutputs,
    /// The input is not a tensor of numbers.
    #[error("the input {input} has {found}, expected a tensor of numbers with a shape")]
    InputType {
        /// Name of the input.
        input: String,
        /// Value in the file.
        found: String,
    },
    /// The length of an axis of the input is neither in the file nor in the options.
    #[error(
        "axis {axis} of the input {input} has {}; {hint}",
        match name.as_str() { "" => "no length".to_owned(), name => format!("the length \"{name}\"") }
    )]
    DynamicAxis {
        /// Name of the input.
        input: String,
        /// The axis.
        axis: usize,
        /// Name of the length; empty if there is none.
        name: String,
        /// Remedy.
        hint: &'static str,
    },
    /// An option contradicts the file.
    #[error("the file has {what} {found}, expected the requested {requested}")]
    Fixed {
        /// What is fixed.
        what: &'static str,
        /// Value in the file.
        found: String,
        /// Requested value.
        requested: String,
    },
    /// The input has no elements or too many.
    #[error("the input {input} has shape {shape:?}, expected 1 to 2^40 elements")]
    InputSize {
        /// Name of the input.
        input: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A name stands for nothing.
    #[error("{reader} reads \"{name}\", which nothing writes")]
    Undefined {
        /// The name.
        name: String,
        /// Name of the node that reads it, or `the network`.
        reader: String,
    },
    /// A name stands for two values.
    #[error("\"{name}\" is written twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Nodes depend on their own results.
    #[error("the nodes form a circle: {}", nodes.join(", "))]
    Cycle {
        /// Names of some of the nodes.
        nodes: Vec<String>,
    },
    /// A constant is damaged.
    #[error("the tensor {tensor} has {message}")]
    Tensor {
        /// Name of the constant.
        tensor: String,
        /// Reason.
        message: String,
    },
    /// The file with the elements of a constant cannot be read.
    #[error("the elements of {tensor} cannot be read from another file: {message}")]
    ExternalData {
        /// Name of the constant.
        tensor: String,
        /// Reason.
        message: String,
    },
    /// Constants are sparse.
    #[error("the tensor {tensor} is sparse, expected dense tensors")]
    Sparse {
        /// Name of a sparse constant.
        tensor: String,
    },
    /// A node is not valid.
    #[error("{node} ({operator}, opset {opset}): {message}")]
    Node {
        /// Name of the node.
        node: String,
        /// Its operator.
        operator: String,
        /// Version of the operators.
        opset: i64,
        /// Reason.
        message: String,
    },
    /// Operators are not supported: all of the file.
    #[error("{}", Missing(operators))]
    Unsupported {
        /// The nodes with these operators.
        operators: Vec<MissingOperator>,
    },
}

/// A node whose operator is not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingOperator {
    /// Name of the node, or of its first output if it has none.
    pub node: String,
    /// Operator, with the name of its set if that is not ONNX's own: `Einsum`, `com.microsoft.FusedConv`.
    pub operator: String,
    /// Version of the operators.
    pub opset: i64,
    /// Reason.
    pub reason: String,
}

impl fmt::Display for MissingOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node,
            operator,
            opset,
            reason,
        } = self;
        write!(f, "{node} ({operator}, opset {opset}): {reason}")
    }
}

/// The list of operators that are not supported.
struct Missing<'a>(&'a [MissingOperator]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [one] => write!(f, "unsupported node {one}"),
            all => {
                write!(f, "{} unsupported nodes:", all.len())?;
                all.iter().try_for_each(|one| write!(f, "\n  {one}"))
            }
        }
    }
}
