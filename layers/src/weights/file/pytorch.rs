//! PyTorch checkpoints.
//!
//! All containers of past versions of `torch.save` can be read. Files are written in the current
//! container: a zip archive of a pickle and one uncompressed entry per tensor.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use burn_store::bridge;
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::pytorch_reader::{PytorchError, PytorchReader};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::content::{Content, IN_MEMORY, parse_metadata};
use super::pickle::{self, TensorHeader};
use super::pickle_limits;
use crate::metadata::Metadata;
use crate::scratch::ScratchFile;
use crate::weights::error::WeightsError;
use crate::weights::format::{FloatType, Format};
use crate::weights::naming::Naming;
use crate::weights::tensor::WeightTensor;

/// First bytes of a zip archive.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// Largest size of the metadata in bytes.
const MAX_METADATA: u64 = 16 << 20;

/// Keys under which training scripts store a state dictionary beside other entries, the preferred
/// first: the weights, then their averages.
const WRAPPER_KEYS: [&str; 7] = [
    "state_dict",
    "model_state_dict",
    "model",
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
];

/// Entry of the archive that contains the metadata as JSON, beside those of PyTorch, which ignores
/// it. Readers accept any top-level folder.
const METADATA_ENTRY: &str = "receptive.json";

/// Reads the checkpoint at `path`: the state dictionary under `key`, or else under the first of
/// [`WRAPPER_KEYS`] that is there, or else the whole file. Errors name `name`.
pub(super) fn read(path: &Path, name: &Path, key: Option<&str>) -> Result<Content, WeightsError> {
    check_directory(path, name)?;
    pickle_limits::check(path, name)?;
    let dictionary = dictionary(path, name, key)?;
    let content = Content {
        tensors: dictionary.tensors,
        key: dictionary.key,
        other_keys: dictionary.other_keys,
        naming: Naming::PyTorch,
        metadata: metadata(path, name)?,
    };
    match key {
        // The names of a dictionary that is not nested may start with the key.
        Some(key) if content.key.is_none() => content.within(key, name),
        _ => Ok(content),
    }
}

/// Reads the metadata of the checkpoint at `path`: none if the file is not a zip archive or has no
/// such entry.
fn metadata(path: &Path, name: &Path) -> Result<Metadata, WeightsError> {
    let file = File::open(path).map_err(|source| WeightsError::read(name, source))?;
    let Ok(mut archive) = ZipArchive::new(BufReader::new(file)) else {
        return Ok(Metadata::default());
    };
    let suffix = format!("/{METADATA_ENTRY}");
    let names = archive.file_names().filter_map(Result::ok);
    let mut names = names.filter(|entry| entry.ends_with(&suffix));
    let Some(entry) = names.next().map(Cow::into_owned) else {
        return Ok(Metadata::default());
    };
    drop(names);
    let mut json = Vec::new();
    archive
        .by_name(&entry)
        .map_err(io::Error::from)
        .and_then(|entry| entry.take(MAX_METADATA).read_to_end(&mut json))
        .map_err(|error| WeightsError::corrupt(name, Format::PyTorch, error))?;
    parse_metadata(Some(&json), name, Format::PyTorch)
}

/// A dictionary of tensors in a checkpoint.
struct Dictionary {
    tensors: Vec<StoredTensor>,
    /// Its key, if it is within another dictionary.
    key: Option<String>,
    /// Keys of other dictionaries of weights.
    other_keys: Vec<String>,
}

/// Reads the tensors of the checkpoint at `path`, without their values.
fn dictionary(path: &Path, name: &Path, key: Option<&str>) -> Result<Dictionary, WeightsError> {
    let reader = PytorchReader::new(path).map_err(|error| read_error(name, error))?;
    let contains = |key: &str| {
        let inside = |name: &String| name.strip_prefix(key).is_some_and(|s| s.starts_with('.'));
        reader.tensors().keys().any(inside)
    };
    let keys: Vec<&str> = WRAPPER_KEYS
        .into_iter()
        .filter(|key| contains(key))
        .collect();
    let collect = |reader: PytorchReader| {
        let tensors = reader.into_tensors().into_values();
        tensors.map(bridge::from_pytorch).collect()
    };
    let wanted = key.or(keys.first().copied());
    // In a dictionary that is not nested, a layer may be called like a wrapper key. The reader then
    // finds no such key, and the flat dictionary is used.
    let nested = wanted
        .and_then(|key| PytorchReader::with_top_level_key(path, key).ok())
        .filter(|nested| !nested.is_empty());
    match (nested, wanted) {
        (Some(nested), Some(key)) => {
            let others = keys.iter().filter(|&&other| other != key);
            let others = others.map(|&other| other.to_owned()).collect();
            Ok(Dictionary {
                tensors: collect(nested),
                key: Some(key.to_owned()),
                other_keys: others,
            })
        }
        _ => Ok(Dictionary {
            tensors: collect(reader),
            key: None,
            other_keys: Vec::new(),
        }),
    }
}

/// Returns an error if the file at `path` starts like a zip archive and has no directory at its end.
fn check_directory(path: &Path, name: &Path) -> Result<(), WeightsError> {
    let failed = |source| WeightsError::read(name, source);
    let mut file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let mut start = Vec::new();
    let magic = ZIP_MAGIC.len() as u64;
    (&mut file)
        .take(magic)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if start == ZIP_MAGIC && ZipArchive::new(BufReader::new(file)).is_err() {
        let reason = format!("the archive of {len} bytes has no directory at its end: it is cut");
        return Err(WeightsError::corrupt(name, Format::PyTorch, reason));
    }
    Ok(())
}

/// Reads a checkpoint in memory.
///
/// The bytes are written to a temporary file, because Burn's reader only reads files.
pub(super) fn read_bytes(bytes: &[u8], key: Option<&str>) -> Result<Content, WeightsError> {
    let folder = std::env::temp_dir();
    let failed = |source| WeightsError::write(&folder, source);
    let mut file = ScratchFile::create_in(&folder).map_err(failed)?;
    file.file_mut().write_all(bytes).map_err(failed)?;
    let content = read(file.path(), Path::new(IN_MEMORY), key)?;
    // The values are read before the temporary file is deleted.
    let tensors = content.tensors.into_iter().map(|tensor| {
        let (name, tensor) = (tensor.name.clone(), WeightTensor::new(tensor));
        Ok(bridge::from_data(tensor.data()?, name, None))
    });
    Ok(Content {
        tensors: tensors.collect::<Result<_, WeightsError>>()?,
        key: content.key,
        other_keys: content.other_keys,
        naming: content.naming,
        metadata: content.metadata,
    })
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

/// Writes `tensors` and `metadata` to `file`; errors name `path`.
pub(super) fn write(
    tensors: &[&WeightTensor],
    metadata: Option<&str>,
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
    if let Some(json) = metadata {
        entry(METADATA_ENTRY, json.as_bytes())?;
    }
    archive
        .finish()
        .map_err(|error| failed(error.into()))?
        .flush()
        .map_err(failed)
}
