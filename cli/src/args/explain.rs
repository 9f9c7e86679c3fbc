//! Options of `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::compute::TuningArgs;
use super::model::ClassifierArgs;
use super::parse;

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Image to explain
    pub image: PathBuf,

    /// Class to explain: its label, or its number from 0 [default: the most probable class]
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,

    /// Method [default: cam, or grad-cam for networks without global mean pooling]
    #[arg(long, value_enum)]
    pub method: Option<Method>,

    /// Picture to write: the map over the photo, as a PNG file
    #[arg(long, short, value_name = "FILE.png")]
    pub output: Option<PathBuf>,

    /// NumPy file to write: the map, float32 [rows, columns]
    #[arg(long, value_name = "FILE.npy")]
    pub map: Option<PathBuf>,

    /// Rows and columns of the map of `occlusion` [default: 14]
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub places: Option<usize>,

    /// Height and width of the window of `occlusion` in pixels of the prepared image [default: twice the distance
    /// of two places]
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub window: Option<usize>,

    /// Images between baseline and image of `integrated-gradients` [default: 50]
    #[arg(long, value_name = "N", value_parser = parse::steps, allow_negative_numbers = true)]
    pub steps: Option<usize>,

    /// Network, weights and labels.
    #[command(flatten)]
    pub classifier: ClassifierArgs,

    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = parse::threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,

    /// Options of the compiler.
    #[command(flatten)]
    pub tuning: TuningArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Methods of explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Class activation map: the last feature maps, weighted by the weights of the class
    Cam,
    /// The last feature maps, weighted by the gradients of the class score
    GradCam,
    /// Decrease of the class score when a window of the image is covered
    Occlusion,
    /// Image times mean gradient between a grey image and the image
    IntegratedGradients,
}
