//! What can be wrong with data.

use std::io;
use std::path::PathBuf;

use receptive_layers::image::OpenError;
use receptive_layers::weights::FindError;

/// Why data cannot be trained on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A folder holds none of the layouts that are known.
    #[error(
        "{} holds no data: expected MNIST's idx files, CIFAR's .bin files, or a folder for each class",
        path.display()
    )]
    Unknown {
        /// The folder.
        path: PathBuf,
    },
    /// A file's content breaks its format's rules.
    #[error("{} {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is found, and what was expected.
        reason: String,
    },
    /// A label is of no class.
    #[error("{}: image {index} has the label {label}, expected 0 to {}", path.display(), classes - 1)]
    Label {
        /// The file of the labels.
        path: PathBuf,
        /// Which image, from 0.
        index: usize,
        /// Its label.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A class's folder holds no image.
    #[error(
        "the class folder {} holds no image, expected files named .{}",
        path.display(),
        receptive_layers::image::EXTENSIONS.join(", .")
    )]
    EmptyClass {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing to tell apart.
    #[error("{} has the one class {class:?}, expected two or more", path.display())]
    OneClass {
        /// The folder of the class folders.
        path: PathBuf,
        /// The only class.
        class: String,
    },
    /// Training and validation images are of different classes.
    #[error(
        "the classes of {} and {} differ: only one of them has {class:?}",
        train.display(),
        validation.display()
    )]
    Classes {
        /// The folder of the training images.
        train: PathBuf,
        /// The folder of the validation images.
        validation: PathBuf,
        /// The first class that is in one of them only.
        class: String,
    },
    /// A class has too few images to hold any out.
    #[error(
        "the class folder {} has {images} image, expected two or more: one to train on, one to validate on",
        path.display()
    )]
    Few {
        /// The folder.
        path: PathBuf,
        /// Its images.
        images: usize,
    },
    /// A dataset could not be downloaded.
    #[error(transparent)]
    Download(#[from] FindError),
    /// A dataset could not be put into the cache.
    #[error("cannot write {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// An image cannot be read.
    #[error(transparent)]
    Image(#[from] OpenError),
    /// The transforms leave an image at a size that the network does not take.
    #[error(
        "image {index} is {}x{} pixels after the recipe's transforms, expected {}x{}: end them with a crop, a pad or a resize to that size",
        .found[0], .found[1], .expected[0], .expected[1]
    )]
    Size {
        /// Which image of its dataset, from 0.
        index: usize,
        /// Height and width.
        found: [usize; 2],
        /// What the network takes.
        expected: [usize; 2],
    },
    /// Every image of a split was skipped.
    #[error("no image of the {split} data could be read")]
    AllBad {
        /// `training` or `validation`.
        split: &'static str,
    },
}
