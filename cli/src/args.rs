//! What can be typed: the commands, their options and their help.

mod bench;
mod parse;
#[cfg(feature = "train")]
pub mod train;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use bench::BenchArgs;

use crate::device::DeviceName;
use crate::error::CliError;

/// The classic convolutional networks: classify images, cost every layer, run and convert weights.
#[derive(Debug, Parser)]
#[command(name = "receptive", version, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  receptive classify photo.jpg
  receptive summary vgg16 --depth 1
  receptive draw vgg16 -o vgg16.svg
  receptive models

Exit codes: 0 all is well, 1 some images could not be classified, 2 bad usage or input, or no image could.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List every network: parameters, input, published weights and paper
    #[command(after_help = "\
Examples:
  receptive models
  receptive models --json")]
    Models(ModelsArgs),

    /// Print what every layer of a network costs
    #[command(after_help = "\
Examples:
  receptive summary vgg16
  receptive summary resnet50 --depth 1 --input 1x3x288x288
  receptive summary googlenet --train --json")]
    Summary(SummaryArgs),

    /// Draw a network
    #[command(after_help = "\
Examples:
  receptive draw lenet5 -o lenet5.svg
  receptive draw googlenet --style graph -o googlenet.svg
  receptive draw resnet152 --style graph --depth 2 --format dot | dot -Tpdf -o resnet152.pdf

Without a file the drawing goes to standard output. Modules that are repeated are drawn once.")]
    Draw(DrawArgs),

    /// Say what images show
    #[command(after_help = "\
Examples:
  receptive classify photo.jpg
  receptive classify holiday/ --top 1 --json
  receptive classify photo.jpg --model resnet50
  receptive classify assets/digits/ --model lenet5

Without --model the network is MobileNetV2. Its ImageNet weights are part of this program, and so is
LeNet-5 as `receptive train lenet5` trains it. Another model's published weights are looked for in the
cache folder, then downloaded.")]
    Classify(ClassifyArgs),

    /// Run a network on an array, write its logits
    #[command(after_help = "\
Examples:
  receptive run resnet18 --weights resnet18-f37072fd.pth --input batch.npy --output logits.npy

The input is an array [batch, channels, height, width] of float32 or float64, already normalised;
the output is an array [batch, classes] of float32.")]
    Run(RunArgs),

    /// Time a network on random weights
    #[command(after_help = "\
Examples:
  receptive bench resnet50
  receptive bench vgg16 --batch 8 --threads 2 --json
  receptive bench mobilenet-v1 --profile --roofline roofline.svg
  receptive bench resnet18 --train --batch 8")]
    Bench(BenchArgs),

    /// Compile a network with its weights into one file that starts at once
    #[command(after_help = "\
Examples:
  receptive compile resnet50 --weights resnet50-11ad3fa6.pth -o resnet50.plan
  receptive classify photo.jpg --model resnet50 --weights resnet50.plan

The file is for the instruction set of this machine.")]
    Compile(CompileArgs),

    /// Rewrite a weight file in another format or precision
    #[command(after_help = "\
Examples:
  receptive convert vgg16-397923af.pth vgg16.safetensors --model vgg16
  receptive convert resnet50.safetensors resnet50.bpk --model resnet50 --dtype f16

The format is the extension's: .pth or .pt, .safetensors, .bpk. The file is checked
against the model before anything is written.")]
    Convert(ConvertArgs),

    /// Train a network on labelled images
    #[cfg(feature = "train")]
    #[command(after_help = "\
Examples:
  receptive train lenet5
  receptive train resnet20-cifar --data cifar-10-batches-bin --output runs/cifar
  receptive train resnet18 --data photos --from resnet18-f37072fd.pth --freeze conv4_x
  receptive train lenet5 --set optimizer.lr=0.02 --set epochs=5 --output runs/slow
  receptive train resnet18 --data photos --resume

The data is a folder: MNIST's idx files, CIFAR's binary files, train and val with a folder for each
class, or a folder for each class, of which a part is held out. LeNet-5 has 7,500 digits of its own.
Without --recipe the network is trained by the recipe of its paper.")]
    Train(train::TrainArgs),

    /// Measure how well a network tells labelled images apart
    #[cfg(feature = "train")]
    #[command(after_help = "\
Examples:
  receptive eval lenet5 --weights runs/lenet5/model.safetensors
  receptive eval resnet18 --weights resnet18-f37072fd.pth --data imagenet/val --json

The data is what `train` takes; of data with images to validate on, those are taken. Images are prepared
as the recipe beside the weights says, or that of the network's paper.")]
    Eval(train::EvalArgs),

    /// Draw what a network looks for, and what it sees in an image
    #[command(after_help = "\
Examples:
  receptive inspect alexnet-torchvision --weights alexnet-owt-7be5be79.pth --image cat.png -o cat

Writes kernels.png, the first layer's kernels, and a picture of every stage's maps.")]
    Inspect(InspectArgs),

    /// Print the completion script of a shell
    #[command(after_help = "\
Examples:
  receptive completions bash > ~/.local/share/bash-completion/completions/receptive")]
    Completions(CompletionsArgs),
}

/// Options of `models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// The input's shape: batch x channels x height x width
    #[arg(long, value_name = "SHAPE", value_parser = parse::shape)]
    pub input: Option<[usize; 4]>,

    /// Classes that the head tells apart
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub classes: Option<usize>,

    /// Group the layers by the first N parts of their names
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub depth: Option<usize>,

    /// The network as it trains, with its auxiliary heads
    #[arg(long)]
    pub train: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `draw`.
