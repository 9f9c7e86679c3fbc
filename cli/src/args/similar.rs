//! Options of `similar`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use receptive_layers::vectors;

use super::compute::ComputeArgs;
use super::model::VectorArgs;
use super::parse;

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

    /// The vectors of the index, for images that are not in the index.
    #[command(flatten)]
    pub vector: VectorArgs,

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
