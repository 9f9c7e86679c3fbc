//! The command line: every command with its help text and examples.

use clap::{Parser, Subcommand};

use super::bench::BenchArgs;
use super::classify::ClassifyArgs;
use super::compile::CompileArgs;
use super::completions::CompletionsArgs;
use super::convert::ConvertArgs;
use super::draw::DrawArgs;
use super::duplicates::DuplicatesArgs;
use super::embed::EmbedArgs;
#[cfg(feature = "train")]
use super::eval::EvalArgs;
use super::explain::ExplainArgs;
use super::export::ExportArgs;
use super::inspect::InspectArgs;
use super::models::ModelsArgs;
use super::probe::ProbeArgs;
use super::run::RunArgs;
use super::similar::SimilarArgs;
use super::summary::SummaryArgs;
#[cfg(feature = "train")]
use super::train::TrainArgs;

/// Classic convolutional networks: classify images, cost every layer, train, compile and convert.
#[derive(Debug, Parser)]
#[command(name = "receptive", version, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  receptive classify photo.jpg
  receptive summary vgg16 --depth 1
  receptive draw vgg16 -o vgg16.svg
  receptive models

Exit codes:
  0  success
  1  some of the images could not be classified
  2  wrong usage or input, or no image could be classified")]
pub struct Cli {
    /// Command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List every network with its parameters, input shape, published accuracy and paper
    #[command(after_help = "\
Examples:
  receptive models
  receptive models --json")]
    Models(ModelsArgs),

    /// Print the output shape, memory, parameters and multiply-adds of every layer
    #[command(after_help = "\
Examples:
  receptive summary vgg16
  receptive summary resnet50 --depth 1 --input 1x3x288x288
  receptive summary googlenet --train --json
  receptive summary detector.onnx --depth 2

If operators of an ONNX file are not supported, the error lists all of them.")]
    Summary(SummaryArgs),

    /// Draw a network as feature maps or as a graph of operations
    #[command(after_help = "\
Examples:
  receptive draw lenet5 -o lenet5.svg
  receptive draw googlenet --style graph -o googlenet.svg
  receptive draw resnet152 --style graph --depth 2 --format dot | dot -Tpdf -o resnet152.pdf
  receptive draw model.onnx -o model.svg

The drawing goes to standard output unless --output names a file. Consecutive identical modules
are drawn once, with their number.")]
    Draw(DrawArgs),

