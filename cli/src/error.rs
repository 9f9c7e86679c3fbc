//! Errors of the commands. Every message is one line that says what is wrong and what was expected.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use receptive_layers::classifier::ClassifierError;
use receptive_layers::compile::{CompileError, FileError};
use receptive_layers::graph::GraphError;
use receptive_layers::image::{LeftOut, ListError, OpenError};
use receptive_layers::labels::LabelsError;
use receptive_layers::logistic::LogisticError;
use receptive_layers::network::{InputError, InvalidConfig};
use receptive_layers::printable;
use receptive_layers::summary::SummaryError;
use receptive_layers::weights::{FindError, WeightsError};
use receptive_onnx::ReadError;

use crate::device::{DeviceError, DeviceName};
use crate::explain_error::ExplainError;
#[cfg(feature = "train")]
use crate::head_error::HeadError;
use crate::npy::NpyError;
use crate::vector_error::VectorFileError;

/// Reasons why a command fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// No network has the given name.
    #[error("unknown network {requested:?}; {}", suggest(.requested, .near))]
    UnknownModel {
        /// The given name.
        requested: String,
        /// Similar names, the most similar first.
        near: Vec<&'static str>,
    },
    /// A hyperparameter of the network is out of its range.
    #[error("{model}: {source}")]
    Config {
        /// Name of the network.
        model: &'static str,
        /// The hyperparameter and its range.
        source: InvalidConfig,
    },
    /// The network does not accept inputs of this shape.
    #[error("{model}: {source}")]
    Input {
        /// Name of the network.
        model: &'static str,
        /// The shape, and the shapes that the network accepts.
        source: InputError,
    },
    /// The graph of the network cannot be recorded.
    #[error("{model}: {source}")]
    Graph {
        /// Name of the network.
        model: &'static str,
        /// Error of the recorder.
        source: GraphError,
    },
    /// The cost of the network cannot be computed.
    #[error("{model}: {source}")]
    Summary {
        /// Name of the network.
        model: String,
        /// The layer, and the reason.
        source: SummaryError,
    },
    /// A weight file cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The tensors of a weight file do not fit the network.
    #[error("{origin} does not hold weights of {model}: {source}")]
    Unfit {
        /// Source of the weights: a path, or the name of an embedded file.
        origin: String,
        /// Name of the network.
        model: &'static str,
        /// The tensors that are missing, unexpected or of another shape.
        source: WeightsError,
    },
    /// The published weights are not in the cache folder and cannot be downloaded.
    #[error("published weights of {model}: {source}")]
    Find {
        /// Name of the network.
        model: &'static str,
        /// Error of the download.
        source: FindError,
    },
    /// The network has no published weights.
    #[error("{model} has no published weights; name a weight file with {option}")]
    NoWeights {
        /// Name of the network.
        model: &'static str,
        /// The option that names a weight file.
        option: &'static str,
    },
    /// The extension of a weight file to write is unknown.
    #[error(
        "the extension of {} is not that of a weight file, expected .pth, .pt, .safetensors, .bpk or .burnpack",
        path.display()
    )]
    Format {
        /// Path of the file.
        path: PathBuf,
    },
    /// A label file cannot be read.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// The number of labels is not the number of classes.
    #[error("{} has {found} labels, expected {classes}, one for each class of the network", path.display())]
    LabelCount {
        /// Path of the label file.
        path: PathBuf,
        /// Number of labels in the file.
        found: usize,
        /// Number of classes of the network.
        classes: usize,
    },
    /// A folder of images cannot be listed.
    #[error(transparent)]
    Folder(#[from] ListError),
    /// A folder contains no image file.
    #[error(
        "the folder {} contains no image{}, expected files named .{}",
        path.display(),
        if left_out.is_empty() { String::new() } else { format!(" ({left_out})") },
        .extensions.join(", .")
    )]
    EmptyFolder {
        /// Path of the folder.
        path: PathBuf,
        /// Entries of the folder that are no images, by kind.
        left_out: LeftOut,
        /// Extensions of image files.
        extensions: &'static [&'static str],
    },
    /// A device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A device is given for the compiled engine, which runs on the CPU only.
    #[error(
        "--engine compiled runs on the CPU and cannot be combined with --device {device}; remove one of the two options"
    )]
    CompiledDevice {
        /// The given device.
        device: DeviceName,
    },
    /// The network cannot be compiled, or its plan cannot be read or written.
    #[error("{model}: {source}")]
    Compile {
        /// Name of the network, or path of the plan.
        model: String,
        /// Error of the compiler.
        source: CompileError,
    },
    /// A plan file cannot be read.
    #[error(transparent)]
    PlanFile(FileError),
    /// A plan is to be run by the eager engine.
    #[error(
        "{} is a compiled plan, which the eager engine cannot run; remove --engine eager and --device",
        path.display()
    )]
    EagerPlan {
        /// Path of the plan.
        path: PathBuf,
    },
    /// The metadata of weights or of a plan have another number of class names than the head has
    /// classes.
    #[error(
        "class names in the metadata of {origin}: {found}, expected {classes}, one for each class of its head"
    )]
    StoredLabels {
        /// Path of the weight file or plan, or the name of an embedded file.
        origin: String,
        /// Number of names.
        found: usize,
        /// Number of classes of the head.
        classes: usize,
    },
    /// The metadata of weights or of a plan have an input size that the network does not accept.
    #[error("the preprocessing in the metadata of {origin} does not fit {model}: {source}")]
    StoredInput {
        /// Path of the weight file or plan, or the name of an embedded file.
        origin: String,
        /// Name of the network.
        model: &'static str,
        /// The shape, and the shapes that the network accepts.
        source: InputError,
    },
    /// Weights or a plan are of another network than the given one.
    #[error("{origin} contains weights of {found}, expected {model}")]
    OtherNetwork {
        /// Path of the weight file or plan, or the name of an embedded file.
        origin: String,
        /// Name of the network of the weights.
        found: String,
        /// Name of the given network.
        model: &'static str,
    },
    /// A plan is for images of another shape.
    #[error("{} is compiled for images of shape {found:?}, the images have {expected:?} (channels, height, width)", path.display())]
    PlanInput {
        /// Path of the plan.
        path: PathBuf,
        /// Image shape of the plan.
        found: Vec<usize>,
        /// Shape of the images to run.
        expected: [usize; 3],
    },
    /// `--profile` is given for the eager engine.
    #[error("--profile needs the compiled engine; remove --engine eager and --device")]
    EagerProfile,
    /// The device fails while it computes.
    #[error("the device failed: {0}")]
    Compute(String),
    /// The plan does not fit the preprocessing or the labels.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// The last layer alone cannot be trained.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The network cannot be written as an ONNX file.
    #[error("{model}: {source}")]
    Onnx {
        /// Name of the network.
        model: &'static str,
        /// Error of the writer.
        source: receptive_onnx::WriteError,
    },
    /// An ONNX file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    OnnxFile {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// An ONNX file cannot be read.
    #[error("{}", read_message(path, error))]
    OnnxRead {
        /// Path of the file.
        path: PathBuf,
        /// Error of the reader.
        error: ReadError,
    },
    /// An ONNX file leaves the height and width of its input open.
    #[error("{}: {error} with {option}", path.display())]
    OnnxSize {
        /// Path of the file.
        path: PathBuf,
        /// Error of the reader, which asks for the height and width.
        error: ReadError,
        /// The option that states them, with an example.
        option: &'static str,
    },
    /// The network in an ONNX file does not accept inputs of this shape.
    #[error("{origin} has shape {found:?}, expected {expected}, the input of {}", path.display())]
    OnnxInput {
        /// The array or option that has the shape.
        origin: String,
        /// The shape.
        found: Vec<usize>,
        /// The shape that the network accepts.
        expected: String,
        /// Path of the file.
        path: PathBuf,
    },
    /// The input of the network in an ONNX file is not an image.
    #[error(
        "the input of {} has shape {found:?}, expected images [batch, channels, height, width] or [batch, height, width, channels] of 1 or 3 channels",
        path.display()
    )]
    OnnxImages {
        /// Path of the file.
        path: PathBuf,
        /// Shape of the input.
        found: Vec<usize>,
    },
    /// The output of the network in an ONNX file is not a list of class scores.
    #[error(
        "the output {output} of {} has shape {found:?}, expected class scores [batch, classes]",
        path.display()
    )]
    OnnxScores {
        /// Path of the file.
        path: PathBuf,
        /// Name of the output.
        output: String,
        /// Shape of the output.
        found: Vec<usize>,
    },
    /// The network in an ONNX file does not end in a fully connected layer.
    #[error(
        "{} does not end in a fully connected layer, whose input is the embedding; choose an output with --layer",
        path.display()
    )]
    OnnxHead {
        /// Path of the file.
        path: PathBuf,
    },
    /// The network in an ONNX file has no output of the given name.
    #[error("{} has no output {requested:?}; its outputs are {}", path.display(), known.join(", "))]
    OnnxOutput {
        /// Path of the file.
        path: PathBuf,
        /// The given name.
        requested: String,
        /// Names of the outputs.
        known: Vec<String>,
    },
    /// The metadata of an ONNX file that Receptive wrote are damaged.
    #[error("{}: invalid metadata {key}: {reason}", path.display())]
    OnnxMetadata {
        /// Path of the file.
        path: PathBuf,
        /// Name of the text.
        key: &'static str,
        /// The reason.
        reason: String,
    },
    /// The preprocessing that the options describe is out of range.
    #[error("preprocessing: {source}")]
    Preprocessing {
        /// The value and its range.
        source: InvalidConfig,
    },
    /// An option does not apply to ONNX files.
    #[error("{option} does not apply to the ONNX file {}: {reason}", path.display())]
    FileOption {
        /// The option.
        option: &'static str,
        /// Path of the file.
        path: PathBuf,
        /// The reason, or what was expected.
        reason: &'static str,
    },
    /// An option applies only to ONNX files.
    #[error("{option} applies only to ONNX files, and {model} is none{reason}")]
    OnlyForFiles {
        /// The option.
        option: &'static str,
        /// Name of the network.
        model: &'static str,
        /// Alternative to the option, after a semicolon; empty without an alternative.
        reason: &'static str,
    },
    /// The picture that explains an image cannot be written.
    #[error("{image}: {reason}; the run ends here")]
    NotDrawn {
        /// Path of the image.
        image: String,
        /// The reason.
        reason: String,
    },
    /// The image cannot be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A logit or feature map has an infinite value or a NaN.
    #[error(
        "the network computed infinite values or NaN; the weights are damaged, or the input is out of range"
    )]
    NotFinite,
    /// The feature maps of a batch cannot be allocated.
    #[error(
        "cannot allocate {} GB for the feature maps of a batch of {batch} images; choose a smaller --batch",
        bytes / 1_000_000_000
    )]
    Batch {
        /// Number of images in the batch.
        batch: usize,
        /// Size of all feature maps of the batch, in bytes.
        bytes: u64,
    },
    /// The network has no layer of the given name.
    #[error("{model} has no stage {requested:?}; its stages are {}", known.join(", "))]
    UnknownLayer {
        /// Name of the network.
        model: &'static str,
        /// The given name.
        requested: String,
        /// Names of the stages.
        known: Vec<&'static str>,
    },
    /// A file of vectors cannot be read.
    #[error(transparent)]
    Vectors(#[from] VectorFileError),
    /// The vectors of an index have another length than those of the network.
    #[error(
        "the vectors in {} have {found} elements, those of {model} {expected}; --model and --layer choose the network and the layer of the index",
        path.display()
    )]
    VectorLength {
        /// Path of the index.
        path: PathBuf,
        /// Number of elements of the index's vectors.
        found: usize,
        /// Name of the network.
        model: String,
        /// Number of elements of the network's vectors.
        expected: usize,
    },
    /// Vectors are of length 1, which a head does not take.
    #[error(
        "the vectors in {} have length 1, as `embed --normalize` writes them; a head takes the vectors without --normalize",
        path.display()
    )]
    NormalizedVectors {
        /// Path of the vectors.
        path: PathBuf,
    },
    /// The network has no fully connected last layer.
    #[error("{model} has no head that can be replaced")]
    NoHead {
        /// Name of the network.
        model: &'static str,
    },
    /// A head cannot be trained.
    #[error("{}: {source}", path.display())]
    Probe {
        /// Path of the vectors.
        path: PathBuf,
        /// The reason.
        source: LogisticError,
    },
    /// A table of labels cannot be read.
    #[error("cannot read the labels {}: {reason}", path.display())]
    LabelTable {
        /// Path of the table.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The images have fewer than two labels.
    #[error(
        "{} gives {found} different labels to the images, expected at least two; {unlabelled} of {images} images have none",
        path.display()
    )]
    FewLabels {
        /// Path of the table of labels, or of the vectors.
        path: PathBuf,
        /// Number of different labels.
        found: usize,
        /// Number of images without a label.
        unlabelled: usize,
        /// Number of images.
        images: usize,
    },
    /// The extension of a file of groups is unknown.
    #[error(
        "the extension of {} is not that of a file of groups, expected .txt, .json, .csv or .html; or choose a --format",
        path.display()
    )]
    GroupFormat {
        /// Path of the file.
        path: PathBuf,
    },
    /// A pattern of file names cannot be used.
    #[error("the pattern {pattern}: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The reason.
        reason: String,
    },
    /// A list of paths cannot be read.
    #[error("the list of paths {}: {reason}", path.display())]
    PathList {
        /// Path of the list; `-` for standard input.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// An archive of images or a weight file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Archive {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system or of the format.
        source: io::Error,
    },
    /// A Parquet file is named, but the program cannot read and write this format.
    #[error(
        "{}: this program is built without Parquet; build it with --features parquet",
        path.display()
    )]
    WithoutParquet {
        /// Path of the file.
        path: PathBuf,
    },
    /// A file of results cannot be written, or its part of an interrupted run cannot be read.
    #[error("cannot write the results {}: {source}", path.display())]
    Rows {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The settings of an interrupted run cannot be read.
    #[error(
        "cannot read the settings {}: {source}; delete them and {} to start again",
        path.display(),
        path.with_extension("").display()
    )]
    RowSettings {
        /// Path of the settings.
        path: PathBuf,
        /// Error of the operating system or of the format.
        source: io::Error,
    },
    /// The file under construction was replaced by another one.
    #[error("{} was deleted or replaced while the results were written to it", path.display())]
    RowsReplaced {
        /// Path of the file under construction.
        path: PathBuf,
    },
    /// Another process writes the same file of results.
    #[error("another process is writing the results {}", path.display())]
    RowsLocked {
        /// Path of the file.
        path: PathBuf,
    },
    /// The extension of a file of results is unknown.
    #[error(
        "the extension of {} is not that of a file of results, expected .jsonl, .csv, .parquet or .npy; or choose a --format",
        path.display()
    )]
    RowFormat {
        /// Path of the file.
        path: PathBuf,
    },
    /// An interrupted run wrote to the file of results.
    #[error(
        "{path}.part contains the results of an interrupted run; continue it with --resume, or delete {path}.part",
        path = path.display()
    )]
    InterruptedRows {
        /// Path of the file of results.
        path: PathBuf,
    },
    /// An interrupted run had another setting.
    #[error(
        "{} is from a run with {name} {found}, now it is {expected}; use the same options, or delete the file",
        path.display()
    )]
    OtherSettings {
        /// Path of the file of the interrupted run.
        path: PathBuf,
        /// Name of the setting.
        name: String,
        /// Setting of the interrupted run.
        found: String,
        /// Setting of this run.
        expected: String,
    },
    /// The file of results is one of the images or archives.
    #[error("{} is an input, and would be replaced; choose another file", path.display())]
    OutputIsInput {
        /// Path of the file.
        path: PathBuf,
    },
    /// No image could be processed, and the file of results contains those of another run.
    #[error("none of {images} images could be processed; {} is unchanged", path.display())]
    NothingProcessed {
        /// Path of the file of results.
        path: PathBuf,
        /// Number of images.
        images: u64,
    },
    /// The images of an interrupted run are not those of this run.
    #[error(
        "row {row} of the interrupted run is {found}, now it is {expected}; use the same images, or delete {}.part",
        path.display()
    )]
    OtherImages {
        /// Path of the file of results.
        path: PathBuf,
        /// Number of the row, from 1.
        row: usize,
        /// Path of the image in the row.
        found: String,
        /// Path of the image of this run, or `no image`.
        expected: String,
    },
    /// `--resume` is given for a device or a pipe.
    #[error("{} is a device or a pipe, which --resume cannot continue", path.display())]
    ResumeDevice {
        /// Path of the device.
        path: PathBuf,
    },
    /// The format of results needs a regular file.
    #[error("{} cannot be in the format {format}, which needs a file; choose jsonl or csv", path.display())]
    DeviceFormat {
        /// Path of the device, or `standard output`.
        path: PathBuf,
        /// The format.
        format: &'static str,
    },
    /// Classes are to be written to an array.
    #[error("{}: an .npy file contains vectors, which `embed` writes; choose .jsonl, .csv or .parquet", path.display())]
    NpyClasses {
        /// Path of the file.
        path: PathBuf,
    },
    /// An array cannot be read or written.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// An image cannot be read.
    #[error(transparent)]
    Image(#[from] OpenError),
    /// A picture cannot be drawn or written.
    #[error("cannot write the picture {}: {message}", path.display())]
    Picture {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        message: String,
    },
    /// The extension of a drawing is unknown, and no format is given.
    #[error(
        "the extension of {} is not that of a drawing, expected .svg, .dot, .gv or .json; or choose a --format",
        path.display()
    )]
    DrawFormat {
        /// Path of the file.
        path: PathBuf,
    },
    /// Every image of the data was skipped.
    #[cfg(feature = "train")]
    #[error("none of the images could be read")]
    NothingRead,
    /// The weights have another number of classes than the data.
    #[cfg(feature = "train")]
    #[error("the weights in {origin} have {known} classes, the data has {found}")]
    OtherClasses {
        /// Path of the weight file.
        origin: String,
        /// Number of classes of the weights.
        known: usize,
        /// Number of classes of the data.
        found: usize,
    },
    /// A class of the data is not a class of the weights.
    #[cfg(feature = "train")]
    #[error(
        "the data has the class {class:?}, which the weights in {origin} do not have; their classes are {known}"
    )]
    UnknownClass {
        /// Path of the weight file.
        origin: String,
        /// Name of the class.
        class: String,
        /// Names of classes of the weights.
        known: String,
    },
    /// Training fails.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Train(#[from] receptive_train::TrainError),
    /// The error of a rank other than rank 0.
    #[cfg(feature = "train")]
    #[error("rank {rank}: {source}")]
    Rank {
        /// The rank.
        rank: usize,
        /// Error of the rank.
        source: Box<CliError>,
    },
    /// No data is given, and none is embedded for this network.
    #[cfg(feature = "train")]
    #[error("no data is embedded for {model}; name a folder of images with --data")]
    NoData {
        /// Name of the network.
        model: &'static str,
    },
    /// `--classes` is not the number of classes of the data.
    #[cfg(feature = "train")]
    #[error("--classes is {requested}, but the data has {found} classes")]
    ClassCount {
        /// Value of `--classes`.
        requested: usize,
        /// Number of classes of the data.
        found: usize,
    },
    /// A resumed run is given another recipe than it was started with.
    #[cfg(feature = "train")]
    #[error(
        "--resume continues with the recipe {}, which --recipe, --set, --parts or --freeze would change; remove these options, or start a new run",
        path.display()
    )]
    OtherRecipe {
        /// Path of the recipe of the run.
        path: PathBuf,
    },
    /// The table `network` of the recipe does not fit the configuration of the network.
    #[cfg(feature = "train")]
    #[error("{model}: table [network] of the recipe: {reason}")]
    NetworkFields {
        /// Name of the network.
        model: &'static str,
        /// The field that is wrong, and what was expected.
        reason: String,
    },
    /// Standard output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// Whether the reader of standard output has closed the pipe, as `head` does. Not a failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) | Self::Rows { source: error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Prints `error: ` and the error to standard error, on one line, and each of several unsupported operators of an
    /// ONNX file on a line of its own.
    pub fn print(&self) {
        print_error(&one_line(self));
        if let Self::OnnxRead {
            error: ReadError::Unsupported { operators },
            ..
        } = self
            && operators.len() > 1
        {
            for operator in operators {
                let operator = operator.to_string();
                print_line(&format!("  {}\n", printable(&operator)));
            }
        }
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

/// Formats an error and its sources on one line, without sources whose text is already included.
pub fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Prints `error: ` and the message to standard error. Ignores a failure to write.
pub fn print_error(message: &str) {
    print_line(&format!("error: {}\n", printable(message)));
}

/// Prints `note: ` and the message to standard error. Ignores a failure to write.
pub fn print_note(message: &str) {
    print_line(&format!("note: {}\n", printable(message)));
}

/// Writes a line at once, so that those of several processes do not mix.
fn print_line(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Describes the error of reading the ONNX file at `path`. Several unsupported operators are counted, and not listed.
fn read_message(path: &Path, error: &ReadError) -> String {
    let path = path.display();
    match error {
        ReadError::File { source, .. } => format!("cannot read {path}: {source}"),
        ReadError::Unsupported { operators } if operators.len() > 1 => {
            format!("{path}: {} unsupported nodes:", operators.len())
        }
        _ => format!("{path}: {error}"),
    }
}

fn suggest(requested: &str, near: &[&str]) -> String {
    if requested.to_ascii_lowercase().ends_with(".onnx") {
        "this command takes no ONNX files, only networks that `receptive models` lists".to_owned()
    } else if near.is_empty() {
        "`receptive models` lists all networks".to_owned()
    } else {
        format!(
            "did you mean {}? `receptive models` lists all networks",
            near.join(", ")
        )
    }
}
