//! The devices that the tests run on.

use burn::tensor::Device;

/// Returns the CPU with the ndarray backend.
#[allow(deprecated)]
pub fn ndarray() -> Device {
    Device::ndarray()
}

/// Returns the CPU with the flex backend.
pub fn flex() -> Device {
    Device::flex()
}

/// Returns the default wgpu adapter, a GPU or a software driver, or `None` if wgpu finds no
/// adapter.
///
/// # Panics
///
/// When wgpu finds no adapter and the environment variable `RECEPTIVE_REQUIRE_WGPU` is set, as in
/// CI, where the tests must not be skipped.
#[cfg(feature = "wgpu")]
pub fn wgpu() -> Option<Device> {
    if Device::enumerate(burn::tensor::DeviceType::Wgpu).is_empty() {
        assert!(
            std::env::var_os("RECEPTIVE_REQUIRE_WGPU").is_none(),
            "RECEPTIVE_REQUIRE_WGPU is set, and wgpu finds no adapter"
        );
        eprintln!("skipped: wgpu finds no adapter");
        return None;
    }
    Some(Device::wgpu(Default::default()))
}
