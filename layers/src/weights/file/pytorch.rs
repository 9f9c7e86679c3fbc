//! PyTorch checkpoints.
//!
//! All containers of past versions of `torch.save` can be read. Files are written in the current
//! container: a zip archive of a pickle and one uncompressed entry per tensor.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use burn_store::bridge;
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::pytorch_reader::{PytorchError, PytorchReader};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::pickle::{self, TensorHeader};
use crate::weights::error::WeightsError;
use crate::weights::format::{FloatType, Format};
use crate::weights::tensor::WeightTensor;

/// Keys under which training scripts store the state dictionary beside other entries.
const WRAPPER_KEYS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Reads the tensors of the checkpoint at `path`, without their values.
pub(super) fn read(path: &Path) -> Result<Vec<StoredTensor>, WeightsError> {
    let mut reader = PytorchReader::new(path).map_err(|error| read_error(path, error))?;
    let wrapper = WRAPPER_KEYS.into_iter().find(|key| {
        let inside = |name: &String| name.strip_prefix(key).is_some_and(|s| s.starts_with('.'));
        reader.tensors().keys().any(inside)
    });
    // In a dictionary that is not nested, a layer may be called like a wrapper key. The reader then
    // finds no such key, and the flat dictionary is used.
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

/// Reads the tensors of a checkpoint in memory.
///
/// The bytes are written to a temporary file, because Burn's reader only reads files.
pub(super) fn read_bytes(bytes: &[u8]) -> Result<Vec<StoredTensor>, WeightsError> {
    let mut file = NamedTempFile::new()
        .map_err(|source| WeightsError::write(&std::env::temp_dir(), source))?;
    file.write_all(bytes)
        .and_then(|()| file.flush())
        .map_err(|source| WeightsError::write(file.path(), source))?;
    // The values are read before the temporary file is deleted.
    read(file.path())?
        .into_iter()
        .map(|tensor| {
            let (name, tensor) = (tensor.name.clone(), WeightTensor::new(tensor));
            Ok(bridge::from_data(tensor.data()?, name, None))
        })
        .collect()
}

fn read_error(path: &Path, error: PytorchError) -> WeightsError {
    match error {
        PytorchError::Io(source)
            if !matches!(
                source.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            WeightsError::read(path, source)
        }
        error => WeightsError::corrupt(path, Format::PyTorch, error),
    }
}

/// Top-level folder of the archive's entries; readers accept any name.
const ROOT: &str = "archive";

/// Alignment of the storages in bytes, as in `torch.save`, which allows readers to map them into
/// memory.
const ALIGNMENT: u16 = 64;

/// Writes `tensors` to `file`; errors name `path`.
pub(super) fn write(
    tensors: &[&WeightTensor],
    file: &mut File,
    path: &Path,
    float_type: FloatType,
) -> Result<(), WeightsError> {
    let failed = |source| WeightsError::write(path, source);
    let headers = tensors.iter().map(|tensor| TensorHeader {
        name: tensor.name(),
        dtype: tensor.file_dtype(float_type),
        shape: tensor.shape(),
    });
    let pickle = pickle::state_dict(headers).ok_or_else(|| {
        failed(io::Error::other(
            "PyTorch has no storage class for the element type of a tensor",
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
        entry(&format!("data/{index}"), &tensor.file_bytes(float_type)?)?;
    }
    entry("version", b"3\n")?;
    archive
        .finish()
        .map_err(|error| failed(error.into()))?
        .flush()
        .map_err(failed)
}
