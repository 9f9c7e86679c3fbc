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
        /// Its error.
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
    /// A rank differs from rank 0 in something that must be equal.
    #[error("{property} of rank {rank} is {found}, that of rank 0 is {expected}")]
    Mismatch {
        /// The property that differs.
        property: &'static str,
        /// The rank.
        rank: usize,
        /// Its value.
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
