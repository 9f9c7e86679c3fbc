//! Options of `draw`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parse;

/// Options of `draw`.
#[derive(Debug, Args)]
pub struct DrawArgs {
    /// Name of the network, as `models` lists it, or path of an ONNX file
    pub model: String,

    /// File to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Kind of drawing
    #[arg(long, value_enum, default_value_t = DrawStyle::Blocks)]
    pub style: DrawStyle,

    /// Group layers by the first N components of their names
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub depth: Option<usize>,

    /// Format of the drawing [default: from the extension of the file, or svg]
    #[arg(long, value_enum)]
    pub format: Option<DrawFormat>,

    /// Shape of the input, batch x channels x height x width [default: one image of the published
    /// size, or the shape in the ONNX file]
    #[arg(long, value_name = "SHAPE", value_parser = parse::shape)]
    pub input: Option<[usize; 4]>,

    /// Number of classes [default: as published]
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub classes: Option<usize>,

    /// Include the auxiliary heads, which exist only during training
    #[arg(long)]
    pub train: bool,
}

/// Kinds of drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DrawStyle {
    /// Feature maps as solids, as in the figures of the papers
    Blocks,
    /// Operations, with branches and residual connections
    Graph,
}

/// Formats of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DrawFormat {
    /// SVG picture
    Svg,
    /// Graphviz DOT
    Dot,
    /// Boxes and arrows as JSON
    Json,
}
