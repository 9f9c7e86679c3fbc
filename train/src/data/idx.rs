//! The idx format of MNIST: a magic number, the dimensions and the values, all big-endian.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use receptive_layers::image::LeftOut;

use super::error::DataError;
use super::file;
use super::memory::InMemoryDataset;
use super::splits::{DataSplits, EvaluationData, IdxFiles};

/// Names of MNIST's files, with or without `.gz`: images and labels. The test images are the
/// validation images.
const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Number of classes: the digits 0 to 9.
const CLASSES: usize = 10;

/// Whether `folder` contains one of the files.
pub fn is_present(folder: &Path) -> bool {
    TRAIN
        .iter()
        .chain(&TEST)
        .any(|name| path(folder, name).is_file())
}

/// Reads the four files in `folder`.
pub fn open(folder: &Path) -> Result<DataSplits, DataError> {
    Ok(splits(pair(folder, TRAIN)?, pair(folder, TEST)?))
}

/// Reads the class names and the test images of `folder`. The files of the training images may be
/// missing.
pub fn open_for_evaluation(folder: &Path) -> Result<EvaluationData, DataError> {
    Ok(EvaluationData {
        classes: class_names(),
        images: Arc::new(pair(folder, TEST)?),
        left_out: LeftOut::default(),
    })
}

/// Reads an image file and its label file in `folder`.
fn pair(folder: &Path, names: [&str; 2]) -> Result<InMemoryDataset, DataError> {
    let paths = names.map(|name| path(folder, name));
    for (name, path) in names.iter().zip(&paths) {
        if !path.is_file() {
            let [images, labels] = names;
            return Err(DataError::MissingPart {
                path: folder.to_owned(),
                missing: (*name).to_owned(),
                expected: format!("{images} and {labels}, plain or gzipped (.gz)"),
            });
        }
    }
    let [images, labels] = &paths;
    images_and_labels(&paths, [file::read(images)?, file::read(labels)?])
}

/// Reads the four files from memory. Errors name them as files in the folder `name`.
pub fn from_bytes(name: &Path, files: &IdxFiles<'_>) -> Result<DataSplits, DataError> {
    let pair = |names: [&str; 2], files: [&[u8]; 2]| -> Result<InMemoryDataset, DataError> {
        let paths = names.map(|file| name.join(file));
        let [images, labels] = files;
        let images = file::from_bytes(&paths[0], images)?;
        let labels = file::from_bytes(&paths[1], labels)?;
        images_and_labels(&paths, [images, labels])
    };
    Ok(splits(
        pair(TRAIN, files.train)?,
        pair(TEST, files.validation)?,
    ))
}

fn splits(train: InMemoryDataset, validation: InMemoryDataset) -> DataSplits {
    DataSplits {
        classes: class_names(),
        train: Arc::new(train),
        validation: Arc::new(validation),
        left_out: LeftOut::default(),
    }
}

/// Returns the names of the digits.
fn class_names() -> Vec<String> {
    (0..CLASSES).map(|digit| digit.to_string()).collect()
}

/// Returns the path of the file `name`, or of the gzipped file if only that file exists.
fn path(folder: &Path, name: &str) -> PathBuf {
    let gzipped = folder.join(format!("{name}.gz"));
    let plain = folder.join(name);
    if !plain.is_file() && gzipped.is_file() {
        gzipped
    } else {
        plain
    }
}

/// Reads an image file and its label file.
fn images_and_labels(
    paths: &[PathBuf; 2],
    files: [Vec<u8>; 2],
) -> Result<InMemoryDataset, DataError> {
    let [images, labels] = files;
    let ([count, height, width], samples) = values::<3>(&paths[0], images)?;
    let ([labels], classes) = values::<1>(&paths[1], labels)?;
    let format_error = |path: &Path, reason: String| DataError::Format {
        path: path.to_owned(),
        reason,
    };
    if count == 0 || height == 0 || width == 0 {
        let reason = format!(
            "holds {count} images of {height}x{width} pixels, expected at least one image of at least 1x1 pixels"
        );
        return Err(format_error(&paths[0], reason));
    }
    if labels != count {
        let images = paths[0].display();
        let reason =
            format!("holds {labels} labels, expected {count}: one for each image of {images}");
        return Err(format_error(&paths[1], reason));
    }
    let classes: Vec<usize> = classes.iter().map(|&label| usize::from(label)).collect();
    if let Some(index) = classes.iter().position(|&label| label >= CLASSES) {
        return Err(DataError::Label {
            path: paths[1].clone(),
            index,
            label: classes[index],
            classes: CLASSES,
        });
    }
    Ok(InMemoryDataset::new([height, width, 1], samples, classes))
}

/// Parses an idx file of bytes: returns its `D` dimensions and its values, in the memory of the file.
fn values<const D: usize>(
    path: &Path,
    mut bytes: Vec<u8>,
) -> Result<([usize; D], Vec<u8>), DataError> {
    let format_error = |reason: String| DataError::Format {
        path: path.to_owned(),
        reason,
    };
    let number = |at: usize| {
        let bytes = bytes.get(4 * at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    };
    // Magic number: two zero bytes, the value type (8 is an unsigned byte), the number of
    // dimensions.
    let magic = 0x0800 + D as u32;
    match number(0) {
        Some(found) if found == magic => {}
        Some(found) => {
            return Err(format_error(format!(
                "begins with {found:#010x}, expected {magic:#010x}: an idx file of bytes with {D} dimensions"
            )));
        }
        None => return Err(format_error("is too short for an idx file".to_owned())),
    }
    let mut dimensions = [0; D];
    for (axis, size) in dimensions.iter_mut().enumerate() {
        *size = number(1 + axis)
            .ok_or_else(|| format_error("ends within its dimensions".to_owned()))?
            as usize;
    }
    bytes.drain(..4 * (1 + D));
    let values = bytes;
    let expected = dimensions
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size));
    if expected != Some(values.len()) {
        return Err(format_error(format!(
            "holds {} values, expected {dimensions:?}",
            values.len()
        )));
    }
    Ok((dimensions, values))
}
