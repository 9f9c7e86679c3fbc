//! Training and validation images.

use std::sync::Arc;

use super::dataset::Dataset;

/// Training and validation images with the same classes.
#[derive(Clone)]
pub struct DataSplits {
    /// Names of the classes, in the order of their indices.
    pub classes: Vec<String>,
    /// Training images.
    pub train: Arc<dyn Dataset>,
    /// Validation images, disjoint from the training images.
    pub validation: Arc<dyn Dataset>,
}

/// Choice of the validation images of a folder that has no split.
#[derive(Debug, Clone, Copy)]
pub struct Holdout {
    /// Fraction of each class that is held out for validation, above 0 and below 1.
    pub fraction: f64,
    /// Seed that chooses the held-out images.
    pub seed: u64,
}

/// The content of MNIST's four files, plain or gzipped.
#[derive(Debug, Clone, Copy)]
pub struct IdxFiles<'a> {
    /// Training images and their labels.
    pub train: [&'a [u8]; 2],
    /// Validation images and their labels.
    pub validation: [&'a [u8]; 2],
}
