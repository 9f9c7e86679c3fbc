//! Options of training and of judging what was trained.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ComputeArgs, parse};
use crate::device::DeviceName;

/// Options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// The folder of the images
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// A dataset to download into the cache and train on
    #[arg(long, value_enum, value_name = "DATASET", conflicts_with = "data")]
    pub download: Option<Dataset>,

    /// Where to write the run [default: runs/MODEL]
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// A recipe in place of the paper's
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: Option<PathBuf>,

    /// A field of the recipe and its value, such as optimizer.lr=0.05
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,

    /// Weights to begin with, in place of random ones
    #[arg(long, value_name = "WEIGHTS")]
    pub from: Option<PathBuf>,

    /// Classes of a new head, in place of the one in the weights
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub classes: Option<usize>,

    /// The last of the first stages that are not trained
    #[arg(long, value_name = "STAGE")]
    pub freeze: Option<String>,

    /// A Burn backend; given again, the batch is divided between them
    #[arg(long, value_enum, value_name = "DEVICE")]
    pub device: Vec<DeviceName>,

    /// Threads that compute [default: one for each core]
    #[arg(long, value_name = "N", value_parser = parse::threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,

    /// Threads that prepare images [default: one for each core]
    #[arg(long, value_name = "N", value_parser = parse::threads, allow_negative_numbers = true)]
    pub workers: Option<usize>,

    /// Leave out images that cannot be read, and count them
    #[arg(long)]
    pub skip_bad: bool,

    /// Go on with the run in the output folder
    #[arg(long)]
    pub resume: bool,

    /// The longest time between two checkpoints, in minutes; there is one after each epoch too
    #[arg(long, value_name = "MINUTES", default_value = "10")]
    #[arg(value_parser = parse_minutes, allow_negative_numbers = true)]
    pub save_minutes: f64,

    /// Print lines, no dashboard
    #[arg(long)]
    pub plain: bool,
}

/// A dataset that can be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dataset {
    /// 70,000 digits, 12 MB
    Mnist,
    /// 60,000 photos of 10 classes, 170 MB
    #[value(name = "cifar-10")]
    Cifar10,
    /// 60,000 photos of 100 classes, 169 MB
    #[value(name = "cifar-100")]
    Cifar100,
}

/// Options of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// The weight file
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// The folder of the images
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// The recipe that says how images are prepared
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: Option<PathBuf>,

    /// Draw which classes are taken for which
    #[arg(long, value_name = "FILE.svg")]
    pub confusion: Option<PathBuf>,

    /// Leave out images that cannot be read, and count them
    #[arg(long)]
    pub skip_bad: bool,

    /// Where and how to compute
    #[command(flatten)]
    pub compute: ComputeArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn parse_minutes(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|minutes| (0.0..=1e6).contains(minutes))
        .ok_or_else(|| "expected a number from 0 to 1000000".to_owned())
}
