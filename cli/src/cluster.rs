//! The ranks of a training run or an evaluation: those of MPI if a launcher of MPI started the program,
//! else this process alone.

use std::panic::{self, AssertUnwindSafe};

use receptive_train::TrainError;
use receptive_train::cluster::{Alone, Cluster, ClusterError};

use crate::args::RankArgs;
use crate::error::{CliError, one_line};

/// Environment variables with the number of processes that `mpirun` of Open MPI or `mpiexec` of MPICH
/// started.
const STARTED: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

/// Runs `command` on the ranks that this process belongs to. The other ranks learn of its error. The
/// error of another rank than rank 0 names the rank.
///
/// # Errors
///
/// The error of `command`; [`CliError::Train`] when MPI cannot be started.
pub fn run<T>(
    args: &RankArgs,
    command: impl FnOnce(&dyn Cluster) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let cluster = open(args).map_err(TrainError::from)?;
    let cluster = &*cluster;
    match panic::catch_unwind(AssertUnwindSafe(|| command(cluster))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            cluster.abort(&one_line(&error));
            Err(match cluster.rank() {
                0 => error,
                rank => CliError::Rank {
                    rank,
                    source: Box::new(error),
                },
            })
        }
        Err(payload) => {
            cluster.abort(&"an internal error, which this rank prints");
            panic::resume_unwind(payload)
        }
    }
}

fn open(args: &RankArgs) -> Result<Box<dyn Cluster>, ClusterError> {
    let started = STARTED.iter().find_map(|name| std::env::var(name).ok());
    let started: usize = started.and_then(|count| count.parse().ok()).unwrap_or(1);
    #[cfg(feature = "mpi")]
    let (cluster, reason): (Box<dyn Cluster>, _) = {
        use receptive_train::cluster::Mpi;

        let timeout = std::time::Duration::from_secs(args.rank_timeout);
        let reason = "the launcher belongs to another MPI than the library that the program uses";
        match Mpi::is_launched() {
            true => (Box::new(Mpi::start(timeout)?), reason),
            false => (Box::new(Alone), reason),
        }
    };
    #[cfg(not(feature = "mpi"))]
    let (cluster, reason): (Box<dyn Cluster>, _) = {
        let _ = args;
        (
            Box::new(Alone),
            "the program was built without the feature mpi",
        )
    };
    match cluster.ranks() == 1 && started > 1 {
        true => Err(ClusterError::NotConnected { started, reason }),
        false => Ok(cluster),
    }
}
