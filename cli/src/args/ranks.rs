//! Options of commands that run on ranks of MPI.

use clap::Args;

/// Options of commands that run on ranks of MPI.
#[derive(Debug, Args)]
pub struct RankArgs {
    /// Longest wait for an answer of another rank, in seconds
    #[cfg(feature = "mpi")]
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub rank_timeout: u64,
}
