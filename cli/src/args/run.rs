//! Options of `run`.

use std::path::PathBuf;

use clap::Args;

use super::compute::ComputeArgs;
use super::weights_key::WeightsKeyArgs;

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Name of the network, as `models` lists it
    pub model: String,

    /// Weight file or compiled plan
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// NumPy array of images to read, [batch, channels, height, width]
    #[arg(long, value_name = "IN.npy")]
    pub input: PathBuf,

    /// NumPy array of logits to write, [batch, classes]
    #[arg(long, value_name = "OUT.npy")]
    pub output: PathBuf,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,
}
