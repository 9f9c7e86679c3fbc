//! Options of `compile`.

use std::path::PathBuf;

use clap::Args;

use super::compute::TuningArgs;
use super::parse;
use super::weights_key::WeightsKeyArgs;

/// Options of `compile`.
#[derive(Debug, Args)]
pub struct CompileArgs {
    /// Name of the network, as `models` lists it
    pub model: String,

    /// Weight file
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Plan file to write
    #[arg(long, short, value_name = "FILE.plan")]
    pub output: PathBuf,

    /// Largest number of images that the plan runs at once
    #[arg(long, value_name = "N", default_value = "1")]
    #[arg(value_parser = parse::positive, allow_negative_numbers = true)]
    pub batch: usize,

    /// Options of the compiler.
    #[command(flatten)]
    pub tuning: TuningArgs,
}
