//! Options of `run`.

use std::path::PathBuf;

use clap::Args;

use super::compute::ComputeArgs;
use super::weights_key::WeightsKeyArgs;

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Name of the network, as `models` lists it, or path of an ONNX file
    pub model: String,

    /// Weight file or compiled plan [default: the embedded or published weights]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// NumPy array of images to read, [batch, channels, height, width], or of the shape of the ONNX file's input
    #[arg(long, value_name = "IN.npy")]
    pub input: PathBuf,

    /// NumPy array of logits to write, [batch, classes], or of the shape of the ONNX file's output
    #[arg(long, value_name = "OUT.npy")]
    pub output: PathBuf,

    /// Output of an ONNX file to compute [default: the first output]
    #[arg(long, value_name = "NAME")]
    pub output_name: Option<String>,

    /// Engine, device and threads.
    #[command(flatten)]
    pub compute: ComputeArgs,
}