    /// Classify images
    #[command(after_help = "\
Examples:
  receptive classify photo.jpg
  receptive classify holiday/ --top 1 --json
  receptive classify photo.jpg --model resnet50
  receptive classify assets/digits/ --model lenet5
  receptive classify photo.jpg --model model.onnx --labels labels.txt --mean 0.5 --std 0.5
  receptive classify photos/ --output labels.csv
  find photos -name '*.jpg' -print0 | receptive classify - --output labels.parquet
  receptive classify shards/*.tar --output labels.jsonl --resume
  receptive classify photos/ --explain why/

The results in a file have one row for each image, in the order of the images. The row of an image that
cannot be decoded contains the error. While the command runs, rows are written to FILE.part; --resume
continues such a file.
The weights of mobilenet-v2 (ImageNet) and lenet5 (MNIST) are embedded in the program. For other
networks, published weights are read from the cache folder. Missing weights are downloaded.
RECEPTIVE_CACHE chooses another cache folder.
The file of an ONNX network contains its weights. The preprocessing and the labels are those in the
file if `export` wrote it; otherwise options state them, and missing ones are those of ImageNet.")]
    Classify(ClassifyArgs),

    /// Show which parts of an image increase the score of a class
    #[command(after_help = "\
Examples:
  receptive explain photo.jpg -o why.png
  receptive explain photo.jpg --class 281 -o why.png
  receptive explain photo.jpg --model vgg16 --method grad-cam --map why.npy
  receptive explain photo.jpg --method occlusion --places 28 -o why.png
  receptive classify photos/ --explain why/

The picture has the positive values in colours from black to yellow, over the part of the photo
that the network sees. The numbers are class scores, the values before softmax: those of a
class activation map have the class score without bias as their mean; those of occlusion are
decreases of the score; those of integrated gradients add up to the difference from the score of a
grey image. grad-cam and integrated-gradients need a program with the feature `train`.")]
    Explain(ExplainArgs),

    /// Compute the embedding of images: a vector for search, deduplication and clustering
    #[command(after_help = "\
Examples:
  receptive embed photos/ --output vectors.npy
  receptive embed photos/ --model resnet50 --normalize --output vectors.parquet
  receptive embed photo.jpg --layer bottleneck7
  receptive embed photos/ --shard 1/4 --output vectors-1.jsonl

The embedding is the input of the network's last layer: 1280 numbers of mobilenet-v2, 2048 of resnet50.
With --layer, the vector has the mean of each feature map of a stage, or of an output of an ONNX file. An .npy file has a row of NaN for
an image that cannot be decoded; the file .paths.csv beside it has the paths and errors of the rows.")]
    Embed(EmbedArgs),

    /// Find the images of an index that are most similar to given images
    #[command(after_help = "\
Examples:
  receptive embed photos/ --output vectors.npy
  receptive similar photo.jpg --index vectors.npy
  receptive similar photos/1.jpg photos/2.jpg --index vectors.npy --top 3 --json

The index is a file of vectors that `embed` wrote with the same network and layer. The vector of an image
whose path is in the index is not computed again, and the image itself is left out of its results.")]
    Similar(SimilarArgs),

    /// Find groups of near-duplicates among embedded images
    #[command(after_help = "\
Examples:
  receptive embed photos/ --output vectors.npy
  receptive duplicates vectors.npy
  receptive duplicates vectors.npy --threshold 0.98 --output duplicates.html

Two images are near-duplicates if the cosine similarity of their vectors is at least the threshold. A group
contains every image that is a near-duplicate of another image of the group. The printed similarity is that
to the first image of the group.")]
    Duplicates(DuplicatesArgs),

    /// Train a head for new classes on the vectors of labelled images
    #[command(after_help = "\
Examples:
  receptive embed photos/ --output vectors.npy
  receptive probe vectors.npy --by-folder
  receptive probe vectors.npy --labels labels.csv --output own.safetensors
  receptive classify new.jpg --weights own.safetensors

The head is a multinomial logistic regression, trained in seconds because the network does not run. The
accuracy is that of cross-validation: each image is classified by a head that other images trained.")]
    Probe(ProbeArgs),

    /// Run a network on a NumPy array and write the logits
    #[command(after_help = "\
Examples:
  receptive run resnet18 --weights resnet18-f37072fd.pth --input batch.npy --output logits.npy
  receptive run model.onnx --input x.npy --output y.npy
  receptive run model.onnx --input x.npy --output boxes.npy --output-name boxes

The input is a float32 or float64 array [batch, channels, height, width] of normalized images.
The output is a float32 array [batch, classes]. For an ONNX file, both arrays have the shapes in the
file. A file that takes any number of images is run in batches of 8.")]
    Run(RunArgs),

    /// Measure the time of a forward pass or of a training step, with random weights or those of an ONNX file
    #[command(after_help = "\
Examples:
  receptive bench resnet50
  receptive bench vgg16 --batch 8 --threads 2 --json
  receptive bench mobilenet-v1 --profile --roofline roofline.svg
  receptive bench resnet18 --train --batch 8
  receptive bench model.onnx --profile

With --json, load_ms is the time to record the network or to read the file, and to compile it.")]
    Bench(BenchArgs),

    /// Compile a network and its weights into a plan file, which loads without compilation
    #[command(after_help = "\
Examples:
  receptive compile resnet50 --weights resnet50-11ad3fa6.pth -o resnet50.plan
  receptive classify photo.jpg --model resnet50 --weights resnet50.plan
  receptive compile model.onnx --batch 8 -o model.plan

The plan runs only on machines with the instruction set that it was compiled for. By default this
is the best instruction set of this machine; RECEPTIVE_ISA chooses another.")]
    Compile(CompileArgs),

    /// Write a network with its weights as an ONNX file
    #[command(after_help = "\
Examples:
  receptive export mobilenet-v2 -o mobilenet-v2.onnx
  receptive export resnet18 --weights runs/resnet18/model.safetensors -o resnet18.onnx
  receptive export resnet50 --batch 8 --opset 13 -o resnet50.onnx
  receptive export mobilenet-v2 --with-preprocessing -o pixels.onnx

The input is called input, the class scores are called logits. The tensors have the names of the
reference implementation. The file contains the names of the classes, the preprocessing, and the
source and the licence of published weights.")]
    Export(ExportArgs),

    /// Convert a weight file to another format or floating-point type
    #[command(after_help = "\
Examples:
  receptive convert vgg16-397923af.pth vgg16.safetensors --model vgg16
  receptive convert resnet50.safetensors resnet50.bpk --model resnet50 --dtype f16

The extension of OUT chooses the format: .pth or .pt (PyTorch), .safetensors, .bpk or .burnpack.
IN is checked against the model before OUT is written.")]
    Convert(ConvertArgs),

    /// Train a network on labelled images
    #[cfg(feature = "train")]
    #[command(after_help = "\
Examples:
  receptive train lenet5
  receptive train resnet20-cifar --data cifar-10-batches-bin --output runs/cifar
  receptive train resnet18 --data photos --from resnet18-f37072fd.pth --freeze conv4_x
  receptive train mobilenet-v2 --data photos --freeze all
  receptive train lenet5 --set optimizer.lr=0.02 --set epochs=5 --output runs/slow
  receptive train resnet18 --data photos --resume

The data folder holds one of:
  - MNIST's IDX files
  - CIFAR's binary files
  - train/ and val/, each with one folder of images per class
  - one folder of images per class; a fraction of the images is held out for validation
Networks for MNIST digits train on 7,500 embedded digits when there is no --data.
The default recipe is that of the network's paper, or the fine-tuning recipe with --from.
With --freeze all, the compiled network computes the embedding of each image once, without
augmentation, and the last layer is fitted to them. The weights are those of --from, or else the
embedded or published ones.")]
    Train(TrainArgs),

    /// Measure the accuracy of a network on labelled images
    #[cfg(feature = "train")]
    #[command(after_help = "\
Examples:
  receptive eval lenet5 --weights runs/lenet5/model.safetensors
  receptive eval resnet18 --weights resnet18-f37072fd.pth --data imagenet/val --json

The data folder has the same layouts as for `train`, and may contain the evaluated images alone:
MNIST's or CIFAR's test files, val/, or one folder of images per class without train/ and val/.
Without a test part or val/, all images are evaluated.
Images are prepared by the recipe of the run that wrote the weights (recipe.toml beside them), or
else by the recipe of the network's paper.")]
    Eval(EvalArgs),

    /// Draw the kernels of the first layer, and the feature maps of an image
    #[command(after_help = "\
Examples:
  receptive inspect alexnet-torchvision --weights alexnet-owt-7be5be79.pth --image cat.png -o cat

Writes kernels.png, the kernels of the first convolution. With --image, also writes one picture
for the feature maps of every stage.")]
    Inspect(InspectArgs),

    /// Print the completion script of a shell
    #[command(after_help = "\
Examples:
  receptive completions bash > ~/.local/share/bash-completion/completions/receptive")]
    Completions(CompletionsArgs),
}
