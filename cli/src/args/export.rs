//! Options of `export`.

use std::path::PathBuf;

use clap::Args;

use super::parse;
use super::weights_key::WeightsKeyArgs;

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Name of the network, as `models` lists it
    pub model: String,

    /// Weight file [default: the embedded or published weights]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// File to write
    #[arg(long, short, value_name = "FILE.onnx")]
    pub output: PathBuf,

    /// Version of the operators, 13 to 23
    #[arg(long, value_name = "N", default_value = "17")]
    #[arg(value_parser = parse::opset, allow_negative_numbers = true)]
    pub opset: i64,

    /// Number of images in a batch: a number, or dynamic
    #[arg(long, value_name = "N|dynamic", default_value = "dynamic")]
    #[arg(value_parser = parse::batch, allow_negative_numbers = true)]
    pub batch: ExportBatch,

    /// Take 8-bit pixels [batch, height, width, channels] of resized and cropped images, and normalize them
    #[arg(long)]
    pub with_preprocessing: bool,
}

/// Number of images in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportBatch {
    /// Any number.
    Dynamic,
    /// A fixed number.
    Fixed(usize),
}