#[derive(Debug, Args)]
pub struct DrawArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// Where to write the drawing [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What is drawn
    #[arg(long, value_enum, default_value_t = DrawStyle::Blocks)]
    pub style: DrawStyle,

    /// Group the layers by the first N parts of their names
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub depth: Option<usize>,

    /// The language of the drawing [default: that of the file's extension, else svg]
    #[arg(long, value_enum)]
    pub format: Option<DrawFormat>,

    /// The input's shape: batch x channels x height x width
    #[arg(long, value_name = "SHAPE", value_parser = parse::shape)]
    pub input: Option<[usize; 4]>,

    /// Classes that the head tells apart
    #[arg(long, value_name = "N", value_parser = parse::positive, allow_negative_numbers = true)]
    pub classes: Option<usize>,

    /// The network as it trains, with its auxiliary heads
    #[arg(long)]
    pub train: bool,
}

/// What is drawn of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DrawStyle {
    /// The feature maps as solids, as in the papers' figures
    Blocks,
    /// The operations, with branches and residual arcs
    Graph,
}

/// The language of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DrawFormat {
    /// A picture
    Svg,
    /// Graphviz's language
    Dot,
    /// Its parts
    Json,
}

/// Options of `classify`.
#[derive(Debug, Args)]
pub struct ClassifyArgs {
    /// Images, or folders of them
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,

    /// The network's name, as `models` lists it
    #[arg(long, value_name = "NAME", default_value = crate::pretrained::DEFAULT_MODEL)]
    pub model: String,

    /// A weight file, in place of the published weights
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// The names of the classes, one a line, in place of the model's own
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,

    /// How many classes to show of each image
    #[arg(long, value_name = "N", default_value = "5")]
    #[arg(value_parser = parse::positive, allow_negative_numbers = true)]
    pub top: usize,

    /// Where and how to compute
    #[command(flatten)]
    pub compute: ComputeArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// The weight file
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// The images as a NumPy array [batch, channels, height, width]
    #[arg(long, value_name = "IN.npy")]
    pub input: PathBuf,

    /// Where to write the logits, a NumPy array [batch, classes]
    #[arg(long, value_name = "OUT.npy")]
    pub output: PathBuf,

    /// Where and how to compute
    #[command(flatten)]
    pub compute: ComputeArgs,
}

/// Options of `compile`.
#[derive(Debug, Args)]
pub struct CompileArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// The weight file
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// Where to write the compiled network
    #[arg(long, short, value_name = "FILE.plan")]
    pub output: PathBuf,

    /// The largest batch that it will run
    #[arg(long, value_name = "N", default_value = "1")]
    #[arg(value_parser = parse::positive, allow_negative_numbers = true)]
    pub batch: usize,

    /// How it computes
    #[command(flatten)]
    pub tuning: TuningArgs,
}

/// How a network is compiled.
#[derive(Debug, Clone, Copy, Args)]
pub struct TuningArgs {
    /// fast: Winograd and fully connected weights in 24 bits where they pay, within 1e-4 of the largest logit;
    /// exact: neither, within 1e-5
    #[arg(long, value_enum, default_value_t = PlanPrecision::Fast)]
    pub precision: PlanPrecision,

    /// How the algorithm of each convolution is chosen
    #[arg(long, value_enum, default_value_t = PlanTuning::Modelled)]
    pub tuning: PlanTuning,
}

/// How close to the direct sums a compiled network stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanPrecision {
    /// Winograd's algorithm and weights in 24 bits where they pay
    Fast,
    /// Direct sums of the weights as they are
    Exact,
}

/// How algorithms are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanTuning {
    /// By a model of what each takes
    Modelled,
    /// By timing each on this machine
    Measured,
}

/// Options of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The weight file to read
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// The weight file to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// The network's name, as `models` lists it
    #[arg(long, value_name = "NAME")]
    pub model: String,

    /// The precision of the numbers written
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub dtype: Precision,
}

/// Options of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The network's name, as `models` lists it
    pub model: String,

    /// The weight file
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// An image to look at
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<PathBuf>,

    /// The folder for the pictures
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Where and how to compute.
#[derive(Debug, Args)]
pub struct ComputeArgs {
    /// The Burn backend of the eager engine; naming one chooses that engine
    #[arg(long, value_enum, value_name = "DEVICE")]
    pub device: Option<DeviceName>,

    /// How the network is run [default: compiled]
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub engine: Option<Engine>,

    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = parse::threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,

    /// How the compiled engine computes
    #[command(flatten)]
    pub tuning: TuningArgs,
}

impl ComputeArgs {
    /// The engine that is asked for, or that the device asks for.
    ///
    /// # Errors
    ///
    /// [`CliError::CompiledDevice`] when a compiled network is to run on a device.
    pub fn engine(&self) -> Result<Engine, CliError> {
        match (self.engine, self.device) {
            (Some(Engine::Compiled), Some(device)) => Err(CliError::CompiledDevice { device }),
            (Some(engine), _) => Ok(engine),
            (None, Some(_)) => Ok(Engine::Eager),
            (None, None) => Ok(Engine::Compiled),
        }
    }
}

/// How a network is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Compiled for this machine's processor
    Compiled,
    /// Operation by operation, on a Burn backend
    Eager,
}

/// The precision of the numbers in a weight file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// 32 bits
    F32,
    /// 16 bits, 10 of them fraction
    F16,
    /// 16 bits, 7 of them fraction
    Bf16,
}
