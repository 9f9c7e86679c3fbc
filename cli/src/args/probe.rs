//! Options of `probe`.

use std::path::PathBuf;

use clap::Args;

use super::model::ModelArgs;
use super::parse;

/// Options of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// File of vectors that `embed` wrote (.npy, .parquet, .jsonl or .csv)
    #[arg(value_name = "VECTORS")]
    pub vectors: PathBuf,

    /// CSV file with the columns path and label, one row for each labelled image
    #[arg(long, value_name = "FILE", required_unless_present = "by_folder")]
    pub labels: Option<PathBuf>,

    /// Use the name of an image's folder as its label
    #[arg(long, conflicts_with = "labels")]
    pub by_folder: bool,

    /// Number of parts of the images, each of which is classified by a head that the other parts train
    #[arg(long, value_name = "N", default_value = "5")]
    #[arg(value_parser = parse::folds, allow_negative_numbers = true)]
    pub folds: usize,

    /// Strength of the regularization, for features scaled to a standard deviation of 1: the inverse of scikit-learn's
    /// C
    #[arg(long, value_name = "X", default_value = "1")]
    #[arg(value_parser = parse::non_negative, allow_negative_numbers = true)]
    pub l2: f64,

    /// Weight file to write: the network with a head for the labels, which `classify` loads
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Network and weights that computed the vectors.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
