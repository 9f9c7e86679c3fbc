//! Image files in one folder per class.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::seq::SliceRandom;
use receptive_layers::image::{self, LeftOut};
use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::error::DataError;
use super::splits::{DataSplits, EvaluationData, Holdout};
use super::subset::Subset;
use crate::image::Image;
use crate::random::{Purpose, stream};

/// Accepted names of the folder with the validation images.
const VALIDATION_FOLDERS: [&str; 4] = ["val", "valid", "validation", "test"];

/// Dataset of image files, which are decoded on access.
struct FileDataset {
    paths: Vec<PathBuf>,
    labels: Vec<usize>,
}

impl Dataset for FileDataset {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn identify(&self, index: usize, digest: &mut Sha256) -> Result<(), DataError> {
        let path = &self.paths[index];
        let file = fs::metadata(path).map_err(|source| DataError::Read {
            path: path.clone(),
            source,
        })?;
        digest.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        digest.update([0]);
        digest.update(file.len().to_le_bytes());
        Ok(())
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        Ok(image::open(&self.paths[index])?.into())
    }
}

/// The folder of a class and its image files.
struct Class {
    name: String,
    folder: PathBuf,
    images: Vec<PathBuf>,
}

/// Layout of a dataset folder.
enum FolderLayout {
    /// Folders of the training images and of the validation images.
    Split(PathBuf, PathBuf),
    /// One folder with all images.
    Unsplit(PathBuf),
    /// Folder of the validation images; there is none of training images.
    ValidationOnly(PathBuf),
}

/// Reads the image folders in `folder`; without a folder of validation images, `holdout` chooses
/// them.
pub fn open(folder: &Path, holdout: Holdout) -> Result<DataSplits, DataError> {
    match layout(folder)? {
        FolderLayout::Split(train, validation) => open_split(&train, &validation),
        FolderLayout::Unsplit(folder) => open_with_holdout(&folder, holdout),
        FolderLayout::ValidationOnly(validation) => Err(DataError::MissingPart {
            path: folder.to_owned(),
            missing: "train".to_owned(),
            expected: format!(
                "the folders train and {} with a folder for each class",
                name(&validation)
            ),
        }),
    }
}

/// Reads the class names and the validation images of `folder`, or all images if the folder has no
/// validation images. The folder of the training images may be missing.
pub fn open_for_evaluation(folder: &Path) -> Result<EvaluationData, DataError> {
    let (FolderLayout::Split(_, evaluated)
    | FolderLayout::Unsplit(evaluated)
    | FolderLayout::ValidationOnly(evaluated)) = layout(folder)?;
    let (classes, left_out) = classes(&evaluated)?;
    Ok(EvaluationData {
        classes: classes.iter().map(|class| class.name.clone()).collect(),
        images: Arc::new(file_dataset(classes)),
        left_out,
    })
}

/// Detects the layout of `folder`.
fn layout(folder: &Path) -> Result<FolderLayout, DataError> {
    let train = folder.join("train");
    let validation = VALIDATION_FOLDERS
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_dir());
    Ok(match validation {
        Some(validation) if train.is_dir() => FolderLayout::Split(train, validation),
        // A folder that holds images is a class, whatever its name.
        Some(validation) if !holds_images(&validation)? && has_folders(&validation)? => {
            FolderLayout::ValidationOnly(validation)
        }
        _ if train.is_dir() && !holds_images(&train)? => FolderLayout::Unsplit(train),
        _ => FolderLayout::Unsplit(folder.to_owned()),
    })
}

