//! Photos as the input of ONNX files: their size, the order of their axes and their preprocessing.

use receptive_layers::compile::Compiled;
use receptive_layers::graph::{Graph, Node, Op, Origin, SliceRange, Value};
use receptive_layers::preprocessing::Preprocessing;

use crate::args::{ComputeArgs, Engine, ModelArgs, PreprocessingArgs};
use crate::engine;
use crate::error::CliError;
use crate::onnx_network::{OnnxFile, OnnxNetwork};

/// The option that states the size of images, with an example.
const CROP_OPTION: &str = "--crop 224";

/// Standard deviation with which a sample from 0 to 1 becomes a pixel from 0 to 255.
const PIXEL: f32 = 1.0 / 255.0;

/// Reads `file`, the network of `model`, for images of the size of `preprocessing`.
///
/// # Errors
///
/// [`CliError`] when the file cannot be read, or an option does not apply to a file.
pub fn read(
    file: &OnnxFile,
    model: &ModelArgs,
    preprocessing: &PreprocessingArgs,
    compute: &ComputeArgs,
) -> Result<OnnxNetwork, CliError> {
    file.refuse_weights(model.weights.is_some(), model.key.key())?;
    file.refuse_eager(compute.engine()? == Engine::Eager)?;
    let size = preprocessing.crop.map(|crop| [crop, crop]);
    file.read(None, size, CROP_OPTION)
}

/// Compiles `network` for square planes that are prepared from photos, in batches of `batch` images if the network is the
/// same for every number of images.
///
/// # Errors
///
/// [`CliError::OnnxImages`] when the input is not an image, [`CliError::Preprocessing`] when a value is out of range,
/// [`CliError::FileOption`] when both the file and `args` normalize pixels, [`CliError::Compile`].
pub fn compile(
    mut network: OnnxNetwork,
    args: &PreprocessingArgs,
    batch: usize,
    compute: &ComputeArgs,
) -> Result<(Compiled, Preprocessing), CliError> {
    let images = Images::of(&network)?;
    let preprocessing = images.preprocessing(args, &network)?;
    images.prepend(&mut network.graph);
    let batch = match network.graph.any_batch {
        true => batch,
        false => network.input()[0],
    };
    let options = engine::compiler_options(&compute.tuning, batch, compute.threads);
    Ok((network.compile(&options)?, preprocessing))
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
