//! Options of `bench`.

use std::path::PathBuf;

use clap::Args;

use super::{ComputeArgs, parse};

/// Options of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// Images that run together
    #[arg(long, value_name = "N", default_value = "1")]
    #[arg(value_parser = parse::positive, allow_negative_numbers = true)]
    pub batch: usize,

    /// How long to measure, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3")]
    #[arg(value_parser = parse::seconds, allow_negative_numbers = true)]
    pub seconds: f64,

    /// Time a step of training in place of a forward pass: forward, backward, the optimizer
    #[cfg(feature = "train")]
    #[arg(long, conflicts_with_all = ["profile", "engine", "precision", "tuning"])]
    pub train: bool,

    /// Where and how to compute
    #[command(flatten)]
    pub compute: ComputeArgs,

    /// Time each layer: algorithm, GFLOP/s, share of what the machine can do, bytes moved
    #[arg(long)]
    pub profile: bool,

    /// Draw the profile as a roofline
    #[arg(long, value_name = "FILE.svg", requires = "profile")]
    pub roofline: Option<PathBuf>,

    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}
