//! PyTorch's checkpoints: every container that `torch.save` has written is read, and its current
//! one written: a zip archive of a pickle and one uncompressed entry per tensor.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use burn_store::bridge;
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::pytorch_reader::{PytorchError, PytorchReader};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::pickle::{self, Described};
use super::{Format, Precision, corrupt};
use crate::weights::error::WeightsError;
use crate::weights::tensor::WeightTensor;

/// Keys under which training scripts put the tensors beside other things.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

pub(super) fn read(path: &Path) -> Result<Vec<StoredTensor>, WeightsError> {
    let mut reader = PytorchReader::new(path).map_err(|error| unreadable(path, error))?;
    let wrapper = WRAPPERS.into_iter().find(|key| {
        let inside = |name: &String| name.strip_prefix(key).is_some_and(|s| s.starts_with('.'));
        reader.tensors().keys().any(inside)
    });
    // A name may also begin with such a word in a dictionary that is not nested, and then this
    // finds no such key.
    if let Some(nested) = wrapper
        .and_then(|key| PytorchReader::with_top_level_key(path, key).ok())
        .filter(|nested| !nested.is_empty())
    {
        reader = nested;
    }
    Ok(reader
        .into_tensors()
        .into_values()
        .map(bridge::from_pytorch)
        .collect())
}

/// The tensors of a checkpoint in memory, through a file, since the reader takes no other source.
pub(super) fn read_bytes(bytes: &[u8]) -> Result<Vec<StoredTensor>, WeightsError> {
    let mut file = NamedTempFile::new().map_err(|source| WeightsError::Write {
        path: std::env::temp_dir(),
        source,
    })?;
    file.write_all(bytes)
        .and_then(|()| file.flush())
        .map_err(|source| WeightsError::Write {
            path: file.path().to_owned(),
            source,
        })?;
    // The values are read while the file is there.
    read(file.path())?
        .into_iter()
        .map(|tensor| {
            let (name, tensor) = (tensor.name.clone(), WeightTensor::new(tensor));
            Ok(bridge::from_data(tensor.data()?, name, None))
        })
        .collect()
}

fn unreadable(path: &Path, error: PytorchError) -> WeightsError {
    match error {
        PytorchError::Io(source)
            if !matches!(
                source.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            WeightsError::Read {
                path: path.to_owned(),
                source,
            }
        }
        error => corrupt(path, Format::PyTorch, error),
    }
}

/// The folder of the archive's entries; any name does.
const ROOT: &str = "archive";

/// What `torch.save` aligns storages to, so that they can be mapped into memory.
const ALIGNMENT: u16 = 64;

pub(super) fn write(
    tensors: &[&WeightTensor],
    file: &mut File,
    path: &Path,
    precision: Precision,
) -> Result<(), WeightsError> {
    let failed = |source| WeightsError::Write {
        path: path.to_owned(),
        source,
    };
    let described = tensors.iter().map(|tensor| Described {
        name: tensor.name(),
        dtype: tensor.written_dtype(precision),
        shape: tensor.shape(),
    });
    let pickle = pickle::state_dict(described).ok_or_else(|| {
        failed(io::Error::other(
            "an element's type has no storage in PyTorch",
        ))
    })?;

    let mut archive = ZipWriter::new(BufWriter::new(file));
    let mut entry = |name: &str, bytes: &[u8]| -> Result<(), WeightsError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(u32::try_from(bytes.len()).is_err())
            .with_alignment(ALIGNMENT);
        archive
            .start_file(format!("{ROOT}/{name}"), options)
            .map_err(|error| failed(error.into()))?;
        archive.write_all(bytes).map_err(failed)
    };
    entry("data.pkl", &pickle)?;
    entry("byteorder", b"little")?;
    for (index, tensor) in tensors.iter().enumerate() {
        entry(&format!("data/{index}"), &tensor.written(precision)?)?;
    }
    entry("version", b"3\n")?;
    archive
        .finish()
        .map_err(|error| failed(error.into()))?
        .flush()
        .map_err(failed)
}
