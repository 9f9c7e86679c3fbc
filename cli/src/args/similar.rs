//! Options of `similar`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use receptive_layers::vectors;

use super::classify::DEFAULT_MODEL;
use super::compute::ComputeArgs;
use super::parse;
use super::weights_key::WeightsKeyArgs;

/// Options of `similar`.
#[derive(Debug, Args)]
pub struct SimilarArgs {
    /// Images to compare: files, or paths of images in the index
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,

    /// File of vectors that `embed` wrote (.npy, .parquet, .jsonl or .csv)
    #[arg(long, value_name = "FILE")]
    pub index: PathBuf,

    /// Number of most similar images to print for each image
    #[arg(long, value_name = "N", default_value = "10")]
    #[arg(value_parser = parse::positive, allow_negative_numbers = true)]
    pub top: usize,

    /// Measure of similarity
    #[arg(long, value_enum, default_value_t = Metric::Cosine)]
    pub metric: Metric,

    /// Name of the network that computed the vectors, for images that are not in the index
    #[arg(long, value_name = "NAME", default_value = DEFAULT_MODEL)]
    pub model: String,

    /// Weight file of the network [default: the embedded or published weights]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Stage that computed the vectors [default: the input of the last layer]
    #[arg(long, value_name = "STAGE")]
    pub layer: Option<String>,

    /// Divide the vectors of images that are not in the index by their Euclidean lengths, for --metric l2
    #[arg(long)]
    pub normalize: bool,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Measures of similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Metric {
    /// Cosine of the angle between two vectors, from -1 to 1
    Cosine,
    /// Euclidean distance
    L2,
}

impl From<Metric> for vectors::Metric {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Cosine => Self::Cosine,
            Metric::L2 => Self::L2,
        }
    }
}
