//! The interface of the ranks, and a single process.

use std::fmt::Display;
use std::sync::Arc;

use super::error::ClusterError;

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
