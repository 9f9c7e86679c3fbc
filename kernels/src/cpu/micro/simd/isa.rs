//! Which instruction set runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instruction set that the kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isa {
    /// AVX-512F on x86-64, 16 lanes.
    Avx512,
    /// AVX2 and FMA on x86-64, 8 lanes.
    Avx2,
    /// NEON on 64-bit ARM, 4 lanes.
    Neon,
    /// WebAssembly's 128-bit vectors, 4 lanes.
    Simd128,
    /// No vectors, on any machine.
    Scalar,
}

impl Isa {
    /// Every instruction set, the fastest first.
    pub const ALL: [Self; 5] = [
        Self::Avx512,
        Self::Avx2,
        Self::Neon,
        Self::Simd128,
        Self::Scalar,
    ];

    /// The environment variable that forces one: `avx512`, `avx2`, `neon`, `simd128`, `scalar`.
    pub const VARIABLE: &'static str = "RECEPTIVE_ISA";

    /// Whether this machine has it.
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
            // WebAssembly has no detection: a module with vectors does not load without them.
            Self::Simd128 => cfg!(all(
                target_arch = "wasm32",
                any(target_feature = "simd128", feature = "simd128")
            )),
            Self::Scalar => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// Those that this machine has, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// What `RECEPTIVE_ISA` asks for, or the fastest that this machine has.
    ///
    /// # Errors
    ///
    /// [`UnknownIsa`] when the variable names none that is here.
    pub fn detect() -> Result<Self, UnknownIsa> {
        match std::env::var_os(Self::VARIABLE) {
            Some(asked) => asked.to_string_lossy().parse(),
            None => Ok(Self::available().next().unwrap_or(Self::Scalar)),
        }
    }

    /// Elements of a vector, channels of a block.
    pub const fn lanes(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
            Self::Neon | Self::Simd128 | Self::Scalar => 4,
        }
    }

    /// Its name, in lower case.
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
                asked: name.to_owned(),
                available: Self::available().map(Self::name).collect(),
            })
    }
}

/// An instruction set that does not exist, or that this machine has not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this machine has no instruction set {asked:?}, expected one of {}", available.join(", "))]
pub struct UnknownIsa {
    /// What was asked for.
    pub asked: String,
    /// What there is.
    pub available: Vec<&'static str>,
}
