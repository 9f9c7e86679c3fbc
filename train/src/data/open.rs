//! Opens a dataset folder: detects its format and reads it.

use std::path::Path;

use super::error::DataError;
use super::splits::{DataSplits, EvaluationData, Holdout, IdxFiles};
use super::{cifar, folders, idx};

impl DataSplits {
    /// Reads the dataset in `folder`: MNIST's four idx files (plain or gzipped), the binary files
    /// of CIFAR-10 or CIFAR-100, `train` and `val` folders that contain a folder for each class, or
    /// a folder for each class. In the last case `holdout` chooses the validation images.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the file or folder that is wrong.
    pub fn open(folder: &Path, holdout: Holdout) -> Result<Self, DataError> {
        if idx::is_present(folder) {
            return idx::open(folder);
        }
        if let Some(kind) = cifar::detect(folder) {
            return cifar::open(folder, kind);
        }
        folders::open(folder, holdout)
    }

    /// Reads the class names and the evaluation images in `folder`, which has one of the formats of
    /// [`open`](Self::open). The evaluation images are the test images of MNIST and CIFAR, the
    /// images of the `val` folder, or all images if the folder has no split. The files or the
    /// folder of the training images may be missing.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the file or folder that is wrong or missing.
    pub fn open_for_evaluation(folder: &Path) -> Result<EvaluationData, DataError> {
        if idx::is_present(folder) {
            return idx::open_for_evaluation(folder);
        }
        if let Some(kind) = cifar::detect(folder) {
            return cifar::open_for_evaluation(folder, kind);
        }
        folders::open_for_evaluation(folder)
    }

    /// Reads MNIST's four files from memory. Errors name them as files in the folder `name`.
    ///
    /// # Errors
    ///
    /// [`DataError`] when a file is damaged.
    pub fn from_idx(name: &Path, files: &IdxFiles<'_>) -> Result<Self, DataError> {
        idx::from_bytes(name, files)
    }
}
