//! Options of `duplicates`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parse;

/// Options of `duplicates`.
#[derive(Debug, Args)]
pub struct DuplicatesArgs {
    /// File of vectors that `embed` wrote (.npy, .parquet, .jsonl or .csv)
    #[arg(value_name = "VECTORS")]
    pub vectors: PathBuf,

    /// Smallest cosine similarity of near-duplicates, from -1 to 1
    #[arg(long, value_name = "X", default_value = "0.95", value_parser = parse::cosine)]
    #[arg(allow_negative_numbers = true)]
    pub threshold: f64,

    /// File to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Format of the groups [default: from the extension of the file, or text]
    #[arg(long, value_enum)]
    pub format: Option<GroupFormat>,
}

/// Formats of groups of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupFormat {
    /// The paths of each group and their similarities
    Text,
    /// JSON
    Json,
    /// Comma-separated values with a header
    Csv,
    /// Page of thumbnails
    Html,
}
