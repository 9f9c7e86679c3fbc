//! Errors of datasets.

use std::io;
use std::path::PathBuf;

use receptive_layers::image::{ListError, OpenError};
use receptive_layers::weights::FindError;

/// A dataset cannot be read, or cannot be trained on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The folder has none of the supported layouts.
    #[error(
        "{} holds no dataset: expected MNIST's idx files, CIFAR's .bin files, or a folder for each class",
        path.display()
    )]
    UnknownLayout {
        /// The folder.
        path: PathBuf,
    },
    /// A dataset lacks a file or a folder of the part that is read.
    #[error("{} has no {missing}: expected {expected}", path.display())]
    MissingPart {
        /// The folder of the dataset.
        path: PathBuf,
        /// Name of the missing file or folder.
        missing: String,
        /// The files or folders of the part.
        expected: String,
    },
    /// The content of a file violates its format.
    #[error("{} {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The value found and the value expected.
        reason: String,
    },
    /// A label is not the index of a class.
    #[error("{}: image {index} has the label {label}, expected 0 to {}", path.display(), classes - 1)]
    Label {
        /// The file with the labels.
        path: PathBuf,
        /// Index of the image, from 0.
        index: usize,
        /// Label of the image.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// The folder of a class holds no images.
    #[error(
        "the class folder {} holds no images: expected files with the extension .{}",
        path.display(),
        receptive_layers::image::EXTENSIONS.join(", .")
    )]
    EmptyClass {
        /// The folder.
        path: PathBuf,
    },
    /// The dataset has only one class.
    #[error("{} has only one class, {class:?}: expected two or more", path.display())]
    SingleClass {
        /// The folder that contains the class folders.
        path: PathBuf,
        /// The only class.
        class: String,
    },
    /// The training images and the validation images have different classes.
    #[error(
        "the classes of {} and {} differ: only one of them has {class:?}",
        train.display(),
        validation.display()
    )]
    ClassMismatch {
        /// The folder of the training images.
        train: PathBuf,
        /// The folder of the validation images.
        validation: PathBuf,
        /// The first class that only one of the folders has.
        class: String,
    },
    /// A class has too few images to hold one out for validation.
    #[error(
        "the class folder {} has {images} image: expected two or more, one for training and one for validation",
        path.display()
    )]
    TooFewImages {
        /// The folder.
        path: PathBuf,
        /// Number of images in the folder.
        images: usize,
    },
    /// A dataset could not be downloaded.
    #[error(transparent)]
    Download(#[from] FindError),
    /// A folder of images cannot be listed.
    #[error(transparent)]
    List(#[from] ListError),
    /// A file of a public dataset cannot be downloaded.
    #[error(
        "cannot download {url}: {reason}. Download it by other means and {action} it in {}, or name a folder with --data",
        folder.display()
    )]
    Unavailable {
        /// Address of the file.
        url: String,
        /// Folder of the dataset in the cache.
        folder: PathBuf,
        /// `save`, or `unpack` for an archive.
        action: &'static str,
        /// Why the download failed.
        reason: String,
    },
    /// A downloaded archive cannot be unpacked.
    #[error("cannot unpack {url} into {}: {source}", folder.display())]
    Unpack {
        /// Address of the archive.
        url: String,
        /// Folder of the dataset in the cache.
        folder: PathBuf,
        /// The error of the decoder or the operating system.
        source: io::Error,
    },
    /// A file of a dataset in the cache is missing or has changed.
    #[error(
        "the dataset in the cache is damaged, {} is missing or has changed: delete {} and run again",
        path.display(), folder.display()
    )]
    Damaged {
        /// Folder of the dataset in the cache.
        folder: PathBuf,
        /// The file.
        path: PathBuf,
    },
    /// A file of the dataset cache cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A thread of the data loader cannot be started.
    #[error("cannot start a thread of the data loader: {source}; lower --workers")]
    Thread {
        /// The error of the operating system.
        source: io::Error,
    },
    /// An image cannot be read.
    #[error(transparent)]
    Image(#[from] OpenError),
    /// The size of an image after the transforms is not the network's input size.
    #[error(
        "image {index} is {}x{} pixels after the recipe's transforms, expected {}x{}: end the transforms with a crop, a pad or a resize to that size",
        .found[0], .found[1], .expected[0], .expected[1]
    )]
    Size {
        /// Index of the image in its dataset, from 0.
        index: usize,
        /// Height and width after the transforms.
        found: [usize; 2],
        /// Height and width of the network input.
        expected: [usize; 2],
    },
    /// All images of a split were skipped.
    #[error("no image of the {split} data could be read")]
    NoReadableImages {
        /// `training` or `validation`.
        split: &'static str,
    },
}
