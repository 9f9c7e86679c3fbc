//! MNIST's format: a magic number, the extents, the values, all big-endian.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Data, DataError, IdxFiles, Memory, file};

/// MNIST's file names, which may end in `.gz`; the validation images are its test images.
const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Digits.
const CLASSES: usize = 10;

/// Whether `folder` holds one of the files.
pub fn is_here(folder: &Path) -> bool {
    TRAIN
        .iter()
        .chain(&TEST)
        .any(|name| path(folder, name).is_file())
}

pub fn open(folder: &Path) -> Result<Data, DataError> {
    let pair = |names: [&str; 2]| -> Result<Memory, DataError> {
        let paths = names.map(|name| path(folder, name));
        let [images, labels] = &paths;
        images_and_labels(&paths, [&file::read(images)?, &file::read(labels)?])
    };
    Ok(data(pair(TRAIN)?, pair(TEST)?))
}

pub fn from_bytes(name: &Path, files: &IdxFiles<'_>) -> Result<Data, DataError> {
    let pair = |names: [&str; 2], files: [&[u8]; 2]| -> Result<Memory, DataError> {
        let paths = names.map(|file| name.join(file));
        let [images, labels] = files;
        let images = file::unpack(&paths[0], images)?;
        let labels = file::unpack(&paths[1], labels)?;
        images_and_labels(&paths, [&images, &labels])
    };
    Ok(data(
        pair(TRAIN, files.train)?,
        pair(TEST, files.validation)?,
    ))
}

fn data(train: Memory, validation: Memory) -> Data {
    Data {
        classes: (0..CLASSES).map(|digit| digit.to_string()).collect(),
        train: Arc::new(train),
        validation: Arc::new(validation),
    }
}

/// The file of this name, gzipped or not; the plain name where there is neither.
fn path(folder: &Path, name: &str) -> PathBuf {
    let gzipped = folder.join(format!("{name}.gz"));
    let plain = folder.join(name);
    if !plain.is_file() && gzipped.is_file() {
        gzipped
    } else {
        plain
    }
}

fn images_and_labels(paths: &[PathBuf; 2], files: [&[u8]; 2]) -> Result<Memory, DataError> {
    let ([count, height, width], samples) = values::<3>(&paths[0], files[0])?;
    let ([labels], classes) = values::<1>(&paths[1], files[1])?;
    let wrong = |path: &Path, reason: String| DataError::Format {
        path: path.to_owned(),
        reason,
    };
    if count == 0 || height == 0 || width == 0 {
        let reason = format!("holds {count} images of {height}x{width} pixels, expected some");
        return Err(wrong(&paths[0], reason));
    }
    if labels != count {
        let images = paths[0].display();
        let reason =
            format!("holds {labels} labels, expected {count}: one for each image of {images}");
        return Err(wrong(&paths[1], reason));
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
    Ok(Memory::new([height, width, 1], samples.to_owned(), classes))
}

/// The extents and values of a file of bytes with `D` dimensions.
fn values<'a, const D: usize>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<([usize; D], &'a [u8]), DataError> {
    let wrong = |reason: String| DataError::Format {
        path: path.to_owned(),
        reason,
    };
    let number = |at: usize| {
        let bytes = bytes.get(4 * at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    };
    // Two zeros, the type of the values (8 is a byte), the dimensions.
    let magic = 0x0800 + D as u32;
    match number(0) {
        Some(found) if found == magic => {}
        Some(found) => {
            return Err(wrong(format!(
                "begins with {found:#010x}, expected {magic:#010x}: an idx file of bytes in {D} dimensions"
            )));
        }
        None => return Err(wrong("is too short for an idx file".to_owned())),
    }
    let mut extents = [0; D];
    for (dimension, extent) in extents.iter_mut().enumerate() {
        *extent = number(1 + dimension)
            .ok_or_else(|| wrong("ends within its extents".to_owned()))? as usize;
    }
    let values = &bytes[4 * (1 + D)..];
    let expected = extents
        .iter()
        .try_fold(1_usize, |product, &extent| product.checked_mul(extent));
    if expected != Some(values.len()) {
        return Err(wrong(format!(
            "holds {} values, expected {extents:?}",
            values.len()
        )));
    }
    Ok((extents, values))
}
