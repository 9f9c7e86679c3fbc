//! Identifiers of the custom operations that capture records.
//!
//! An operation that Burn does not have is recorded as one `OperationIr::Custom` with its `id`.

/// Id of [`local_response_norm`](super::local_response_norm()). Input: `x`. Output: a tensor of the
/// shape of `x`. Scalars: `size` (`UInt`), `alpha`, `beta`, `k` (`Float`), in this order.
pub const LOCAL_RESPONSE_NORM: &str = "receptive.local_response_norm";

/// Id of [`radial_basis`](super::radial_basis()). Inputs: `x` and `centers`. Output:
/// `[batch, classes]`. No scalars.
pub const RADIAL_BASIS: &str = "receptive.radial_basis";
