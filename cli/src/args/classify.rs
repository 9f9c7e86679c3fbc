//! Options of `classify`.

use std::path::PathBuf;

use clap::Args;

use super::compute::ComputeArgs;
use super::inputs::{InputArgs, OutputArgs};
use super::model::ClassifierArgs;
use super::parse;
use super::preprocessing::PreprocessingArgs;

/// Options of `classify`.
#[derive(Debug, Args)]
pub struct ClassifyArgs {
    /// Images to classify.
    #[command(flatten)]
    pub input: InputArgs,

    /// File of results.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Network, weights and labels.
    #[command(flatten)]
    pub classifier: ClassifierArgs,

    /// Preprocessing for an ONNX file.
    #[command(flatten)]
    pub preprocessing: PreprocessingArgs,

    /// Folder of pictures to write, one for each image: the map of the most probable class, as by `explain`
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
