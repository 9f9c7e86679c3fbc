//! The network of a command and its weights, which several commands share.

use std::path::PathBuf;

use clap::Args;

use super::preprocessing::PreprocessingArgs;
use super::weights_key::WeightsKeyArgs;

/// Network that commands run by default; its weights are embedded in the program.
const DEFAULT_MODEL: &str = "mobilenet-v2";

/// A network and its weights.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Name of the network, as `models` lists it, or for `classify`, `embed` and `similar` path of an ONNX file
    #[arg(long = "model", value_name = "NAME", default_value = DEFAULT_MODEL)]
    pub name: String,

    /// Weight file, or for `classify` and `explain --method occlusion` a compiled plan [default: the embedded or published
    /// weights]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,
}

/// A network whose class scores have labels.
#[derive(Debug, Args)]
pub struct ClassifierArgs {
    /// Network and weights.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Text file with one class label per line [default: the published labels]
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,

    /// Invert every image, for networks that were trained on light ink on a dark background
    #[arg(long, conflicts_with = "no_invert")]
    pub invert: bool,

    /// Never invert an image [default: invert images with a light border for MNIST's classes]
    #[arg(long)]
    pub no_invert: bool,
}

/// The vector that a network computes for an image.
#[derive(Debug, Args)]
pub struct VectorArgs {
    /// The network.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Stage, or output of an ONNX file, whose feature maps are averaged [default: the input of the last layer]
    #[arg(long, value_name = "STAGE")]
    pub layer: Option<String>,

    /// Preprocessing for an ONNX file.
    #[command(flatten)]
    pub preprocessing: PreprocessingArgs,

    /// Divide each vector by its Euclidean length
    #[arg(long)]
    pub normalize: bool,
}
