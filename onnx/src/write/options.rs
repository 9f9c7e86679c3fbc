//! Options of writing.

use receptive_layers::preprocessing::Preprocessing;

/// The newest version of the operators that files are written for.
pub const NEWEST_OPSET: i64 = 23;

/// Options of [`write`](super::write).
#[derive(Debug, Clone, PartialEq)]
pub struct WriteOptions {
    /// Version of the operators, 13 to 23. Default 17.
    pub opset: i64,
    /// Number of images in a batch. Default dynamic.
    pub batch: BatchSize,
    /// Format of the input. Default normalized planes.
    pub input: InputFormat,
    /// Named texts that are stored in the file, such as the names of the classes.
    pub metadata: Vec<(String, String)>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            opset: 17,
            batch: BatchSize::Dynamic,
            input: InputFormat::Planes,
            metadata: Vec::new(),
        }
    }
}

/// Number of images in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchSize {
    /// Any number.
    #[default]
    Dynamic,
    /// The number that the graph was recorded with.
    Recorded,
}

/// Format of the file's input.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum InputFormat {
    /// The network's own input, `[batch, channels, height, width]`, float32.
    #[default]
    Planes,
    /// Pixels of images that are resized and cropped, `[batch, height, width, channels]`, uint8. The file
    /// normalizes them with mean and standard deviation of the preprocessing.
    Pixels(Preprocessing),
}
