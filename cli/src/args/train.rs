//! Options of `train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parse;
use super::ranks::RankArgs;
use super::weights_key::WeightsKeyArgs;
use crate::device::DeviceName;

/// Options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Name of the network, as `models` lists it
    pub model: String,

    /// Folder of labelled images [default: 7,500 embedded digits, for MNIST networks]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Dataset to download into the cache folder and to train on
    #[arg(long, value_enum, value_name = "DATASET", conflicts_with = "data")]
    pub download: Option<DownloadName>,

    /// Folder of the run: recipe, metrics, checkpoints, weights [default: runs/MODEL]
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Recipe to train by [default: the paper's recipe, or the fine-tuning recipe with --from]
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: Option<PathBuf>,

    /// Set a field of the recipe, such as optimizer.lr=0.05; may be repeated
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,

    /// Weight file to start from [default: random weights; with --freeze all, the published ones]
    #[arg(long, value_name = "WEIGHTS")]
    pub from: Option<PathBuf>,

    /// Choice of a dictionary of the weight file.
    #[command(flatten)]
    pub key: WeightsKeyArgs,

    /// Number of classes of the data; with --from, replaces the head by a new one
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub classes: Option<usize>,

    /// Freeze the stages from the first one up to and including STAGE; all freezes every layer but the last, which is
    /// trained by logistic regression on the embeddings of the images
    #[arg(long, value_name = "STAGE")]
    pub freeze: Option<String>,

    /// Also write the trained network as model.onnx, with a dynamic batch
    #[arg(long)]
    pub onnx: bool,

    /// Burn backend to train on; repeat it to split each batch between devices
    #[arg(long, value_enum, value_name = "DEVICE")]
    pub device: Vec<DeviceName>,

    /// Parts of a batch, which the ranks and devices compute [default: ranks x devices]
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub parts: Option<usize>,

    /// Ranks of MPI.
    #[command(flatten)]
    pub ranks: RankArgs,

    /// Number of compute threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = parse::threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,

    /// Number of threads that load and augment images [default: one per core]
    #[arg(long, value_name = "N", value_parser = parse::threads, allow_negative_numbers = true)]
    pub workers: Option<usize>,

    /// Skip images that cannot be read, and report them
    #[arg(long)]
    pub skip_bad: bool,

    /// Continue the run in the output folder
    #[arg(long)]
    pub resume: bool,

    /// With --resume, accept other images and another instruction set than the checkpoint's
    #[arg(long, requires = "resume")]
    pub accept_changes: bool,

    /// Longest time between checkpoints, in minutes; every epoch ends with a checkpoint too
    #[arg(long, value_name = "MINUTES", default_value = "10")]
    #[arg(value_parser = parse::minutes, allow_negative_numbers = true)]
    pub save_minutes: f64,

    /// Print lines of text, even if the program has the dashboard
    #[arg(long)]
    pub plain: bool,
}

/// Datasets that can be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DownloadName {
    /// 70,000 grey digits of 10 classes, 12 MB
    Mnist,
    /// 60,000 photos of 10 classes, 170 MB
    #[value(name = "cifar-10")]
    Cifar10,
    /// 60,000 photos of 100 classes, 169 MB
    #[value(name = "cifar-100")]
    Cifar100,
}
