//! Training and validation images.

use std::sync::Arc;

use receptive_layers::image::LeftOut;
use receptive_layers::sha256::hex;
use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::error::DataError;

/// Training and validation images with the same classes.
#[derive(Clone)]
pub struct DataSplits {
    /// Names of the classes, in the order of their indices.
    pub classes: Vec<String>,
    /// Training images.
    pub train: Arc<dyn Dataset>,
    /// Validation images, disjoint from the training images.
    pub validation: Arc<dyn Dataset>,
    /// Entries of the class folders that are no images, by kind; none for other formats.
    pub left_out: LeftOut,
}

/// Images to evaluate a network on.
#[derive(Clone)]
pub struct EvaluationData {
    /// Names of the classes, in the order of their indices.
    pub classes: Vec<String>,
    /// The images.
    pub images: Arc<dyn Dataset>,
    /// Entries of the class folders that are no images, by kind; none for other formats.
    pub left_out: LeftOut,
}

impl DataSplits {
    /// Returns the SHA-256 of the list of images, in hexadecimal: for each training image and then
    /// for each validation image, its class, and its samples or the name and the size of its file.
    ///
    /// # Errors
    ///
    /// [`DataError::Read`] when an image file does not exist.
    pub fn sha256(&self) -> Result<String, DataError> {
        digest_of(&[&*self.train, &*self.validation])
    }
}

impl EvaluationData {
    /// Returns the SHA-256 of the list of images, as [`DataSplits::sha256`] does.
    ///
    /// # Errors
    ///
    /// [`DataError::Read`] when an image file does not exist.
    pub fn sha256(&self) -> Result<String, DataError> {
        digest_of(&[&*self.images])
    }
}

fn digest_of(parts: &[&dyn Dataset]) -> Result<String, DataError> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        for index in 0..part.len() {
            digest.update((part.label(index) as u64).to_le_bytes());
            part.identify(index, &mut digest)?;
        }
    }
    Ok(hex(&digest.finalize()))
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
