//! Options of `bench`.

use std::path::PathBuf;

use clap::Args;

use super::compute::ComputeArgs;
use super::parse;

/// Options of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Name of the network, as `models` lists it, or path of an ONNX file
    pub model: String,

    /// Number of images in a batch [default: 1, or that of the ONNX file]
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub batch: Option<usize>,

    /// Shape of the input, batch x channels x height x width [default: the published size, or the shape in
    /// the ONNX file]
    #[arg(long, value_name = "SHAPE", value_parser = parse::shape, conflicts_with = "batch")]
    pub input: Option<[usize; 4]>,

    /// Duration of the measurement in seconds; at least 5 runs are timed
    #[arg(long, value_name = "SECONDS", default_value = "3")]
    #[arg(value_parser = parse::seconds, allow_negative_numbers = true)]
    pub seconds: f64,

    /// Time a training step (forward, backward, optimizer) instead of a forward pass
    #[cfg(feature = "train")]
    #[arg(long, conflicts_with_all = ["profile", "engine", "precision", "tuning"])]
    pub train: bool,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,

    /// Time every layer: algorithm, milliseconds, GFLOP/s, percent of peak, bytes moved
    #[arg(long)]
    pub profile: bool,

    /// Draw the profile as a roofline chart
    #[arg(long, value_name = "FILE.svg", requires = "profile")]
    pub roofline: Option<PathBuf>,

    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}
