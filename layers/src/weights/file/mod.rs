//! Reading and writing weight files of the three formats.

mod burnpack;
mod content;
mod pickle;
mod pickle_limits;
mod pytorch;
mod safetensors;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use burn::tensor::DType;
use burn_store::burn_pack::Tensor as StoredTensor;

use content::metadata_text;
pub(super) use content::{Content, IN_MEMORY};

use super::error::WeightsError;
use super::format::{FloatType, Format};
use super::tensor::WeightTensor;
use crate::atomic_file::AtomicFile;
use crate::bounded_file;
use crate::metadata::Metadata;

/// Detects the format of the file at `path` from its first bytes.
pub(super) fn detect_format(path: &Path) -> Result<Format, WeightsError> {
    let mut start = Vec::new();
    bounded_file::check_regular(path)
        .and_then(|()| File::open(path))
        .and_then(|file| {
            let mut file = file.take(Format::DETECTION_LEN as u64);
            file.read_to_end(&mut start)
        })
        .map_err(|source| WeightsError::read(path, source))?;
    Format::from_content(&start).ok_or_else(|| WeightsError::NotWeights {
        path: path.to_owned(),
    })
}

/// Reads the file at `path`; with `key`, only the tensors under this key.
pub(super) fn read(
    path: &Path,
    format: Format,
    key: Option<&str>,
) -> Result<Content, WeightsError> {
    let read_error = |source| WeightsError::read(path, source);
    let file = File::open(path).map_err(read_error)?;
    let len = file.metadata().map_err(read_error)?.len();
    let content = match format {
        Format::PyTorch => pytorch::read(path, path, key)?,
        Format::SafeTensors => within(safetensors::read(file, len, path)?, key, path)?,
        Format::Burnpack => within(burnpack::read(path, len)?, key, path)?,
    };
    check(&content.tensors, len, format, path)?;
    Ok(content)
}

fn within(content: Content, key: Option<&str>, path: &Path) -> Result<Content, WeightsError> {
    match key {
        Some(key) => content.within(key, path),
        None => Ok(content),
    }
}

/// Reads a file in memory.
pub(super) fn read_bytes(bytes: Vec<u8>, format: Format) -> Result<Content, WeightsError> {
    let path = Path::new(IN_MEMORY);
    let len = bytes.len() as u64;
    let content = match format {
        Format::PyTorch => pytorch::read_bytes(&bytes, None)?,
        Format::SafeTensors => safetensors::read(Cursor::new(bytes), len, path)?,
        Format::Burnpack => burnpack::read_bytes(bytes, path)?,
    };
    check(&content.tensors, len, format, path)?;
    Ok(content)
}

/// Returns an error if a tensor is longer than its file of `len` bytes, or quantized.
fn check(
    tensors: &[StoredTensor],
    len: u64,
    format: Format,
    path: &Path,
) -> Result<(), WeightsError> {
    for tensor in tensors {
        let (name, bytes) = (&tensor.name, tensor.byte_len());
        // The strides of a PyTorch view may repeat one stored element, so that a small file would
        // allocate gigabytes. Weights are never such views.
        if bytes as u64 > len {
            let reason = format!("tensor {name} has {bytes} bytes in a file of {len} bytes");
            return Err(WeightsError::corrupt(path, format, reason));
        }
        if matches!(tensor.dtype, DType::QFloat(_)) {
            let reason = format!("tensor {name} is quantized, expected unquantized values");
            return Err(WeightsError::corrupt(path, format, reason));
        }
    }
    Ok(())
}

/// Writes the tensors, which are sorted by name, and the metadata to `path`; on an error `path` is
/// unchanged.
pub(super) fn write(
    tensors: &[&WeightTensor],
    metadata: &Metadata,
    path: &Path,
    format: Format,
    float_type: FloatType,
) -> Result<(), WeightsError> {
    let failed = |source| WeightsError::write(path, source);
    let metadata = metadata_text(metadata).map_err(failed)?;
    let metadata = metadata.as_deref();
    let mut file = AtomicFile::create(path).map_err(failed)?;
    match format {
        Format::PyTorch => pytorch::write(tensors, metadata, file.file_mut(), path, float_type)?,
        Format::SafeTensors => {
            safetensors::write(tensors, metadata, file.file_mut(), path, float_type)?;
        }
        Format::Burnpack => {
            burnpack::write(tensors, metadata, file.temporary_path(), path, float_type)?;
        }
    }
    file.commit().map_err(failed)
}
