//! Names of the operations that capture records and Burn has no operation for.
//!
//! Each is recorded whole, as one `OperationIr::Custom` with this `id`.

/// [`local_response_norm`](super::local_response_norm()): input `x`, output of its shape,
/// scalars `size` (`UInt`), `alpha`, `beta`, `k` (`Float`) in this order.
pub const LOCAL_RESPONSE_NORM: &str = "receptive.local_response_norm";

/// [`radial_basis`](super::radial_basis()): inputs `x` and `centers`, output
/// `[batch, classes]`, no scalars.
pub const RADIAL_BASIS: &str = "receptive.radial_basis";
