//! Options of `embed`.

use clap::Args;

use super::compute::ComputeArgs;
use super::inputs::{InputArgs, OutputArgs};
use super::model::VectorArgs;

/// Options of `embed`.
#[derive(Debug, Args)]
pub struct EmbedArgs {
    /// Images to embed.
    #[command(flatten)]
    pub input: InputArgs,

    /// File of results.
    #[command(flatten)]
    pub output: OutputArgs,

    /// The vectors.
    #[command(flatten)]
    pub vector: VectorArgs,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,
}
