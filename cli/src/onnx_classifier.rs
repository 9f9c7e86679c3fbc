//! Classification of photos by an ONNX file: the images that its input describes, and the class scores of its output.

use receptive_layers::classifier::Classifier;
use receptive_layers::graph::{Graph, LOGITS, Node, Op, Origin, SliceRange, Value, ValueId};
use receptive_layers::preprocessing::Preprocessing;

use crate::args::{ClassifyArgs, Engine, PreprocessingArgs};
use crate::engine;
use crate::error::CliError;
use crate::label_file;
use crate::onnx_network::{OnnxFile, OnnxNetwork};
use crate::predict::Workers;

/// The option that states the size of images, with an example.
const CROP_OPTION: &str = "--crop 224";

/// Standard deviation with which a sample from 0 to 1 becomes a pixel from 0 to 255.
const PIXEL: f32 = 1.0 / 255.0;

/// Opens `file` as a classifier with the labels and the preprocessing that `args` name or the file contains.
///
/// # Errors
///
/// [`CliError`] when the file cannot be read or compiled, its input is not an image or its output is not a list of class
/// scores, or an option does not apply.
pub fn open(
    file: &OnnxFile,
    args: &ClassifyArgs,
    workers: &Workers,
) -> Result<Classifier, CliError> {
    let model = &args.classifier.model;
    file.refuse_weights(model.weights.is_some(), model.key.key())?;
    file.refuse_eager(workers.compute.engine()? == Engine::Eager)?;
    let explain = [("--explain", args.explain.is_some())];
    file.refuse(&explain, "expected a network that `receptive models` lists")?;

    let size = args.preprocessing.crop.map(|crop| [crop, crop]);
    let mut network = file.read(None, size, CROP_OPTION)?;
    let classes = keep_scores(&mut network)?;
    let labels = match &args.classifier.labels {
        Some(path) => label_file::open(path, classes)?,
        None => network.metadata.labels.take().unwrap_or_default(),
    };
    if !labels.is_empty() && labels.len() != classes {
        return Err(CliError::StoredLabels {
            origin: file.path.display().to_string(),
            found: labels.len(),
            classes,
        });
    }
    let images = Images::of(&network)?;
    let preprocessing = images.preprocessing(&args.preprocessing, &network)?;
    images.prepend(&mut network.graph);
    let batch = match network.graph.any_batch {
        true => workers.batch,
        false => network.input()[0],
    };
    let compute = &workers.compute;
    let options = engine::compiler_options(&compute.tuning, batch, compute.threads);
    let plan = network.compile(&options)?;
    Ok(Classifier::from_plan(plan, preprocessing, labels)?)
}

/// Makes the class scores the only output of `network`, without a softmax that computes probabilities of them, and returns
/// the number of classes.
fn keep_scores(network: &mut OnnxNetwork) -> Result<usize, CliError> {
    let names: Vec<String> = network.graph.all_output_names().collect();
    let logits = names.iter().any(|name| name == LOGITS).then_some(LOGITS);
    let (output, shape) = network.keep_output(logits)?;
    let classes = match shape[..] {
        [_, classes, ref rest @ ..] if rest.iter().all(|&length| length == 1) => classes,
        _ => {
            return Err(CliError::OnnxScores {
                path: network.file.path.clone(),
                output,
                found: shape,
            });
        }
    };
    if let Some(scores) = before_softmax(&network.graph) {
        network.set_output(output, scores);
    }
    Ok(classes)
}

/// Returns the operand of the softmax over the classes that computes the first output of `graph`, if one does.
fn before_softmax(graph: &Graph) -> Option<ValueId> {
    let mut id = *graph.outputs.first()?;
    loop {
        let node = graph.nodes.iter().find(|node| node.outputs == [id])?;
        match node.op {
            Op::Reshape => id = node.inputs[0],
            Op::Softmax { axis: 1 } => return Some(node.inputs[0]),
            _ => return None,
        }
    }
}

/// The images that a network takes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Images {
    count: usize,
    channels: usize,
    height: usize,
    width: usize,
    /// Whether channels are the last axis instead of the second.
    channels_last: bool,
}

