//! The three formats of weight files, and the floating-point types in which files are written.

use std::fmt;
use std::path::Path;

use burn::tensor::{DType, bf16, f16};
use burn_store::burn_pack::MAGIC_NUMBER;

/// A format of weight files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Output of `torch.save`: `.pth`, `.pt`.
    PyTorch,
    /// A JSON header and raw values: `.safetensors`.
    SafeTensors,
    /// Burn's format: `.bpk`.
    Burnpack,
}

/// Maximum length of a SafeTensors header, in bytes.
pub(super) const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;

/// First opcode of a pickle of protocol 2 or later.
const PICKLE_PROTO: u8 = 0x80;

/// End offset of the magic `ustar` in the first header of a tar archive.
const TAR_MAGIC_END: usize = 262;

impl Format {
    /// Number of bytes at the start of a file from which
    /// [`from_content`](Self::from_content) detects the format.
    pub(super) const DETECTION_LEN: usize = TAR_MAGIC_END;

    /// Returns the format for a file name's extension, in any case: `.pth`, `.pt` and `.bin` are
    /// PyTorch, `.safetensors` is SafeTensors, `.bpk` and `.burnpack` are Burnpack.
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "pth" | "pt" | "bin" => Some(Self::PyTorch),
            "safetensors" => Some(Self::SafeTensors),
            "bpk" | "burnpack" => Some(Self::Burnpack),
            _ => None,
        }
    }

    /// Returns the format of a file from its first bytes.
    pub(super) fn from_content(start: &[u8]) -> Option<Self> {
        if start.starts_with(&MAGIC_NUMBER.to_le_bytes()) {
            return Some(Self::Burnpack);
        }
        // A SafeTensors file is the header's length, then a JSON object. No pickle or archive has
        // `{` at byte 8 and a length within the limit.
        if start.get(8) == Some(&b'{')
            && start
                .first_chunk()
                .is_some_and(|len| u64::from_le_bytes(*len) <= MAX_SAFETENSORS_HEADER)
        {
            return Some(Self::SafeTensors);
        }
        let zip = start.starts_with(b"PK\x03\x04");
        let pickle = start.first() == Some(&PICKLE_PROTO);
        (zip || pickle || Self::is_tar(start)).then_some(Self::PyTorch)
    }

    /// Returns whether a file is a tar archive, from its first bytes.
    pub(super) fn is_tar(start: &[u8]) -> bool {
        start.get(TAR_MAGIC_END - 5..TAR_MAGIC_END) == Some(b"ustar")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PyTorch => "a PyTorch checkpoint",
            Self::SafeTensors => "SafeTensors",
            Self::Burnpack => "Burnpack",
        })
    }
}

/// Type of the floating-point values in a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FloatType {
    /// IEEE 754 single precision, 4 bytes.
    #[default]
    F32,
    /// IEEE 754 half precision, 2 bytes: 11 significant bits, maximum 65,504.
    F16,
    /// bfloat16, 2 bytes: 8 significant bits, the range of single precision.
    BF16,
}

impl FloatType {
    /// Returns the element type.
    pub(super) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::BF16 => DType::BF16,
        }
    }

    /// Returns whether `value` is infinite, NaN, or stays finite in this type.
    pub(super) fn can_represent(self, value: f32) -> bool {
        !value.is_finite()
            || match self {
                Self::F32 => true,
                Self::F16 => f16::from_f32(value).is_finite(),
                Self::BF16 => bf16::from_f32(value).is_finite(),
            }
    }
}

impl fmt::Display for FloatType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
        })
    }
}
