//! Burnpack files, Burn's format: a CBOR header and aligned values.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use burn::tensor::{Bytes, DType, TensorData};
use burn_store::burn_pack::{self, HEADER_SIZE, Header, Reader, Tensor as StoredTensor, Writer};

use super::content::{Content, METADATA_KEY, parse_metadata};
use crate::weights::error::WeightsError;
use crate::weights::format::{FloatType, Format};
use crate::weights::naming::Naming;
use crate::weights::tensor::WeightTensor;

/// Metadata key of the naming convention; files saved by Burn itself lack this key.
const NAMES_KEY: &str = "names";
/// Value of [`NAMES_KEY`] in files with PyTorch's names.
const PYTORCH_NAMES: &str = "pytorch";

/// Reads the file at `path`, which is `len` bytes long.
pub(super) fn read(path: &Path, len: u64) -> Result<Content, WeightsError> {
    check_header(path, len)?;
    content(Reader::from_file_exact(path), path)
}

/// Reads a file in memory; errors name `path`.
pub(super) fn read_bytes(bytes: Vec<u8>, path: &Path) -> Result<Content, WeightsError> {
    content(Reader::from_bytes(Bytes::from_bytes_vec(bytes)), path)
}

fn content(reader: Result<Reader, burn_pack::Error>, path: &Path) -> Result<Content, WeightsError> {
    let reader = reader.map_err(|error| read_error(path, error))?;
    let naming = match reader.metadata().get(NAMES_KEY).map(String::as_str) {
        Some(PYTORCH_NAMES) => Naming::PyTorch,
        _ => Naming::Burn,
    };
    let json = reader.metadata().get(METADATA_KEY).map(String::as_bytes);
    let metadata = parse_metadata(json, path, Format::Burnpack)?;
    let tensors = reader
        .into_tensors()
        .map_err(|error| read_error(path, error))?
        .into_iter()
        .map(with_read_errors)
        .collect();
    Ok(Content::flat(tensors, naming, metadata))
}

/// Returns an error if the header declares more metadata than the file has bytes.
///
/// Burn's reader allocates the declared size before it reads the metadata.
fn check_header(path: &Path, len: u64) -> Result<(), WeightsError> {
    let mut start = [0; HEADER_SIZE];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let reason = "the file ends within the header";
            return Err(WeightsError::corrupt(path, Format::Burnpack, reason));
        }
        Err(source) => return Err(WeightsError::read(path, source)),
        Ok(()) => {}
    }
    let header = Header::from_bytes(&start).map_err(|error| read_error(path, error))?;
    if HEADER_SIZE as u64 + u64::from(header.metadata_size) > len {
        let reason = format!(
            "the header declares {} bytes of metadata in a file of {len} bytes",
            header.metadata_size
        );
        return Err(WeightsError::corrupt(path, Format::Burnpack, reason));
    }
    Ok(())
}

/// Returns the tensor with failed reads of its bytes as errors.
///
/// Burn's file-backed bytes panic on a failed read. A conversion to a slice returns the error.
fn with_read_errors(tensor: StoredTensor) -> StoredTensor {
    let (name, dtype, shape) = (tensor.name.clone(), tensor.dtype, tensor.shape.clone());
    let (param_id, len) = (tensor.param_id, tensor.byte_len());
    StoredTensor::deferred(name, dtype, shape, param_id, len, move || {
        let bytes = TensorData::try_from_bytes(tensor.to_bytes()?, [len], DType::U8)
            .map_err(|error| burn_pack::Error::ValidationError(error.to_string()))?;
        bytes
            .as_slice::<u8>()
            .map_err(|error| burn_pack::Error::IoError(error.to_string()))?;
        Ok(bytes.into_bytes())
    })
}

fn read_error(path: &Path, error: burn_pack::Error) -> WeightsError {
    match error {
        burn_pack::Error::IoError(reason) => WeightsError::read(path, io::Error::other(reason)),
        error => WeightsError::corrupt(path, Format::Burnpack, error),
    }
}

/// Writes `tensors` and `metadata` to the file at `temporary_path`; errors name `path`.
pub(super) fn write(
    tensors: &[&WeightTensor],
    metadata: Option<&str>,
    temporary_path: &Path,
    path: &Path,
    float_type: FloatType,
) -> Result<(), WeightsError> {
    let written = tensors.iter().map(|&tensor| {
        let source = tensor.clone();
        StoredTensor::deferred(
            tensor.name().to_owned(),
            tensor.file_dtype(float_type),
            tensor.shape().to_vec(),
            None,
            tensor.file_len(float_type),
            move || {
                source
                    .file_bytes(float_type)
                    .map_err(|error| burn_pack::Error::ValidationError(error.to_string()))
            },
        )
    });
    let mut writer = Writer::new(written.collect()).with_metadata(NAMES_KEY, PYTORCH_NAMES);
    if let Some(json) = metadata {
        writer = writer.with_metadata(METADATA_KEY, json);
    }
    let result = writer
        .auto_extension(false)
        .write_to_file_in_place(temporary_path);
    result.map_err(|error| {
        // Burn's writer reduces the error of a tensor to its text; the tensors are encoded again to
        // find the error itself.
        let cause = tensors
            .iter()
            .find_map(|tensor| tensor.file_bytes(float_type).err());
        cause.unwrap_or_else(|| WeightsError::write(path, io::Error::other(error.to_string())))
    })
}
