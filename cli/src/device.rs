//! The devices a network can run on: those whose backend is compiled in.

use std::fmt;

use burn::tensor::Device;
use clap::ValueEnum;

/// The name of a device on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    /// The processor, by burn-flex
    Flex,
    /// The processor, by burn-ndarray
    Ndarray,
    /// A GPU, by Vulkan, Metal, Direct3D or OpenGL
    Wgpu,
    /// An NVIDIA GPU, by CUDA
    Cuda,
}

/// A device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Its backend is not part of this program.
    #[error(
        "device {name} is not part of this program, which has {}; build it with `--features {name}`",
        list(.compiled)
    )]
    NotCompiled {
        /// What was asked for.
        name: &'static str,
        /// The devices whose backends are compiled in.
        compiled: Vec<&'static str>,
    },
    /// The backend found nothing to run on.
    #[error("device {name} cannot be used on this machine: {reason}")]
    Unavailable {
        /// What was asked for.
        name: &'static str,
        /// The backend's words.
        reason: String,
    },
}

/// The devices whose backends are compiled in, the default first.
const COMPILED: &[DeviceName] = &[
    #[cfg(feature = "flex")]
    DeviceName::Flex,
    #[cfg(feature = "ndarray")]
    DeviceName::Ndarray,
    #[cfg(feature = "wgpu")]
    DeviceName::Wgpu,
    #[cfg(feature = "cuda")]
    DeviceName::Cuda,
];

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl DeviceName {
    /// The name as it is typed; the feature that compiles it in has the same name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }
}

/// Where weights are read before they are compiled: the first processor backend that is compiled in.
///
/// # Errors
///
/// [`DeviceError`] when there is none.
pub fn processor() -> Result<Device, DeviceError> {
    let ndarray = cfg!(feature = "ndarray") && !cfg!(feature = "flex");
    open(Some(if ndarray {
        DeviceName::Ndarray
    } else {
        DeviceName::Flex
    }))
}

/// The device that was asked for, else the first that is compiled in.
///
/// # Errors
///
/// [`DeviceError`] when it is not compiled in, or the machine has no such device.
pub fn open(asked: Option<DeviceName>) -> Result<Device, DeviceError> {
    let name = chosen(asked);
    match name {
        #[cfg(feature = "flex")]
        DeviceName::Flex => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        DeviceName::Ndarray => {
            // Deprecated upstream in favour of flex, and gone after Burn 0.22.
            #[allow(deprecated)]
            let device = Device::ndarray();
            Ok(device)
        }
        #[cfg(feature = "wgpu")]
        DeviceName::Wgpu => {
            Device::wgpu_options()
                .init()
                .map_err(|reason| DeviceError::Unavailable {
                    name: name.name(),
                    reason: reason.to_string(),
                })
        }
        #[cfg(feature = "cuda")]
        DeviceName::Cuda => {
            let device = Device::cuda(0_usize);
            // The driver is loaded by the first operation, which panics where there is none.
            crate::panics::catch_panics(|| {
                burn::tensor::Tensor::<1>::zeros([1], &device).into_data()
            })
            .map_err(|reason| DeviceError::Unavailable {
                name: name.name(),
                reason,
            })?;
            Ok(device)
        }
        #[allow(unreachable_patterns)]
        _ => Err(DeviceError::NotCompiled {
            name: name.name(),
            compiled: COMPILED.iter().map(|device| device.name()).collect(),
        }),
    }
}

/// The device that was asked for, else the first that is compiled in.
pub fn chosen(asked: Option<DeviceName>) -> DeviceName {
    asked
        .or_else(|| COMPILED.first().copied())
        .unwrap_or(DeviceName::Flex)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
