//! Options of `compile`.

use std::path::PathBuf;

use clap::Args;

use super::compute::TuningArgs;
use super::parse;
use super::weights_key::WeightsKeyArgs;

/// Options of `compile`.
#[derive(Debug, Args)]
pub struct CompileArgs {
    /// Name of the network, as `models` lists it, or path of an ONNX file
    pub model: String,

    /// Weight file [default: the embedded or published weights]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Plan file to write
    #[arg(long, short, value_name = "FILE.plan")]
    pub output: PathBuf,

    /// Largest number of images that the plan runs at once [default: 1, or that of the ONNX file]
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub batch: Option<usize>,

    /// Shape of the input of an ONNX file, batch x channels x height x width, if the file leaves it open
    #[arg(long, value_name = "SHAPE", value_parser = parse::shape, conflicts_with = "batch")]
    pub input: Option<[usize; 4]>,

    /// Options of the compiler.
    #[command(flatten)]
    pub tuning: TuningArgs,
}
