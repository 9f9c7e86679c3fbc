//! MobileNetV2 (Table 2 of its paper).

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig};
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use serde::{Deserialize, Serialize};

use crate::inverted_residual::InvertedResidual;
use crate::{checkpoints, head};

/// A row of Table 2: blocks of one output width.
struct Bottlenecks {
    /// t: the factor that a block widens its input by.
    expansion: usize,
    /// c: output channels.
    channels: usize,
    /// n: how many blocks.
    repeats: usize,
    /// s: the first block's stride; the others' is 1.
    stride: usize,
}

const fn row(expansion: usize, channels: usize, repeats: usize, stride: usize) -> Bottlenecks {
    Bottlenecks {
        expansion,
        channels,
        repeats,
        stride,
    }
}

/// Table 2: t, c, n, s.
const TABLE_2: [Bottlenecks; 7] = [
    row(1, 16, 1, 1),
    row(6, 24, 2, 2),
    row(6, 32, 3, 2),
    row(6, 64, 4, 2),
    row(6, 96, 3, 1),
    row(6, 160, 3, 2),
    row(6, 320, 1, 1),
];

/// Output channels of the first and of the last convolution.
const STEM: usize = 32;
const LAST: usize = 1280;

/// Hyperparameters of a [`MobileNetV2`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileNetV2Config {
    /// The width multiplier (section 4): channels are rounded to multiples of 8, and those of the
    /// last convolution never shrink; above 0 and at most 16.
    pub width: f64,
    /// Height and width of the images in pixels; no layer depends on it; from 1 to 65,536.
    pub resolution: usize,
    /// Classes that the head tells apart, from 1 to 1,000,000.
    pub classes: usize,
    /// Probability of dropping a mean before the classifier in training, at least 0 and below 1.
    pub dropout: f64,
}

impl MobileNetV2Config {
    /// Table 2 at width 1, for images of 224x224, with torchvision's dropout of 0.2.
    pub fn mobilenet_v2() -> Self {
        Self {
            width: 1.0,
            resolution: 224,
            classes: 1000,
            dropout: 0.2,
        }
    }
}

/// `channels * width` to the nearest multiple of 8, at least 8, and never under nine tenths of it:
/// how the authors' code, and torchvision's, rounds.
fn scaled(channels: usize, width: f64) -> usize {
    let exact = channels as f64 * width;
    let rounded = ((exact + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * exact {
        rounded + 8
    } else {
        rounded
    }
}

impl NetworkConfig for MobileNetV2Config {
    type Network = MobileNetV2;

    fn variants() -> Vec<Variant<Self>> {
        vec![Variant {
            name: "mobilenet-v2",
            config: Self::mobilenet_v2(),
            checkpoints: checkpoints::MOBILENET_V2,
        }]
    }

    /// Any size: every 3x3 convolution pads, so that an input of one pixel still gives maps of one
    /// pixel.
    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: self.resolution,
            accepts: Sizes::AtLeast(1),
        }
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    fn validate(&self) -> Result<(), InvalidConfig> {
        InvalidConfig::unless(
            self.width > 0.0 && self.width <= 16.0,
            "width",
            self.width,
            "above 0 and at most 16",
        )?;
        head::check(self.resolution, self.classes, self.dropout)
    }

    fn init(&self, device: &Device) -> MobileNetV2 {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let relu6 = |channels, kernel| ConvBlockConfig {
            activation: Activation::Relu6,
            ..ConvBlockConfig::new(channels, kernel)
        };
        let mut input = scaled(STEM, self.width);
        let stem = ConvBlockConfig {
            stride: 2,
            ..relu6([3, input], 3)
        };
        let mut blocks = Vec::new();
        for row in &TABLE_2 {
            let output = scaled(row.channels, self.width);
            for repeat in 0..row.repeats {
                let stride = if repeat == 0 { row.stride } else { 1 };
                let channels = [input, output];
                blocks.push(InvertedResidual::new(
                    channels,
                    row.expansion,
                    stride,
                    device,
                ));
                input = output;
            }
        }
        let last = scaled(LAST, self.width.max(1.0));
        MobileNetV2 {
            stem: stem.init(device),
            blocks,
            last: relu6([input, last], 1).init(device),
            dropout: DropoutConfig::new(self.dropout).init(),
            classifier: head::linear(last, self.classes, device),
        }
    }
}

/// MobileNetV2 (Table 2): a stem, seventeen inverted residuals, a 1x1 convolution, a classifier.
///
/// The paper names no initialisation; torchvision's is kept: convolutions from He's normal one over
/// the fan out, the classifier from a normal one of deviation 0.01.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    /// 3x3, stride 2.
    pub stem: ConvBlock,
    /// Seventeen blocks, in the order of Table 2.
    pub blocks: Vec<InvertedResidual>,
    /// 1x1, to 1280 channels.
    pub last: ConvBlock,
    /// Before the classifier.
    pub dropout: Dropout,
    /// From the average over each map to the classes.
    pub classifier: Linear,
}

