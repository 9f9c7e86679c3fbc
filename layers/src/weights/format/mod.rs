//! The three file formats, told apart by how a file begins.

mod burnpack;
mod pickle;
mod pytorch;
mod safetensors;

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use burn::tensor::{DType, bf16, f16};
use burn_store::burn_pack::{MAGIC_NUMBER, Tensor as StoredTensor};

use super::atomic;
use super::error::WeightsError;
use super::state_dict::Naming;
use super::tensor::WeightTensor;

/// A format of weight files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// What `torch.save` writes: `.pth`, `.pt`.
    PyTorch,
    /// A JSON header and raw values: `.safetensors`.
    SafeTensors,
    /// Burn's own: `.bpk`.
    Burnpack,
}

impl Format {
    /// The format that a file of this name is expected to have: `.pth`, `.pt` and `.bin` are
    /// PyTorch's, `.safetensors` SafeTensors, `.bpk` and `.burnpack` Burnpack, in any case.
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "pth" | "pt" | "bin" => Some(Self::PyTorch),
            "safetensors" => Some(Self::SafeTensors),
            "bpk" | "burnpack" => Some(Self::Burnpack),
            _ => None,
        }
    }

    /// The format of the file's content.
    pub(super) fn detect(path: &Path) -> Result<Self, WeightsError> {
        let mut start = Vec::new();
        File::open(path)
            .and_then(|file| file.take(TAR_MAGIC_END as u64).read_to_end(&mut start))
            .map_err(|source| WeightsError::Read {
                path: path.to_owned(),
                source,
            })?;
        Self::of_content(&start).ok_or_else(|| WeightsError::NotWeights {
            path: path.to_owned(),
        })
    }

    /// The format that begins so.
    pub(super) fn of_content(start: &[u8]) -> Option<Self> {
        if start.starts_with(&MAGIC_NUMBER.to_le_bytes()) {
            return Some(Self::Burnpack);
        }
        // A SafeTensors header is JSON behind its length; no pickle or archive has `{` there and
        // a length this small.
        if start.get(8) == Some(&b'{')
            && safetensors::header_len(start).is_some_and(|len| len <= safetensors::MAX_HEADER)
        {
            return Some(Self::SafeTensors);
        }
        let zip = start.starts_with(b"PK\x03\x04");
        let pickle = start.first() == Some(&PICKLE_PROTO);
        let tar = start.get(TAR_MAGIC_END - 5..TAR_MAGIC_END) == Some(b"ustar");
        (zip || pickle || tar).then_some(Self::PyTorch)
    }
}

/// The opcode that begins a pickle of protocol 2 or later.
const PICKLE_PROTO: u8 = 0x80;

/// Where the `ustar` of a tar archive's first header ends.
const TAR_MAGIC_END: usize = 262;

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PyTorch => "a PyTorch checkpoint",
            Self::SafeTensors => "SafeTensors",
            Self::Burnpack => "Burnpack",
        })
    }
}

/// How exactly a written file holds floating-point values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// IEEE 754 single precision, 4 bytes.
    #[default]
    F32,
    /// IEEE 754 half precision, 2 bytes: 11 significant bits, up to 65,504.
    F16,
    /// bfloat16, 2 bytes: 8 significant bits, the range of single precision.
    BF16,
}

impl Precision {
    pub(super) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::BF16 => DType::BF16,
        }
    }

    /// Whether a finite value stays finite.
    pub(super) fn holds(self, value: f32) -> bool {
        !value.is_finite()
            || match self {
                Self::F32 => true,
                Self::F16 => f16::from_f32(value).is_finite(),
                Self::BF16 => bf16::from_f32(value).is_finite(),
            }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
        })
    }
}

/// The file's tensors, values unread, and whose names they have.
pub(super) fn read(
    path: &Path,
    format: Format,
) -> Result<(Vec<StoredTensor>, Naming), WeightsError> {
    let unreadable = |source| WeightsError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let len = file.metadata().map_err(unreadable)?.len();
    let (tensors, naming) = match format {
        Format::PyTorch => (pytorch::read(path)?, Naming::Reference),
        Format::SafeTensors => (safetensors::read(file, len, path)?, Naming::Reference),
        Format::Burnpack => burnpack::read(path, len)?,
    };
    check(&tensors, len, format, path)?;
    Ok((tensors, naming))
}

/// The tensors of a file in memory, and whose names they have.
pub(super) fn read_bytes(
    bytes: Vec<u8>,
    format: Format,
) -> Result<(Vec<StoredTensor>, Naming), WeightsError> {
    let path = Path::new(IN_MEMORY);
    let len = bytes.len() as u64;
    let (tensors, naming) = match format {
        Format::PyTorch => (pytorch::read_bytes(&bytes)?, Naming::Reference),
        Format::SafeTensors => {
            let source = Cursor::new(bytes);
            (safetensors::read(source, len, path)?, Naming::Reference)
        }
        Format::Burnpack => burnpack::read_bytes(bytes, path)?,
    };
    check(&tensors, len, format, path)?;
    Ok((tensors, naming))
}

/// What errors call a file that has no path.
pub(super) const IN_MEMORY: &str = "the file in memory";

/// Refuses what no weight file of `len` bytes holds.
fn check(
    tensors: &[StoredTensor],
    len: u64,
    format: Format,
    path: &Path,
) -> Result<(), WeightsError> {
    for tensor in tensors {
        let (name, bytes) = (&tensor.name, tensor.byte_len());
        // A PyTorch view may repeat one stored element without end, so that a few bytes ask for
        // gigabytes; weights never do.
        if bytes as u64 > len {
            let reason = format!("tensor {name} of {bytes} bytes in a file of {len}");
            return Err(corrupt(path, format, reason));
        }
        if matches!(tensor.dtype, DType::QFloat(_)) {
            return Err(corrupt(path, format, format!("tensor {name} is quantized")));
        }
    }
    Ok(())
}

/// Writes the tensors, sorted by name, beside `path`, then renames the file to it.
pub(super) fn write(
    tensors: &[&WeightTensor],
    path: &Path,
    format: Format,
    precision: Precision,
) -> Result<(), WeightsError> {
    let failed = |source| WeightsError::Write {
        path: path.to_owned(),
        source,
    };
    let mut scratch = atomic::scratch_beside(path).map_err(failed)?;
    match format {
        Format::PyTorch => pytorch::write(tensors, scratch.as_file_mut(), path, precision)?,
        Format::SafeTensors => safetensors::write(tensors, scratch.as_file_mut(), path, precision)?,
        Format::Burnpack => burnpack::write(tensors, scratch.path(), path, precision)?,
    }
    atomic::publish(scratch, path).map_err(failed)
}

fn corrupt(path: &Path, format: Format, reason: impl ToString) -> WeightsError {
    WeightsError::Corrupt {
        path: path.to_owned(),
        format,
        reason: reason.to_string(),
    }
}
