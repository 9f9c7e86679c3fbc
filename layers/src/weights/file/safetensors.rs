//! SafeTensors files: the length of a JSON header, the header, and the values.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{BoolStore, Bytes, DType};
use burn_store::burn_pack::{self, Tensor as StoredTensor};
use safetensors::tensor::{Dtype, Metadata as Header, TensorInfo};

use super::content::{Content, METADATA_KEY, parse_metadata};
use crate::weights::error::WeightsError;
use crate::weights::format::{FloatType, Format, MAX_SAFETENSORS_HEADER};
use crate::weights::naming::Naming;
use crate::weights::tensor::WeightTensor;

/// Size of the header's length field in bytes.
const LEN_BYTES: u64 = 8;

/// Reads a file from `source`, which is `len` bytes long; errors name `path`.
pub(super) fn read(
    mut source: impl Read + Seek + Send + 'static,
    len: u64,
    path: &Path,
) -> Result<Content, WeightsError> {
    let read_error = |source| WeightsError::read(path, source);
    let corrupt = |reason: String| WeightsError::corrupt(path, Format::SafeTensors, reason);

    let mut start = [0; LEN_BYTES as usize];
    source.read_exact(&mut start).map_err(read_error)?;
    let header_len = u64::from_le_bytes(start);
    let values_start = header_len
        .checked_add(LEN_BYTES)
        .filter(|&end| end <= len && header_len <= MAX_SAFETENSORS_HEADER)
        .ok_or_else(|| {
            corrupt(format!(
                "the header declares a length of {header_len} bytes in a file of {len} bytes"
            ))
        })?;
    let mut header = vec![0; header_len as usize];
    source.read_exact(&mut header).map_err(read_error)?;
    let header: Header =
        serde_json::from_slice(&header).map_err(|error| corrupt(error.to_string()))?;
    let end = values_start.checked_add(header.data_len() as u64);
    if let Some(end) = end.filter(|&end| end > len) {
        let reason = format!("the file is cut: it has {len} bytes, expected {end}");
        return Err(corrupt(reason));
    }
    if end != Some(len) {
        return Err(corrupt(format!(
            "the header declares {} bytes of values, and the file contains {}",
            header.data_len(),
            len - values_start
        )));
    }

    let entries = header.metadata().as_ref();
    let json = entries.and_then(|entries| entries.get(METADATA_KEY));
    let metadata = parse_metadata(json.map(String::as_bytes), path, Format::SafeTensors)?;
    let source = Arc::new(Mutex::new(source));
    let tensors = header
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let dtype = burn_dtype(info.dtype).ok_or_else(|| {
                corrupt(format!(
                    "tensor {name} has the unsupported type {}",
                    info.dtype
                ))
            })?;
            let (from, to) = info.data_offsets;
            let source = Arc::clone(&source);
            let read = move || read_at(&source, values_start + from as u64, to - from);
            let shape = info.shape.clone();
            Ok(StoredTensor::deferred(
                name,
                dtype,
                shape,
                None,
                to - from,
                move || read().map_err(|error| burn_pack::Error::IoError(error.to_string())),
            ))
        })
        .collect::<Result<_, WeightsError>>()?;
    Ok(Content::flat(tensors, Naming::PyTorch, metadata))
}

fn read_at(source: &Mutex<impl Read + Seek>, from: u64, len: usize) -> io::Result<Bytes> {
    let mut bytes = vec![0; len];
    let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
    source.seek(SeekFrom::Start(from))?;
    source.read_exact(&mut bytes)?;
    Ok(Bytes::from_bytes_vec(bytes))
}

/// Writes `tensors` and `metadata` to `file`; errors name `path`.
pub(super) fn write(
    tensors: &[&WeightTensor],
    metadata: Option<&str>,
    file: &mut File,
    path: &Path,
    float_type: FloatType,
) -> Result<(), WeightsError> {
    let failed = |source| WeightsError::write(path, source);
    // Tensors are sorted by decreasing element size, so that each is aligned to its element size.
    let mut tensors = tensors.to_vec();
    tensors.sort_by_key(|tensor| Reverse(tensor.file_dtype(float_type).size()));

    let mut end = 0;
    let infos = tensors.iter().map(|tensor| {
        let start = end;
        end += tensor.file_len(float_type);
        let info = TensorInfo {
            dtype: safetensors_dtype(tensor.file_dtype(float_type))
                .ok_or_else(|| tensor.error("SafeTensors does not support this element type"))?,
            shape: tensor.shape().to_vec(),
            data_offsets: (start, end),
        };
        Ok((tensor.name().to_owned(), info))
    });
    let infos = infos.collect::<Result<Vec<_>, WeightsError>>()?;
    let header = header(infos, metadata).map_err(failed)?;

    let mut out = BufWriter::new(file);
    out.write_all(&(header.len() as u64).to_le_bytes())
        .map_err(failed)?;
    out.write_all(&header).map_err(failed)?;
    for tensor in tensors {
        let bytes = tensor.file_bytes(float_type)?;
        out.write_all(&bytes).map_err(failed)?;
    }
    out.flush().map_err(failed)
}

/// Returns the JSON header, padded with spaces so that the values start at a multiple of 8.
fn header(infos: Vec<(String, TensorInfo)>, metadata: Option<&str>) -> io::Result<Vec<u8>> {
    let mut entries = BTreeMap::from([("format", "pt")]);
    entries.extend(metadata.map(|json| (METADATA_KEY, json)));
    // The library keeps the metadata in a hash map, whose order differs between runs.
    let tensors = Header::new(None, infos).map_err(io::Error::other)?;
    let tensors = serde_json::to_string(&tensors)?;
    let separator = if tensors == "{}" { "" } else { "," };
    let entries = serde_json::to_string(&entries)?;
    let header = format!("{{\"__metadata__\":{entries}{separator}{}", &tensors[1..]);
    let mut header = header.into_bytes();
    header.resize(header.len().next_multiple_of(LEN_BYTES as usize), b' ');
    Ok(header)
}

fn burn_dtype(dtype: Dtype) -> Option<DType> {
    Some(match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::I16 => DType::I16,
        Dtype::I8 => DType::I8,
        Dtype::U64 => DType::U64,
        Dtype::U32 => DType::U32,
        Dtype::U16 => DType::U16,
        Dtype::U8 => DType::U8,
        Dtype::BOOL => DType::Bool(BoolStore::Native),
        _ => return None,
    })
}

fn safetensors_dtype(dtype: DType) -> Option<Dtype> {
    Some(match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::I16 => Dtype::I16,
        DType::I8 => Dtype::I8,
        DType::U64 => Dtype::U64,
        DType::U32 => Dtype::U32,
        DType::U16 => Dtype::U16,
        DType::U8 => Dtype::U8,
        DType::Bool(BoolStore::Native) => Dtype::BOOL,
        _ => return None,
    })
}