/// Reads training and validation images from two folders.
fn open_split(train: &Path, validation: &Path) -> Result<DataSplits, DataError> {
    let (train_classes, mut left_out) = classes(train)?;
    let (validation_classes, also_left_out) = classes(validation)?;
    left_out += also_left_out;
    let names = |classes: &[Class]| -> Vec<String> {
        classes.iter().map(|class| class.name.clone()).collect()
    };
    let (names, others) = (names(&train_classes), names(&validation_classes));
    if let Some(class) = names
        .iter()
        .find(|name| !others.contains(name))
        .or_else(|| others.iter().find(|name| !names.contains(name)))
    {
        return Err(DataError::ClassMismatch {
            train: train.to_owned(),
            validation: validation.to_owned(),
            class: class.clone(),
        });
    }
    Ok(DataSplits {
        classes: names,
        train: Arc::new(file_dataset(train_classes)),
        validation: Arc::new(file_dataset(validation_classes)),
        left_out,
    })
}

/// Splits the images of one folder into training and validation images.
///
/// The seed chooses the held-out images of each class. Their number is the rounded fraction of the
/// class, but at least one image, and at least one image remains for training.
fn open_with_holdout(folder: &Path, holdout: Holdout) -> Result<DataSplits, DataError> {
    let (classes, left_out) = classes(folder)?;
    if let Some(class) = classes.iter().find(|class| class.images.len() < 2) {
        return Err(DataError::TooFewImages {
            path: class.folder.clone(),
            images: class.images.len(),
        });
    }
    let names = classes.iter().map(|class| class.name.clone()).collect();
    let (mut train, mut validation) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (number, class) in classes.iter().enumerate() {
        let count = class.images.len();
        let mut indices: Vec<usize> = (first..first + count).collect();
        let mut random = stream(holdout.seed, Purpose::Holdout, [number as u64, 0]);
        indices.shuffle(&mut random);
        let held_out = (count as f64 * holdout.fraction).round() as usize;
        let rest = indices.split_off(held_out.clamp(1, count - 1));
        validation.extend(indices);
        train.extend(rest);
        first += count;
    }
    train.sort_unstable();
    validation.sort_unstable();
    let dataset: Arc<dyn Dataset> = Arc::new(file_dataset(classes));
    let subset = |indices| Subset {
        dataset: Arc::clone(&dataset),
        indices,
    };
    Ok(DataSplits {
        classes: names,
        train: Arc::new(subset(train)),
        validation: Arc::new(subset(validation)),
        left_out,
    })
}

/// Returns the images of all classes, in the order of the classes.
fn file_dataset(classes: Vec<Class>) -> FileDataset {
    let mut files = FileDataset {
        paths: Vec::new(),
        labels: Vec::new(),
    };
    for (label, class) in classes.into_iter().enumerate() {
        files.labels.extend(vec![label; class.images.len()]);
        files.paths.extend(class.images);
    }
    files
}

/// Lists the class folders in `folder`, sorted by name, with the images in them and in their
/// sub-folders, and counts what else they contain. Fewer than two classes, or an empty class,
/// is an error.
fn classes(folder: &Path) -> Result<(Vec<Class>, LeftOut), DataError> {
    let (mut classes, mut left_out) = (Vec::new(), LeftOut::default());
    for path in entries(folder)? {
        if !path.is_dir() {
            continue;
        }
        let listing = image::list(&path)?;
        if listing.images.is_empty() {
            return Err(DataError::EmptyClass { path });
        }
        left_out += listing.left_out;
        classes.push(Class {
            name: name(&path),
            folder: path,
            images: listing.images,
        });
    }
    match classes.len() {
        0 => Err(DataError::UnknownLayout {
            path: folder.to_owned(),
        }),
        1 => Err(DataError::SingleClass {
            path: folder.to_owned(),
            class: classes.remove(0).name,
        }),
        _ => Ok((classes, left_out)),
    }
}

/// Whether `folder` itself contains image files.
fn holds_images(folder: &Path) -> Result<bool, DataError> {
    let is_image = |path: &PathBuf| image::has_image_extension(path) && path.is_file();
    Ok(entries(folder)?.iter().any(is_image))
}

/// Whether `folder` contains folders that are not hidden.
fn has_folders(folder: &Path) -> Result<bool, DataError> {
    Ok(entries(folder)?.iter().any(|path| path.is_dir()))
}

/// Lists the entries of `folder` that are not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Returns the last component of `path`.
fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
