//! CIFAR's binary format: a record for each image, with its labels and the 32x32 samples of the
//! red, green and blue channels.

use std::path::Path;
use std::sync::Arc;

use receptive_layers::bounded_file;
use receptive_layers::image::LeftOut;
use receptive_layers::labels::CIFAR_10;

use super::error::DataError;
use super::file;
use super::memory::InMemoryDataset;
use super::splits::{DataSplits, EvaluationData};

/// Height and width of every image, in pixels.
const SIZE: usize = 32;

/// Largest file of class names, in bytes: 1 MiB.
const MAX_NAMES: u64 = 1 << 20;

/// The two CIFAR datasets (Krizhevsky, Learning Multiple Layers of Features from Tiny Images,
/// 2009).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CifarVersion {
    Cifar10,
    Cifar100,
}

impl CifarVersion {
    /// Names of the files of the training images.
    fn train_files(self) -> &'static [&'static str] {
        match self {
            Self::Cifar10 => &[
                "data_batch_1.bin",
                "data_batch_2.bin",
                "data_batch_3.bin",
                "data_batch_4.bin",
                "data_batch_5.bin",
            ],
            Self::Cifar100 => &["train.bin"],
        }
    }

    /// Names of the files of the test images.
    fn test_files(self) -> &'static [&'static str] {
        match self {
            Self::Cifar10 => &["test_batch.bin"],
            Self::Cifar100 => &["test.bin"],
        }
    }

    /// Number of classes.
    fn classes(self) -> usize {
        match self {
            Self::Cifar10 => 10,
            Self::Cifar100 => 100,
        }
    }

    /// Number of label bytes of a record. The last one is the class; CIFAR-100 has a coarse class
    /// before it.
    fn label_bytes(self) -> usize {
        match self {
            Self::Cifar10 => 1,
            Self::Cifar100 => 2,
        }
    }

    /// Name of the file with the class names, one name per line.
    fn names_file(self) -> &'static str {
        match self {
            Self::Cifar10 => "batches.meta.txt",
            Self::Cifar100 => "fine_label_names.txt",
        }
    }
}

/// Returns the dataset that has files in `folder`.
pub fn detect(folder: &Path) -> Option<CifarVersion> {
    [CifarVersion::Cifar10, CifarVersion::Cifar100]
        .into_iter()
        .find(|kind| {
            let mut files = kind.train_files().iter().chain(kind.test_files());
            files.any(|name| folder.join(name).is_file())
        })
}

/// Reads the training images and the test images (as validation images) of `folder`.
pub fn open(folder: &Path, kind: CifarVersion) -> Result<DataSplits, DataError> {
    Ok(DataSplits {
        classes: class_names(folder, kind),
        train: Arc::new(images(folder, kind, kind.train_files())?),
        validation: Arc::new(images(folder, kind, kind.test_files())?),
        left_out: LeftOut::default(),
    })
}

/// Reads the class names and the test images of `folder`. The files of the training images may be
/// missing.
pub fn open_for_evaluation(folder: &Path, kind: CifarVersion) -> Result<EvaluationData, DataError> {
    let images = images(folder, kind, kind.test_files())?;
    Ok(EvaluationData {
        classes: class_names(folder, kind),
        images: Arc::new(images),
        left_out: LeftOut::default(),
    })
}

/// Reads the class names; falls back to built-in names if the file is missing or incomplete.
fn class_names(folder: &Path, kind: CifarVersion) -> Vec<String> {
    let listed: Vec<String> = bounded_file::read_text(&folder.join(kind.names_file()), MAX_NAMES)
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    match kind {
        _ if listed.len() == kind.classes() => listed,
        CifarVersion::Cifar10 => CIFAR_10.map(str::to_owned).to_vec(),
        CifarVersion::Cifar100 => (0..kind.classes()).map(|class| class.to_string()).collect(),
    }
}

/// Reads the records of `files` into memory.
fn images(folder: &Path, kind: CifarVersion, files: &[&str]) -> Result<InMemoryDataset, DataError> {
    let (mut samples, mut labels) = (Vec::new(), Vec::new());
    for name in files {
        let path = folder.join(name);
        if !path.is_file() {
            return Err(DataError::MissingPart {
                path: folder.to_owned(),
                missing: (*name).to_owned(),
                expected: files.join(", "),
            });
        }
        append(&path, kind, &mut samples, &mut labels)?;
    }
    Ok(InMemoryDataset::new([SIZE, SIZE, 3], samples, labels))
}

/// Appends the records of the file at `path` to `samples` and `labels`.
fn append(
    path: &Path,
    kind: CifarVersion,
    samples: &mut Vec<u8>,
    labels: &mut Vec<usize>,
) -> Result<(), DataError> {
    let bytes = file::read(path)?;
    let record = kind.label_bytes() + 3 * SIZE * SIZE;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        return Err(DataError::Format {
            path: path.to_owned(),
            reason: format!(
                "holds {} bytes, expected a multiple of {record}, the bytes of one image",
                bytes.len()
            ),
        });
    }
    for (index, record) in bytes.chunks_exact(record).enumerate() {
        let (label, planes) = record.split_at(kind.label_bytes());
        let label = usize::from(label[label.len() - 1]);
        if label >= kind.classes() {
            return Err(DataError::Label {
                path: path.to_owned(),
                index,
                label,
                classes: kind.classes(),
            });
        }
        labels.push(label);
        let (red, rest) = planes.split_at(SIZE * SIZE);
        let (green, blue) = rest.split_at(SIZE * SIZE);
        for ((&red, &green), &blue) in red.iter().zip(green).zip(blue) {
            samples.extend([red, green, blue]);
        }
    }
    Ok(())
}