impl MobileNetV2 {
    /// The last convolution's maps, after showing those of every stage to `seen`.
    fn trunk(&self, images: Tensor<4>, mut seen: impl FnMut(&Tensor<4>)) -> Tensor<4> {
        let mut x = self.stem.forward(images);
        seen(&x);
        let mut blocks = self.blocks.iter();
        for row in &TABLE_2 {
            x = blocks
                .by_ref()
                .take(row.repeats)
                .fold(x, |x, b| b.forward(x));
            seen(&x);
        }
        let x = self.last.forward(x);
        seen(&x);
        x
    }
}

impl Network for MobileNetV2 {
    const HEAD: &'static [&'static str] = &["classifier.1"];

    const STAGES: &'static [Stage] = &[
        Stage::new("stem", &["stem"]),
        Stage::new("bottleneck1", &["blocks.0"]),
        Stage::new("bottleneck2", &["blocks.1", "blocks.2"]),
        Stage::new("bottleneck3", &["blocks.3", "blocks.4", "blocks.5"]),
        Stage::new(
            "bottleneck4",
            &["blocks.6", "blocks.7", "blocks.8", "blocks.9"],
        ),
        Stage::new("bottleneck5", &["blocks.10", "blocks.11", "blocks.12"]),
        Stage::new("bottleneck6", &["blocks.13", "blocks.14", "blocks.15"]),
        Stage::new("bottleneck7", &["blocks.16"]),
        Stage::new("last", &["last"]),
    ];

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        head::forward(&self.dropout, &self.classifier, self.trunk(images, |_| ()))
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut maps = Vec::with_capacity(Self::STAGES.len());
        self.trunk(images, |x| maps.push(x.clone()));
        maps
    }

    fn with_classes(self, classes: usize) -> Self {
        let classifier = head::replaced(&self.classifier, classes);
        Self { classifier, ..self }
    }

    /// torchvision numbers everything: `features.0` is the stem, `features.1` to `17` the blocks,
    /// `features.18` the last convolution. A block's layers are numbered too, and the first block,
    /// which does not expand, has one fewer.
    fn reference_name(path: &str) -> String {
        let parts: Vec<&str> = path.split('.').collect();
        match parts[..] {
            ["stem", layer, tensor] => format!("features.0.{}.{tensor}", position(layer)),
            ["last", layer, tensor] => format!("features.18.{}.{tensor}", position(layer)),
            ["blocks", block, part, layer, tensor] => match block.parse::<usize>() {
                Ok(block) => {
                    let depthwise = if block == 0 { 0 } else { 1 };
                    let layer = match part {
                        "expand" => format!("0.{}", position(layer)),
                        "depthwise" => format!("{depthwise}.{}", position(layer)),
                        _ => (depthwise + 1 + position(layer)).to_string(),
                    };
                    format!("features.{}.conv.{layer}.{tensor}", block + 1)
                }
                Err(_) => path.to_owned(),
            },
            ["classifier", tensor] => format!("classifier.1.{tensor}"),
            _ => path.to_owned(),
        }
    }
}

/// The place of a [`ConvBlock`]'s layer in torchvision's sequence.
fn position(layer: &str) -> usize {
    match layer {
        "conv" => 0,
        _ => 1,
    }
}
