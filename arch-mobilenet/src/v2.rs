//! MobileNetV2 (Table 2).

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig, fully_connected};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Paper, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

use crate::inverted_residual::InvertedResidual;
use crate::{checkpoints, head};

/// Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018.
const PAPER: Paper = Paper {
    authors: "Sandler et al.",
    title: "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    year: 2018,
};

/// A row of Table 2: blocks with the same output channels.
struct Bottlenecks {
    /// t: the expansion factor.
    expansion: usize,
    /// c: output channels.
    channels: usize,
    /// n: number of blocks.
    repeats: usize,
    /// s: stride of the first block; the other blocks have stride 1.
    stride: usize,
}

/// Returns a row of Table 2: t, c, n, s.
const fn row(expansion: usize, channels: usize, repeats: usize, stride: usize) -> Bottlenecks {
    Bottlenecks {
        expansion,
        channels,
        repeats,
        stride,
    }
}

/// The rows of Table 2: t, c, n, s.
const TABLE_2: [Bottlenecks; 7] = [
    row(1, 16, 1, 1),
    row(6, 24, 2, 2),
    row(6, 32, 3, 2),
    row(6, 64, 4, 2),
    row(6, 96, 3, 1),
    row(6, 160, 3, 2),
    row(6, 320, 1, 1),
];

/// Output channels of the first convolution.
const STEM: usize = 32;

/// Output channels of the last convolution.
const LAST: usize = 1280;

/// Hyperparameters of a [`MobileNetV2`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileNetV2Config {
    /// The width multiplier (section 4), above 0 and at most 16. Channels are rounded to multiples
    /// of 8. A multiplier below 1 does not reduce the channels of the last convolution.
    pub width: f64,
    /// Height and width of the images, from 1 to 65,536 pixels. No layer depends on the resolution.
    pub resolution: usize,
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
    /// Probability that training sets an input of the classifier to zero, at least 0 and below 1.
    pub dropout: f64,
}

impl MobileNetV2Config {
    /// Table 2 at width 1, for images of 224x224 pixels, with torchvision's dropout of 0.2.
    pub fn mobilenet_v2() -> Self {
        Self {
            width: 1.0,
            resolution: 224,
            classes: 1000,
            dropout: 0.2,
        }
    }
}

/// Returns `channels * width` rounded to the nearest multiple of 8 that is at least 8 and at least
/// 90 % of the exact value, as in the authors' code and in torchvision.
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
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("mobilenet-v1-imagenet.toml"),
            labels: LabelSet::Imagenet1k,
            preprocessing: Preprocessing::IMAGENET,
            checkpoints: checkpoints::MOBILENET_V2,
        }]
    }

    /// Any image size is valid: every 3x3 convolution pads, so a map of one pixel stays a map of
    /// one pixel.
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

    fn build(&self, device: &Device) -> MobileNetV2 {
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
/// The paper specifies no initialisation. Initial weights are torchvision's: He's normal
/// initialisation over the fan out for convolutions, normal with standard deviation 0.01 for the
/// classifier.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    /// 3x3 convolution of stride 2.
    pub stem: ConvBlock,
    /// The seventeen blocks, in the order of Table 2.
    pub blocks: Vec<InvertedResidual>,
    /// 1x1 convolution to 1280 channels.
    pub last: ConvBlock,
    /// The dropout before the classifier.
    pub dropout: Dropout,
    /// The classifier of the mean of each map.
    pub classifier: Linear,
}

impl MobileNetV2 {
    /// Computes the output of the last convolution, and calls `visit` with the output of each stage
    /// in order.
    fn trunk(&self, images: Tensor<4>, mut visit: impl FnMut(&Tensor<4>)) -> Tensor<4> {
        let mut x = self.stem.forward(images);
        visit(&x);
        let mut blocks = self.blocks.iter();
        for row in &TABLE_2 {
            x = blocks
                .by_ref()
                .take(row.repeats)
                .fold(x, |x, block| block.forward(x));
            visit(&x);
        }
        let x = self.last.forward(x);
        visit(&x);
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

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        self.embed_maps(self.trunk(images, |_| ()))
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        head::means(maps)
    }

    fn classify(&self, means: Tensor<2>) -> Tensor<2> {
        fully_connected(&self.classifier, self.dropout.forward(means))
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut maps = Vec::with_capacity(Self::STAGES.len());
        self.trunk(images, |x| maps.push(x.clone()));
        maps
    }

    fn with_new_heads(self, classes: usize) -> Self {
        let classifier = head::with_classes(&self.classifier, classes);
        Self { classifier, ..self }
    }

    /// Returns torchvision's name: `features.0` is the stem, `features.1` to `features.17` are the
    /// blocks, `features.18` is the last convolution. The layers of a block are numbered; the first
    /// block has no expansion, so its numbers are one less.
    fn reference_name(path: &str) -> String {
        let parts: Vec<&str> = path.split('.').collect();
        match parts[..] {
            ["stem", layer, tensor] => format!("features.0.{}.{tensor}", index(layer)),
            ["last", layer, tensor] => format!("features.18.{}.{tensor}", index(layer)),
            ["blocks", block, conv, layer, tensor] => match block.parse::<usize>() {
                Ok(block) => {
                    let depthwise = if block == 0 { 0 } else { 1 };
                    let layer = match conv {
                        "expand" => format!("0.{}", index(layer)),
                        "depthwise" => format!("{depthwise}.{}", index(layer)),
                        _ => (depthwise + 1 + index(layer)).to_string(),
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

/// Returns the index of a [`ConvBlock`]'s layer in torchvision's sequence.
fn index(layer: &str) -> usize {
    match layer {
        "conv" => 0,
        _ => 1,
    }
}
