//! Labelled images: where they are read from, and which are held out.

mod cifar;
mod error;
mod file;
mod folders;
mod idx;
mod memory;
mod published;
mod subset;

use std::path::Path;
use std::sync::Arc;

pub use error::DataError;
pub use memory::Memory;
pub use published::{Published, Report};

use crate::picture::Picture;

/// Images with their classes, in a fixed order.
pub trait Dataset: Send + Sync {
    /// How many images there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of the image at `index`, which is below [`len`](Self::len).
    fn label(&self, index: usize) -> usize;

    /// The image at `index`, which is below [`len`](Self::len).
    ///
    /// # Errors
    ///
    /// [`DataError::Image`] when it cannot be read.
    fn picture(&self, index: usize) -> Result<Picture, DataError>;
}

/// What a network is trained and judged with.
#[derive(Clone)]
pub struct Data {
    /// The names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// Images to train on.
    pub train: Arc<dyn Dataset>,
    /// Images to validate on, which are never trained on.
    pub validation: Arc<dyn Dataset>,
}

/// What a folder does not say of itself.
#[derive(Debug, Clone, Copy)]
pub struct Holdout {
    /// The part of each class, above 0 and below 1, that is held out for validation where the
    /// folder has no validation images of its own.
    pub fraction: f64,
    /// The seed by which they are chosen.
    pub seed: u64,
}

impl Data {
    /// The data in `folder`: MNIST's four idx files (plain or gzipped), CIFAR-10's or CIFAR-100's
    /// binary files, `train` and `val` folders with a folder for each class, or just a folder for
    /// each class.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the file or folder that is wrong.
    pub fn open(folder: &Path, holdout: Holdout) -> Result<Self, DataError> {
        if idx::is_here(folder) {
            return idx::open(folder);
        }
        if let Some(kind) = cifar::here(folder) {
            return cifar::open(folder, kind);
        }
        folders::open(folder, holdout)
    }

    /// The names of the classes in `folder`, as [`open`](Self::open) knows it, and the images to judge a
    /// finished network by: those for validation, or all where the folder has none of its own.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the file or folder that is wrong.
    pub fn open_for_judging(folder: &Path) -> Result<(Vec<String>, Arc<dyn Dataset>), DataError> {
        if !idx::is_here(folder) && cifar::here(folder).is_none() {
            return folders::open_for_judging(folder);
        }
        let holdout = Holdout {
            fraction: 0.5,
            seed: 0,
        };
        let data = Self::open(folder, holdout)?;
        Ok((data.classes, data.validation))
    }

    /// MNIST's data from its four files in memory, plain or gzipped; `name` stands for their folder
    /// in errors.
    ///
    /// # Errors
    ///
    /// [`DataError`] when they are damaged.
    pub fn from_idx(name: &Path, files: &IdxFiles<'_>) -> Result<Self, DataError> {
        idx::from_bytes(name, files)
    }
}

/// MNIST's four files.
#[derive(Debug, Clone, Copy)]
pub struct IdxFiles<'a> {
    /// Training images and their labels.
    pub train: [&'a [u8]; 2],
    /// Validation images and their labels.
    pub validation: [&'a [u8]; 2],
}

#[cfg(test)]
mod tests;