impl Images {
    /// Returns the images of the input of `network`.
    ///
    /// # Errors
    ///
    /// [`CliError::OnnxImages`] for any other input.
    fn of(network: &OnnxNetwork) -> Result<Self, CliError> {
        match *network.input() {
            [count, channels @ (1 | 3), height, width] => Ok(Self {
                count,
                channels,
                height,
                width,
                channels_last: false,
            }),
            [count, height, width, channels @ (1 | 3)] => Ok(Self {
                count,
                channels,
                height,
                width,
                channels_last: true,
            }),
            _ => Err(CliError::OnnxImages {
                path: network.file.path.clone(),
                found: network.input().to_vec(),
            }),
        }
    }

    /// Height and width of the square that is cropped from a photo.
    fn crop(self) -> usize {
        self.height.max(self.width)
    }

    /// Returns the preprocessing of `args`, completed by that in the file, or else by that of ImageNet for three channels and
    /// samples from 0 to 1 for one channel.
    ///
    /// # Errors
    ///
    /// [`CliError::Preprocessing`] when a value is out of range, [`CliError::FileOption`] when the file normalizes pixels and
    /// `args` too.
    fn preprocessing(
        self,
        args: &PreprocessingArgs,
        network: &OnnxNetwork,
    ) -> Result<Preprocessing, CliError> {
        let crop = self.crop();
        let stored = network.metadata.preprocessing;
        let mut preprocessing = match (stored, self.channels) {
            (Some(stored), _) if stored.crop == crop => stored,
            (Some(stored), _) => stored.with_crop(crop),
            (None, 1) => Preprocessing {
                resize: crop,
                crop,
                mean: [0.0; 3],
                std: [1.0; 3],
                ..Preprocessing::IMAGENET
            },
            (None, _) => Preprocessing::IMAGENET.with_crop(crop),
        };
        if stored.is_some() && self.channels_last {
            // `receptive export --with-preprocessing` writes the normalization into the file.
            let given = [
                ("--mean", args.mean.is_some()),
                ("--std", args.std.is_some()),
            ];
            network
                .file
                .refuse(&given, "the file normalizes the pixels")?;
            preprocessing.mean = [0.0; 3];
            preprocessing.std = [PIXEL; 3];
        }
        let preprocessing = Preprocessing {
            resize: args.resize.unwrap_or(preprocessing.resize),
            mean: args.mean.unwrap_or(preprocessing.mean),
            std: args.std.unwrap_or(preprocessing.std),
            ..preprocessing
        };
        let valid = preprocessing.validate();
        valid.map_err(|source| CliError::Preprocessing { source })?;
        Ok(preprocessing)
    }

    /// Makes the square planes that are prepared from a photo, `[count, channels, crop, crop]`, the input of `graph`.
    fn prepend(self, graph: &mut Graph) {
        let Self {
            count,
            channels,
            height,
            width,
            ..
        } = self;
        if self.channels_last {
            let axes = vec![0, 2, 3, 1];
            let planes = vec![count, channels, height, width];
            prepend(graph, "image.permute", Op::Permute { axes }, planes);
        }
        let crop = self.crop();
        if height != width {
            let centre = |length: usize| {
                let start = (crop - length) / 2;
                SliceRange {
                    start,
                    end: start + length,
                    step: 1,
                }
            };
            let all = |end| SliceRange {
                start: 0,
                end,
                step: 1,
            };
            let ranges = vec![all(count), all(channels), centre(height), centre(width)];
            let square = vec![count, channels, crop, crop];
            prepend(graph, "image.crop", Op::Slice { ranges }, square);
        }
    }
}

/// Inserts a node that computes the input of `graph`. Its operand, of shape `shape`, becomes the input.
fn prepend(graph: &mut Graph, name: &str, op: Op, shape: Vec<usize>) {
    let output = graph.input;
    let computed = graph.ids().position(|(id, _)| id == output);
    let Some(computed) = computed else {
        return;
    };
    graph.values[computed].origin = Origin::Computed;
    graph.values.push(Value {
        shape,
        dtype: graph.values[computed].dtype,
        origin: Origin::Input,
        data: None,
    });
    let Some((input, _)) = graph.ids().last() else {
        return;
    };
    graph.input = input;
    let node = Node {
        name: name.to_owned(),
        op,
        inputs: vec![input],
        outputs: vec![output],
    };
    graph.nodes.insert(0, node);
}
