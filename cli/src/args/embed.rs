//! Options of `embed`.

use std::path::PathBuf;

use clap::Args;

use super::classify::DEFAULT_MODEL;
use super::compute::ComputeArgs;
use super::inputs::{InputArgs, OutputArgs};
use super::weights_key::WeightsKeyArgs;

/// Options of `embed`.
#[derive(Debug, Args)]
pub struct EmbedArgs {
    /// Images to embed.
    #[command(flatten)]
    pub input: InputArgs,

    /// File of results.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Name of the network, as `models` lists it
    #[arg(long, value_name = "NAME", default_value = DEFAULT_MODEL)]
    pub model: String,

    /// Weight file [default: the embedded or published weights]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Stage whose feature maps are averaged [default: the input of the last layer]
    #[arg(long, value_name = "STAGE")]
    pub layer: Option<String>,

    /// Divide each vector by its Euclidean length
    #[arg(long)]
    pub normalize: bool,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,
}
