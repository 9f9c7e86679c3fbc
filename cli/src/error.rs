//! What can go wrong, said in one line that names the thing and what was expected.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use receptive_layers::compile::{CompileError, FileError};
use receptive_layers::graph::GraphError;
use receptive_layers::image::OpenError;
use receptive_layers::labels::LabelsError;
use receptive_layers::network::{InputError, InvalidConfig};
use receptive_layers::summary::SummaryError;
use receptive_layers::weights::{FindError, WeightsError};

use crate::device::{DeviceError, DeviceName};
use crate::npy::NpyError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// No network has this name.
    #[error("no network is called {asked:?}; {}", suggest(.near))]
    UnknownModel {
        /// What was asked for.
        asked: String,
        /// Names like it, the most alike first.
        near: Vec<&'static str>,
    },
    /// The network cannot be built so.
    #[error("{model}: {source}")]
    Config {
        /// The network's name.
        model: &'static str,
        /// Which hyperparameter is wrong.
        source: InvalidConfig,
    },
    /// The network takes inputs of another shape.
    #[error("{model}: {source}")]
    Input {
        /// The network's name.
        model: &'static str,
        /// What it takes.
        source: InputError,
    },
    /// The network's layers could not be listed.
    #[error("{model}: {source}")]
    Graph {
        /// The network's name.
        model: &'static str,
        /// Why.
        source: GraphError,
    },
    /// The network's costs could not be counted.
    #[error("{model}: {source}")]
    Summary {
        /// The network's name.
        model: &'static str,
        /// Which layer's, and why.
        source: SummaryError,
    },
    /// A weight file cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A weight file does not hold this network.
    #[error("{origin}, as weights of {model}: {source}")]
    Unfit {
        /// The weights, in words.
        origin: String,
        /// The network's name.
        model: &'static str,
        /// What is missing, unexpected or of another shape.
        source: WeightsError,
    },
    /// Published weights are neither here nor to be had.
    #[error("weights of {model}: {source}")]
    Find {
        /// The network's name.
        model: &'static str,
        /// Why.
        source: FindError,
    },
    /// Nobody published weights for this network.
    #[error("no weights are published for {model}; give a file with --weights")]
    NoWeights {
        /// The network's name.
        model: &'static str,
    },
    /// A weight file's name does not say its format.
    #[error(
        "the format of {} is not known by its extension, expected .pth, .pt, .safetensors or .bpk",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A file of labels is not one.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// A file of labels is for another network.
    #[error("{} has {found} labels, expected {classes}: one for each class of the network", path.display())]
    LabelCount {
        /// The file.
        path: PathBuf,
        /// Labels in the file.
        found: usize,
        /// Classes that the network tells apart.
        classes: usize,
    },
    /// A folder to classify cannot be listed.
    #[error("cannot list the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder to classify holds no image.
    #[error("no image is in the folder {}, expected files named .{}", path.display(), .extensions.join(", ."))]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
        /// The extensions that images have.
        extensions: &'static [&'static str],
    },
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A compiled network runs on no device.
    #[error(
        "a compiled network runs on the processor, not on --device {device}; leave one of --engine compiled and --device out"
    )]
    CompiledDevice {
        /// The device that was named.
        device: DeviceName,
    },
    /// The network cannot be compiled, or its compiled file cannot be read or written.
    #[error("{model}: {source}")]
    Compile {
        /// The network's name.
        model: String,
        /// Why.
        source: CompileError,
    },
    /// A compiled file cannot be read.
    #[error(transparent)]
    PlanFile(FileError),
    /// A compiled file has no eager engine.
    #[error("{} is compiled already; leave --engine eager and --device out", path.display())]
    EagerPlan {
        /// The file.
        path: PathBuf,
    },
    /// A compiled file is another network's.
    #[error("{} is {found} compiled, expected {model}", path.display())]
    OtherPlan {
        /// The file.
        path: PathBuf,
        /// The network that it is.
        found: String,
        /// The network that was named.
        model: &'static str,
    },
    /// A compiled file takes other inputs.
    #[error("{} was compiled for images {found:?}, expected {expected:?} (channels, height, width)", path.display())]
    PlanInput {
        /// The file.
        path: PathBuf,
        /// What it takes.
        found: Vec<usize>,
        /// What there is.
        expected: [usize; 3],
    },
    /// An option that only a compiled network has.
    #[error("--profile needs the compiled engine: leave --engine eager and --device out")]
    EagerProfile,
    /// The roofline could not be drawn.
    #[error("cannot draw {}: {message}", path.display())]
    Drawing {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The device failed while computing.
    #[error("the device failed: {0}")]
    Compute(String),
    /// The network's outputs are infinite or not numbers.
    #[error(
        "the network's outputs are not finite: its weights are damaged, or the input is far out of range"
    )]
    NotFinite,
    /// A batch's maps do not fit into memory.
    #[error("a batch of {batch} needs {} GB for its maps, more than can be had", bytes / 1_000_000_000)]
    Batch {
        /// Images that run together.
        batch: usize,
        /// Bytes of their activations.
        bytes: u64,
    },
    /// An array cannot be read or written.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// An image cannot be read.
    #[error(transparent)]
    Image(#[from] OpenError),
    /// A picture cannot be written.
    #[error("cannot write the picture {}: {message}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A drawing's name does not say its format.
    #[error(
        "the format of {} is not known by its extension, expected .svg, .dot, .gv or .json; or name it with --format",
        path.display()
    )]
    DrawFormat {
        /// The file.
        path: PathBuf,
    },
    /// No image could be read.
    #[cfg(feature = "train")]
    #[error("no image of the data could be read")]
    NothingRead,
    /// Weights tell apart other classes than there are.
    #[cfg(feature = "train")]
    #[error("{} tells {known} classes apart, the data has {found}", path.display())]
    OtherClasses {
        /// The weight file.
        path: PathBuf,
        /// Classes of its head.
        known: usize,
        /// Classes of the data.
        found: usize,
    },
    /// The network cannot be trained so, or the run ended before its time.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Train(#[from] receptive_train::TrainError),
    /// There is nothing to train on.
    #[cfg(feature = "train")]
    #[error("{model} has no data of its own; give a folder with --data")]
    NoData {
        /// The network's name.
        model: &'static str,
    },
    /// The head is to tell apart other classes than there are.
    #[cfg(feature = "train")]
    #[error("--classes {asked}: the data has {found} classes")]
    ClassCount {
        /// What was asked for.
        asked: usize,
        /// Classes of the data.
        found: usize,
    },
    /// A run is to go on by another recipe than its own.
    #[cfg(feature = "train")]
    #[error(
        "--resume goes on by {}, from which --recipe, --set or --freeze differ: leave them out, or begin another run",
        path.display()
    )]
    OtherRecipe {
        /// The run's own recipe.
        path: PathBuf,
    },
    /// The recipe's fields of the network's configuration do not fit.
    #[cfg(feature = "train")]
    #[error("{model}: the recipe's network: {reason}")]
    NetworkFields {
        /// The network's name.
        model: &'static str,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// Whether the reader of the output has gone away, as `head` does: nothing to complain about.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> Self {
        Self::Output(error.into())
    }
}

#[cfg(feature = "train")]
impl From<receptive_train::recipe::RecipeError> for CliError {
    fn from(error: receptive_train::recipe::RecipeError) -> Self {
        Self::Train(error.into())
    }
}

/// The error and its causes on one line, causes that it already tells left out.
pub fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn suggest(near: &[&str]) -> String {
    if near.is_empty() {
        "`receptive models` lists all there are".to_owned()
    } else {
        format!(
            "did you mean {}? `receptive models` lists all there are",
            near.join(", ")
        )
    }
}
