//! What can go wrong with weights.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::format::{Format, Precision};

/// Why weights could not be read, written or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The operating system could not read the file.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system could not write the file; what was there before is untouched.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file's content is of none of the three formats.
    #[error(
        "{} is no weight file: expected a PyTorch checkpoint, SafeTensors or Burnpack",
        path.display()
    )]
    NotWeights {
        /// The file.
        path: PathBuf,
    },
    /// The file begins as a weight file does and goes on otherwise.
    #[error("{} is not readable as {format}: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What it begins as.
        format: Format,
        /// Where it goes wrong.
        reason: String,
    },
    /// The file is sound and holds no tensor.
    #[error("{} holds no tensors", path.display())]
    NoTensors {
        /// The file.
        path: PathBuf,
    },
    /// One tensor cannot be read or used.
    #[error("tensor {name}: {reason}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A value is out of the range of the precision to write.
    #[error("tensor {name} holds {value}, out of the range of {precision}; bf16 and f32 hold it")]
    OutOfRange {
        /// The tensor's name.
        name: String,
        /// The value.
        value: f32,
        /// The precision asked for.
        precision: Precision,
    },
    /// Weights under Burn's names were to be written; only a network can rename them.
    #[error(
        "these weights have Burn's own names and layouts: load them into their network and write \
         that network's state"
    )]
    BurnNames,
    /// The weights are not those of the network.
    #[error(
        "the weights do not fit the network: {}",
        describe(missing, unexpected, shapes)
    )]
    Mismatch {
        /// What the network needs and the weights lack.
        missing: Vec<String>,
        /// What the weights hold and the network has no place for.
        unexpected: Vec<String>,
        /// What both have, in different shapes.
        shapes: Vec<ShapeMismatch>,
    },
}

/// A tensor has one shape in the network and another in the weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// The tensor's name.
    pub name: String,
    /// The network's shape, in PyTorch's layout.
    pub expected: Vec<usize>,
    /// The weights' shape.
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

/// Names of each list that a message spells out; the rest is counted.
const SHOWN: usize = 8;

fn describe(missing: &[String], unexpected: &[String], shapes: &[ShapeMismatch]) -> String {
    [
        listing("missing", missing),
        listing("unexpected", unexpected),
        listing("of another shape", shapes),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join("; ")
}

fn listing<T: fmt::Display>(what: &str, items: &[T]) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    let mut shown: Vec<String> = items.iter().take(SHOWN).map(T::to_string).collect();
    if items.len() > SHOWN {
        shown.push(format!("and {} more", items.len() - SHOWN));
    }
    Some(format!("{} {what} ({})", items.len(), shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_end_in_a_count() {
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
            "the weights do not fit the network: 10 missing (layer0.weight, layer1.weight, \
             layer2.weight, layer3.weight, layer4.weight, layer5.weight, layer6.weight, \
             layer7.weight, and 2 more); 1 of another shape (fc.weight is [1000, 512], expected \
             [10, 512])"
        );
    }
}
