//! CIFAR's binary format: for each image its labels, then 32x32 samples red, green and blue.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use receptive_layers::labels::CIFAR_10;

use super::{Data, DataError, Memory, file};

/// Height and width of every image, pixels.
const SIZE: usize = 32;

/// One of the two datasets (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cifar10,
    Cifar100,
}

impl Kind {
    fn train(self) -> &'static [&'static str] {
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

    fn test(self) -> &'static [&'static str] {
        match self {
            Self::Cifar10 => &["test_batch.bin"],
            Self::Cifar100 => &["test.bin"],
        }
    }

    fn classes(self) -> usize {
        match self {
            Self::Cifar10 => 10,
            Self::Cifar100 => 100,
        }
    }

    /// Bytes before the samples; the last of them is the class, a coarse class may come before.
    fn label_bytes(self) -> usize {
        match self {
            Self::Cifar10 => 1,
            Self::Cifar100 => 2,
        }
    }

    /// The file of the classes' names, one a line.
    fn names(self) -> &'static str {
        match self {
            Self::Cifar10 => "batches.meta.txt",
            Self::Cifar100 => "fine_label_names.txt",
        }
    }
}

/// Which dataset has files in `folder`.
pub fn here(folder: &Path) -> Option<Kind> {
    [Kind::Cifar10, Kind::Cifar100].into_iter().find(|kind| {
        let mut files = kind.train().iter().chain(kind.test());
        files.any(|name| folder.join(name).is_file())
    })
}

pub fn open(folder: &Path, kind: Kind) -> Result<Data, DataError> {
    Ok(Data {
        classes: names(folder, kind),
        train: Arc::new(images(folder, kind, kind.train())?),
        validation: Arc::new(images(folder, kind, kind.test())?),
    })
}

fn names(folder: &Path, kind: Kind) -> Vec<String> {
    let listed: Vec<String> = fs::read_to_string(folder.join(kind.names()))
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    match kind {
        _ if listed.len() == kind.classes() => listed,
        Kind::Cifar10 => CIFAR_10.map(str::to_owned).to_vec(),
        Kind::Cifar100 => (0..kind.classes()).map(|class| class.to_string()).collect(),
    }
}

fn images(folder: &Path, kind: Kind, files: &[&str]) -> Result<Memory, DataError> {
    let (mut samples, mut labels) = (Vec::new(), Vec::new());
    for name in files {
        let path = folder.join(name);
        append(&path, kind, &mut samples, &mut labels)?;
    }
    Ok(Memory::new([SIZE, SIZE, 3], samples, labels))
}

fn append(
    path: &Path,
    kind: Kind,
    samples: &mut Vec<u8>,
    labels: &mut Vec<usize>,
) -> Result<(), DataError> {
    let bytes = file::read(path)?;
    let record = kind.label_bytes() + 3 * SIZE * SIZE;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        return Err(DataError::Format {
            path: path.to_owned(),
            reason: format!(
                "holds {} bytes, expected a multiple of {record}: {} for each image",
                bytes.len(),
                record
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
