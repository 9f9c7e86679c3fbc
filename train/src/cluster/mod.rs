//! Ranks: the processes that train one network together, on one machine or on several.
//!
//! Every rank has the whole network. A training step is divided into parts, and each rank computes the
//! parts that fall to it.

mod error;
mod interface;
#[cfg(feature = "mpi")]
mod mpi;
mod share;
#[cfg(test)]
pub mod tests;

use std::ops::Range;

pub use error::ClusterError;
pub use interface::{Alone, Cluster, Message};
#[cfg(feature = "mpi")]
pub use mpi::Mpi;
pub(crate) use share::{any, gather_numbers};
pub use share::{broadcast, check_equal};

/// Returns the contiguous share of `count` things that falls to `rank` of `ranks`. The lengths of the shares
/// differ by at most one.
pub fn share_of(count: usize, rank: usize, ranks: usize) -> Range<usize> {
    count * rank / ranks..count * (rank + 1) / ranks
}
