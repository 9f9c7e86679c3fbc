//! Errors of the exchange between ranks.

/// Errors that end a run on every rank.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Another rank ended with an error.
    #[error("rank {rank} ended: {error}")]
    Failed {
        /// The rank.
        rank: usize,
        /// Error of the rank.
        error: String,
    },
    /// Other ranks did not answer in time.
    #[error("no answer from {} for {seconds} seconds: the process has ended, hangs, or cannot be reached", list(.ranks))]
    Silent {
        /// The ranks that did not answer.
        ranks: Vec<usize>,
        /// The timeout, in seconds.
        seconds: u64,
    },
    /// A rank sent something else than expected.
    #[error("rank {rank} sent {found} bytes, expected {expected}")]
    Message {
        /// The rank.
        rank: usize,
        /// Length of its message in bytes.
        found: usize,
        /// Expected length in bytes.
        expected: usize,
    },
    /// A rank sent a value that cannot be read.
    #[error("rank {rank} sent something unexpected, as another version may: {reason}")]
    Unreadable {
        /// The rank.
        rank: usize,
        /// Description of the problem.
        reason: String,
    },
    /// A rank differs from rank 0 in something that must be equal.
    #[error("{property} of rank {rank} is {found}, that of rank 0 is {expected}")]
    Mismatch {
        /// The property that differs.
        property: &'static str,
        /// The rank.
        rank: usize,
        /// Value of the rank.
        found: String,
        /// The value of rank 0.
        expected: String,
    },
    /// There are more ranks than parts of a step.
    #[error(
        "a step of this run has {parts} parts, and {ranks} ranks were started: start at most {parts}, or set parts of a new run"
    )]
    TooManyRanks {
        /// Number of parts of a step.
        parts: usize,
        /// Number of ranks.
        ranks: usize,
    },
    /// A launcher started several processes that are not ranks of one run.
    #[error("{started} processes were started, but this one is alone: {reason}")]
    NotConnected {
        /// Number of processes that the launcher started.
        started: usize,
        /// Why the processes are not ranks.
        reason: &'static str,
    },
    /// A mini-batch has not the parts that fall to this rank.
    #[error(
        "the mini-batch has {found} parts, expected {expected}: the loader's division must be that of the recipe"
    )]
    Parts {
        /// Number of parts of the mini-batch.
        found: usize,
        /// Number of parts that fall to this rank.
        expected: usize,
    },
    /// MPI cannot be used.
    #[error("MPI: {0}")]
    Mpi(String),
}

fn list(ranks: &[usize]) -> String {
    let list: Vec<String> = ranks.iter().map(usize::to_string).collect();
    match list.len() {
        1 => format!("rank {}", list[0]),
        _ => format!("ranks {}", list.join(", ")),
    }
}
