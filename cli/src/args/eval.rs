//! Options of `eval`.

use std::path::PathBuf;

use clap::Args;

use super::compute::ComputeArgs;
use super::ranks::RankArgs;
use super::weights_key::WeightsKeyArgs;

/// Options of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Name of the network, as `models` lists it
    pub model: String,

    /// Weight file
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Folder of labelled images [default: the 1,500 embedded validation digits, for MNIST
    /// networks]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Recipe that describes the preprocessing of images [default: that of the weights]
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: Option<PathBuf>,

    /// Draw the confusion matrix
    #[arg(long, value_name = "FILE.svg")]
    pub confusion: Option<PathBuf>,

    /// Skip images that cannot be read, and count them
    #[arg(long)]
    pub skip_bad: bool,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,

    /// Ranks of MPI.
    #[command(flatten)]
    pub ranks: RankArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
