//! The devices that the tests run on.

use burn::tensor::{Device, DeviceType};

/// The CPU, through burn-ndarray.
#[allow(deprecated)]
pub fn ndarray() -> Device {
    Device::ndarray()
}

/// The CPU, through burn-flex.
pub fn flex() -> Device {
    Device::flex()
}

/// The GPU (or a software driver) that wgpu prefers, if the machine has any.
///
/// # Panics
///
/// Where there is none although the environment says `RECEPTIVE_REQUIRE_WGPU`, as it does where
/// the project is checked, lest tests be skipped there unseen.
#[cfg(feature = "wgpu")]
pub fn wgpu() -> Option<Device> {
    if Device::enumerate(DeviceType::Wgpu).is_empty() {
        assert!(
            std::env::var_os("RECEPTIVE_REQUIRE_WGPU").is_none(),
            "RECEPTIVE_REQUIRE_WGPU is set, and wgpu finds no adapter"
        );
        eprintln!("skipped: wgpu finds no adapter");
        return None;
    }
    Some(Device::wgpu(Default::default()))
}
