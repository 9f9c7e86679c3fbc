//! A row of results, its columns, and the writers of rows.

use std::io;

use receptive_layers::classifier::Prediction;

/// The result of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Path of the image.
    pub path: String,
    /// The answer, or the reason why there is none.
    pub answer: Result<Answer, Failure>,
}

/// The result of a network for an image.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The most probable classes, most probable first.
    Classes {
        /// The classes; at least one.
        predictions: Vec<Prediction>,
        /// Whether the image was inverted.
        inverted: bool,
    },
    /// The embedding.
    Vector(Vec<f32>),
}

/// Why there is no answer for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure, such as `damaged`.
    pub kind: &'static str,
    /// The reason, without the path of the image.
    pub reason: String,
}

/// The columns of a file of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// The `top` most probable classes.
    Classes {
        /// Number of classes in a row.
        top: usize,
    },
    /// A vector.
    Vector {
        /// Number of elements of a vector.
        length: usize,
    },
}

impl Columns {
    /// Returns the names of the columns of a CSV file.
    pub fn names(self) -> Vec<String> {
        let mut names = vec!["path".to_owned()];
        match self {
            Self::Classes { top } => {
                for rank in 1..=top {
                    for name in ["index", "label", "probability"] {
                        names.push(match rank {
                            1 => name.to_owned(),
                            _ => format!("{name}_{rank}"),
                        });
                    }
                }
                names.push("inverted".to_owned());
            }
            Self::Vector { length } => names.extend((0..length).map(|index| index.to_string())),
        }
        names.push("error".to_owned());
        names
    }
}

/// Writes rows in one format.
pub trait RowWriter {
    /// Writes a row, perhaps to a buffer.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    fn write(&mut self, row: &Row) -> io::Result<()>;

    /// Writes the buffered rows, as far as the format allows before the end of the file.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes the end of the file.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A row of an interrupted run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRow {
    /// Path of the image.
    pub path: String,
    /// Whether the row contains an error.
    pub failed: bool,
}
