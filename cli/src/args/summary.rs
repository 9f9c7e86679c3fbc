//! Options of `summary`.

use clap::Args;

use super::parse;

/// Options of `summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// Name of the network, as `models` lists it, or path of an ONNX file
    pub model: String,

    /// Shape of the input, batch x channels x height x width [default: one image of the published
    /// size, or the shape in the ONNX file]
    #[arg(long, value_name = "SHAPE", value_parser = parse::shape)]
    pub input: Option<[usize; 4]>,

    /// Number of classes [default: as published]
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub classes: Option<usize>,

    /// Group layers by the first N components of their names
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub depth: Option<usize>,

    /// Include the auxiliary heads, which exist only during training
    #[arg(long)]
    pub train: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
