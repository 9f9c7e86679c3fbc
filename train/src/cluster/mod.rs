//! Ranks: the processes that train one network together, on one machine or on several.
//!
//! Every rank has the whole network. A training step is divided into parts, and each rank computes the
//! parts that fall to it.

mod error;
#[cfg(feature = "mpi")]
mod mpi;
mod share;
#[cfg(test)]
pub mod tests;

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

pub use error::ClusterError;
#[cfg(feature = "mpi")]
pub use mpi::Mpi;
pub(crate) use share::{any, gather_numbers};
pub use share::{broadcast, check_equal};

/// Bytes that one rank sends to another. Several messages may share them.
pub type Message = Arc<[u8]>;

/// The ranks of a run, seen from one of them.
///
/// All ranks make the same exchanges in the same order.
pub trait Cluster {
    /// Index of this rank, from 0.
    fn rank(&self) -> usize;

    /// Number of ranks, at least 1.
    fn ranks(&self) -> usize;

    /// Sends `messages[r]` to rank `r`, for every rank, and returns the message from every rank. The
    /// message of this rank to itself is returned as it is.
    ///
    /// # Errors
    ///
    /// [`ClusterError`] when a rank has ended, or has not answered for the timeout of the cluster.
    fn exchange(&self, messages: Vec<Message>) -> Result<Vec<Message>, ClusterError>;

    /// Tells the other ranks that this one ends with `error`. They get [`ClusterError::Failed`] from
    /// their next exchange.
    fn abort(&self, error: &dyn Display);

    /// Returns the number of bytes that this rank has sent to other ranks.
    fn sent(&self) -> u64;
}

/// A single process.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Cluster for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn ranks(&self) -> usize {
        1
    }

    fn exchange(&self, messages: Vec<Message>) -> Result<Vec<Message>, ClusterError> {
        Ok(messages)
    }

    fn abort(&self, _error: &dyn Display) {}

    fn sent(&self) -> u64 {
        0
    }
}

/// Returns the contiguous share of `count` things that falls to `rank` of `ranks`. The lengths of the shares
/// differ by at most one.
pub fn share_of(count: usize, rank: usize, ranks: usize) -> Range<usize> {
    count * rank / ranks..count * (rank + 1) / ranks
}
