//! Errors of reading, writing and loading weights.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::format::{FloatType, Format};

/// Why weights cannot be read, written or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file cannot be written; an existing file at the path is unchanged.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's or the encoder's error.
        source: io::Error,
    },
    /// The file has none of the three formats.
    #[error(
        "{} is not a weight file: expected a PyTorch checkpoint, SafeTensors or Burnpack",
        path.display()
    )]
    NotWeights {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file starts like a weight file, but the rest violates the format.
    #[error("{} cannot be read as {format}: {reason}", path.display())]
    Corrupt {
        /// Path of the file.
        path: PathBuf,
        /// Format according to the first bytes.
        format: Format,
        /// The violation.
        reason: String,
    },
    /// The file is valid and contains no tensor.
    #[error("{} contains no tensors, expected at least one", path.display())]
    NoTensors {
        /// Path of the file.
        path: PathBuf,
    },
    /// The network has another number of classes than the weights, and no other difference.
    #[error(
        "the weights have a head of {found} classes, and the network has {expected} classes; expected a \
         network with_classes({found}), or a new head (--classes {expected})"
    )]
    Classes {
        /// Number of classes of the weights.
        found: usize,
        /// Number of classes of the network.
        expected: usize,
    },
    /// The file has no tensors under the requested key.
    #[error("{} has no tensors under the key {key:?}, expected one of {}", path.display(), count_and_quote(known))]
    NoKey {
        /// Path of the file.
        path: PathBuf,
        /// The requested key.
        key: String,
        /// The keys of the file, sorted.
        known: Vec<String>,
    },
    /// A tensor cannot be read or used.
    #[error("tensor {name}: {reason}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// The failure.
        reason: String,
    },
    /// A value is out of the range of the floating-point type in which it is to be written.
    #[error(
        "tensor {name} contains {value}, which is out of the range of {float_type}; write it as f32"
    )]
    OutOfRange {
        /// Name of the tensor.
        name: String,
        /// The value.
        value: f32,
        /// Floating-point type of the file.
        float_type: FloatType,
    },
    /// Weights under Burn's names cannot be written: only their network can rename them.
    #[error(
        "the weights have Burn's names and layouts, expected PyTorch's: load them into their \
         network and save that network's state dictionary"
    )]
    BurnNames,
    /// The weights do not have the tensors of the network.
    #[error(
        "the weights do not match the network: {}",
        describe_mismatch(missing, unexpected, shapes)
    )]
    Mismatch {
        /// Tensors of the network that the weights lack.
        missing: Vec<String>,
        /// Tensors of the weights that the network lacks.
        unexpected: Vec<String>,
        /// Tensors whose shapes differ.
        shapes: Vec<ShapeMismatch>,
    },
}

impl WeightsError {
    /// Returns [`WeightsError::Read`] of the file at `path`.
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    /// Returns [`WeightsError::Write`] of the file at `path`.
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    /// Returns [`WeightsError::Corrupt`] of the file at `path`.
    pub(super) fn corrupt(path: &Path, format: Format, reason: impl ToString) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            format,
            reason: reason.to_string(),
        }
    }
}

/// A tensor whose shape in the weights differs from its shape in the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// Name of the tensor.
    pub name: String,
    /// Shape in the network, in PyTorch's layout.
    pub expected: Vec<usize>,
    /// Shape in the weights.
    pub found: Vec<usize>,
}

impl fmt::Display for ShapeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            expected,
            found,
        } = self;
        write!(f, "{name} is {found:?}, expected {expected:?}")
    }
}

/// Maximum number of names of each list in a message; the others are counted.
const MAX_LISTED: usize = 8;

fn describe_mismatch(
    missing: &[String],
    unexpected: &[String],
    shapes: &[ShapeMismatch],
) -> String {
    [
        count_and_list("missing", missing),
        count_and_list("unexpected", unexpected),
        count_and_list("with a different shape", shapes),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join("; ")
}

fn count_and_quote(names: &[String]) -> String {
    let mut listed: Vec<String> = (names.iter().take(MAX_LISTED))
        .map(|name| format!("{name:?}"))
        .collect();
    if names.len() > MAX_LISTED {
        listed.push(format!("and {} more", names.len() - MAX_LISTED));
    }
    listed.join(", ")
}

fn count_and_list<T: fmt::Display>(what: &str, items: &[T]) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    let mut listed: Vec<String> = items.iter().take(MAX_LISTED).map(T::to_string).collect();
    if items.len() > MAX_LISTED {
        listed.push(format!("and {} more", items.len() - MAX_LISTED));
    }
    Some(format!("{} {what} ({})", items.len(), listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_end_with_a_count() {
        let error = WeightsError::Mismatch {
            missing: (0..10).map(|i| format!("layer{i}.weight")).collect(),
            unexpected: Vec::new(),
            shapes: vec![ShapeMismatch {
                name: "fc.weight".into(),
                expected: vec![10, 512],
                found: vec![1000, 512],
            }],
        };
        assert_eq!(
            error.to_string(),
            "the weights do not match the network: 10 missing (layer0.weight, layer1.weight, \
             layer2.weight, layer3.weight, layer4.weight, layer5.weight, layer6.weight, \
             layer7.weight, and 2 more); 1 with a different shape (fc.weight is [1000, 512], \
             expected [10, 512])"
        );
    }
}
