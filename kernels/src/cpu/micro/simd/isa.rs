//! Detection and choice of the instruction set.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instruction set that the kernels support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Isa {
    /// AVX-512F on x86-64, 16 lanes.
    Avx512,
    /// AVX2 and FMA on x86-64, 8 lanes.
    Avx2,
    /// NEON on 64-bit ARM, 4 lanes.
    Neon,
    /// WebAssembly's 128-bit vectors, 4 lanes.
    Simd128,
    /// Portable code without vector instructions, 4 lanes.
    Scalar,
}

impl Isa {
    /// All instruction sets, fastest first.
    pub const ALL: [Self; 5] = [
        Self::Avx512,
        Self::Avx2,
        Self::Neon,
        Self::Simd128,
        Self::Scalar,
    ];

    /// Environment variable that forces an instruction set: `avx512`, `avx2`, `neon`, `simd128` or
    /// `scalar`.
    pub const VARIABLE: &'static str = "RECEPTIVE_ISA";

    /// Whether the processor has the instruction set.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            // WebAssembly has no detection: a module with vector instructions does not load without
            // support.
            Self::Simd128 => cfg!(all(
                target_arch = "wasm32",
                any(target_feature = "simd128", feature = "simd128")
            )),
            Self::Scalar => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// Instruction sets of the processor, fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The instruction set that `RECEPTIVE_ISA` names, or else the fastest of the processor.
    ///
    /// # Errors
    ///
    /// [`UnknownIsa`] when the variable does not name an instruction set of the processor.
    pub fn detect() -> Result<Self, UnknownIsa> {
        match std::env::var_os(Self::VARIABLE) {
            Some(requested) => requested.to_string_lossy().parse(),
            None => Ok(Self::available().next().unwrap_or(Self::Scalar)),
        }
    }

    /// Elements of a vector; channels of a block.
    pub const fn lanes(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
            Self::Neon | Self::Simd128 | Self::Scalar => 4,
        }
    }

    /// Name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Simd128 => "simd128",
            Self::Scalar => "scalar",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Self, UnknownIsa> {
        Self::available()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| UnknownIsa {
                requested: name.to_owned(),
                available: Self::available().map(Self::name).collect(),
            })
    }
}

/// The processor has no instruction set of the given name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the processor has no instruction set {requested:?}, expected one of {}", available.join(", "))]
pub struct UnknownIsa {
    /// The name.
    pub requested: String,
    /// Instruction sets of the processor.
    pub available: Vec<&'static str>,
}
