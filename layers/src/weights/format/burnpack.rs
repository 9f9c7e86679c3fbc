//! Burnpack, Burn's own format: a CBOR header and aligned values.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use burn::tensor::{Bytes, DType, TensorData};
use burn_store::burn_pack::{self, HEADER_SIZE, Header, Reader, Tensor as StoredTensor, Writer};

use super::{Format, Precision, corrupt};
use crate::weights::error::WeightsError;
use crate::weights::state_dict::Naming;
use crate::weights::tensor::WeightTensor;

/// The file's own entry that says whose names it has; Burn's files lack it.
const NAMES_KEY: &str = "names";
const REFERENCE_NAMES: &str = "pytorch";

pub(super) fn read(path: &Path, len: u64) -> Result<(Vec<StoredTensor>, Naming), WeightsError> {
    check_header(path, len)?;
    tensors(Reader::from_file_exact(path), path)
}

/// The tensors of a file in memory, called `path` in errors.
pub(super) fn read_bytes(
    bytes: Vec<u8>,
    path: &Path,
) -> Result<(Vec<StoredTensor>, Naming), WeightsError> {
    tensors(Reader::from_bytes(Bytes::from_bytes_vec(bytes)), path)
}

fn tensors(
    reader: Result<Reader, burn_pack::Error>,
    path: &Path,
) -> Result<(Vec<StoredTensor>, Naming), WeightsError> {
    let reader = reader.map_err(|error| unreadable(path, error))?;
    let naming = match reader.metadata().get(NAMES_KEY).map(String::as_str) {
        Some(REFERENCE_NAMES) => Naming::Reference,
        _ => Naming::Burn,
    };
    let tensors = reader
        .into_tensors()
        .map_err(|error| unreadable(path, error))?
        .into_iter()
        .map(checked)
        .collect();
    Ok((tensors, naming))
}

/// The reader allocates the metadata's declared size before it looks at the file's.
fn check_header(path: &Path, len: u64) -> Result<(), WeightsError> {
    let mut start = [0; HEADER_SIZE];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(corrupt(path, Format::Burnpack, "the header is cut short"));
        }
        Err(source) => {
            return Err(WeightsError::Read {
                path: path.to_owned(),
                source,
            });
        }
        Ok(()) => {}
    }
    let header = Header::from_bytes(&start).map_err(|error| unreadable(path, error))?;
    if HEADER_SIZE as u64 + u64::from(header.metadata_size) > len {
        return Err(corrupt(
            path,
            Format::Burnpack,
            format!(
                "a header of {} bytes in a file of {len}",
                header.metadata_size
            ),
        ));
    }
    Ok(())
}

/// The same tensor, with a failure to read its bytes from the file an error: Burn's file-backed
/// bytes panic where they are used otherwise.
fn checked(tensor: StoredTensor) -> StoredTensor {
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

fn unreadable(path: &Path, error: burn_pack::Error) -> WeightsError {
    match error {
        burn_pack::Error::IoError(reason) => WeightsError::Read {
            path: path.to_owned(),
            source: io::Error::other(reason),
        },
        error => corrupt(path, Format::Burnpack, error),
    }
}

pub(super) fn write(
    tensors: &[&WeightTensor],
    scratch: &Path,
    path: &Path,
    precision: Precision,
) -> Result<(), WeightsError> {
    let written = tensors.iter().map(|&tensor| {
        let source = tensor.clone();
        StoredTensor::deferred(
            tensor.name().to_owned(),
            tensor.written_dtype(precision),
            tensor.shape().to_vec(),
            None,
            tensor.written_len(precision),
            move || {
                source
                    .written(precision)
                    .map_err(|error| burn_pack::Error::ValidationError(error.to_string()))
            },
        )
    });
    let result = Writer::new(written.collect())
        .with_metadata(NAMES_KEY, REFERENCE_NAMES)
        .auto_extension(false)
        .write_to_file_in_place(scratch);
    result.map_err(|error| {
        // The writer keeps no more than the text of a tensor's own error: ask for it again.
        let cause = tensors
            .iter()
            .find_map(|tensor| tensor.written(precision).err());
        cause.unwrap_or_else(|| WeightsError::Write {
            path: path.to_owned(),
            source: io::Error::other(error.to_string()),
        })
    })
}
