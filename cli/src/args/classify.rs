//! Options of `classify`.

use std::path::PathBuf;

use clap::Args;

use super::compute::ComputeArgs;
use super::inputs::{InputArgs, OutputArgs};
use super::inversion::InversionArgs;
use super::model::ModelArgs;
use super::parse;

/// Options of `classify`.
#[derive(Debug, Args)]
pub struct ClassifyArgs {
    /// Images to classify.
    #[command(flatten)]
    pub input: InputArgs,

    /// File of results.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Network and weights.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Text file with one class label per line [default: the published labels]
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,

    /// Treatment of dark ink on light paper.
    #[command(flatten)]
    pub inversion: InversionArgs,

    /// Folder in which to write a picture for each image: where the evidence for its most probable class is, as
    /// `explain` draws it
    #[arg(long, value_name = "DIR")]
    pub explain: Option<PathBuf>,

    /// Number of most probable classes to print for each image
    #[arg(long, value_name = "N", default_value = "5")]
    #[arg(value_parser = parse::positive, allow_negative_numbers = true)]
    pub top: usize,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,

    /// Print JSON
    #[arg(long, conflicts_with_all = ["output", "format"])]
    pub json: bool,
}
