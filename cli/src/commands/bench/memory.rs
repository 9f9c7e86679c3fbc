//! The memory for the feature maps of a batch.

use receptive_kernels::allocator::try_allocate;

use crate::error::CliError;
use crate::registry::Model;

/// Checks that the allocator has the memory for the feature maps of a batch of `model`, of shape `input`.
///
/// # Errors
///
/// [`CliError::Batch`] if it has not, and the errors of [`Model::summary`].
pub(super) fn check_memory(model: &Model, [batch, image @ ..]: [usize; 4]) -> Result<(), CliError> {
    let [channels, height, width] = image;
    let image = model.summary(model.classes, [1, channels, height, width], false)?;
    check_bytes(image.activation_bytes.saturating_mul(batch as u64), batch)
}

/// Checks that the allocator has `bytes` bytes for the feature maps of `batch` images.
///
/// # Errors
///
/// [`CliError::Batch`] if it has not.
pub(super) fn check_bytes(bytes: u64, batch: usize) -> Result<(), CliError> {
    let mut maps: Vec<u8> = Vec::new();
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    match try_allocate(|| maps.try_reserve_exact(length)) {
        Ok(()) => Ok(()),
        Err(_) => Err(CliError::Batch { batch, bytes }),
    }
}
