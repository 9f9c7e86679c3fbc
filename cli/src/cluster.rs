//! The ranks of a training run or an evaluation: those of MPI if a launcher of MPI started the program, else this process
//! alone.

use receptive_train::cluster::{Alone, Cluster};

use crate::args::RankArgs;
use crate::error::CliError;

/// Returns the ranks that this process belongs to.
///
/// # Errors
///
/// [`CliError::Train`] when MPI cannot be started.
pub fn open(args: &RankArgs) -> Result<Box<dyn Cluster>, CliError> {
    #[cfg(feature = "mpi")]
    {
        use receptive_train::TrainError;
        use receptive_train::cluster::Mpi;

        if Mpi::is_launched() {
            let timeout = std::time::Duration::from_secs(args.rank_timeout);
            return Ok(Box::new(Mpi::start(timeout).map_err(TrainError::from)?));
        }
    }
    let _ = args;
    Ok(Box::new(Alone))
}

/// Tells the other ranks of an error of this one, and names the rank in it.
pub fn report(cluster: &dyn Cluster, error: CliError) -> CliError {
    cluster.abort(&crate::error::one_line(&error));
    match cluster.rank() {
        0 => error,
        rank => CliError::Rank {
            rank,
            source: Box::new(error),
        },
    }
}
