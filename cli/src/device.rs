//! Devices of the Burn backends that are compiled into the program.

use std::fmt;

use burn::tensor::Device;
#[cfg(feature = "wgpu")]
use burn::tensor::wgpu::WgpuBackend;
use clap::ValueEnum;

/// Names of devices on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    /// CPU, with burn-flex
    Flex,
    /// CPU, with burn-ndarray
    Ndarray,
    /// GPU, with Vulkan, Metal, Direct3D or OpenGL
    Wgpu,
    /// GPU, with Vulkan and SPIR-V kernels
    Vulkan,
    /// Apple's GPU, with Metal kernels
    Metal,
    /// NVIDIA GPU, with CUDA
    Cuda,
}

/// Reasons why a device cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The backend of the device is not compiled in.
    #[error(
        "device {name} is not compiled into this program, expected one of: {}; to use {name}, build the program with `--features {name}`",
        list(.compiled)
    )]
    NotCompiled {
        /// Name of the requested device.
        name: &'static str,
        /// Names of the devices whose backends are compiled in.
        compiled: Vec<&'static str>,
    },
    /// The backend found no such device on this machine.
    #[error("device {name} cannot be used on this machine: {reason}")]
    Unavailable {
        /// Name of the requested device.
        name: &'static str,
        /// Message of the backend.
        reason: String,
    },
}

/// Devices whose backends are compiled in; the first one is the default.
const COMPILED: &[DeviceName] = &[
    #[cfg(feature = "flex")]
    DeviceName::Flex,
    #[cfg(feature = "ndarray")]
    DeviceName::Ndarray,
    #[cfg(feature = "wgpu")]
    DeviceName::Wgpu,
    #[cfg(feature = "vulkan")]
    DeviceName::Vulkan,
    #[cfg(feature = "metal")]
    DeviceName::Metal,
    #[cfg(feature = "cuda")]
    DeviceName::Cuda,
];

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl DeviceName {
    /// Name on the command line, and of the Cargo feature that compiles the backend in.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
        }
    }

    /// Whether the device is a GPU, whose kernels are compiled and tuned in the first runs.
    pub fn is_gpu(self) -> bool {
        matches!(self, Self::Wgpu | Self::Vulkan | Self::Metal | Self::Cuda)
    }
}

/// Opens the CPU device that holds weights before they are compiled: flex, or else ndarray.
///
/// # Errors
///
/// [`DeviceError::NotCompiled`] when neither backend is compiled in.
pub fn cpu() -> Result<Device, DeviceError> {
    let ndarray = cfg!(feature = "ndarray") && !cfg!(feature = "flex");
    open(Some(if ndarray {
        DeviceName::Ndarray
    } else {
        DeviceName::Flex
    }))
}

/// Opens the requested device, or else the default one.
///
/// # Errors
///
/// [`DeviceError`] when its backend is not compiled in, or the machine has no such device.
pub fn open(requested: Option<DeviceName>) -> Result<Device, DeviceError> {
    let name = name_or_default(requested);
    match name {
        #[cfg(feature = "flex")]
        DeviceName::Flex => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        DeviceName::Ndarray => {
            // Deprecated by Burn in favour of flex; Burn 0.22 is the last version that has it.
            #[allow(deprecated)]
            let device = Device::ndarray();
            Ok(device)
        }
        #[cfg(feature = "wgpu")]
        DeviceName::Wgpu => open_wgpu(name, WgpuBackend::Auto),
        #[cfg(feature = "vulkan")]
        DeviceName::Vulkan => open_wgpu(name, WgpuBackend::Vulkan),
        #[cfg(feature = "metal")]
        DeviceName::Metal => open_wgpu(name, WgpuBackend::Metal),
        #[cfg(feature = "cuda")]
        DeviceName::Cuda => {
            let device = Device::cuda(local_rank());
            // The first operation loads the driver, and panics if there is none.
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

/// Index of this process among those that a launcher of MPI has started on this machine, which is that
/// of its GPU; 0 without a launcher.
#[cfg(feature = "cuda")]
fn local_rank() -> usize {
    let names = [
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "MPI_LOCALRANKID",
        "SLURM_LOCALID",
    ];
    let found = names.into_iter().find_map(|name| std::env::var(name).ok());
    found.and_then(|rank| rank.parse().ok()).unwrap_or(0)
}

/// Opens the default adapter of a graphics interface.
#[cfg(feature = "wgpu")]
fn open_wgpu(name: DeviceName, interface: WgpuBackend) -> Result<Device, DeviceError> {
    let options = Device::wgpu_options().graphics_api(interface);
    options.init().map_err(|reason| DeviceError::Unavailable {
        name: name.name(),
        reason: reason.to_string(),
    })
}

/// Returns the requested device, or else the default one: the first that is compiled in.
pub fn name_or_default(requested: Option<DeviceName>) -> DeviceName {
    requested
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
