//! MobileNet v1 (MobileNets, Table 1).

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

use crate::depthwise_separable::DepthwiseSeparable;
use crate::head;

/// Howard et al.: MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
/// Applications, 2017.
pub(crate) const PAPER: Paper = Paper {
    authors: "Howard et al.",
    title: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    year: 2017,
};

/// Output channels of the stem.
const STEM: usize = 32;

/// Output channels and stride of each block: two rows of Table 1 each. The table prints a stride of
/// 2 for the last depthwise convolution; the sizes in the table require a stride of 1.
const BLOCKS: [(usize, usize); 13] = [
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
];

/// Number of blocks whose maps are 112x112, 56x56, 28x28, 14x14 and 7x7.
pub(crate) const STAGE_LENGTHS: [usize; 5] = [1, 2, 2, 6, 2];

/// Hyperparameters of a [`MobileNetV1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileNetV1Config {
    /// The width multiplier alpha (section 3.3), from 1/32 to 16: every layer has
    /// `floor(alpha * channels)` channels. 1/32 leaves one channel in the stem.
    pub width: f64,
    /// Height and width of the images, from 1 to 65,536 pixels: 224 times the resolution multiplier
    /// rho (section 3.4). No layer depends on the resolution.
    pub resolution: usize,
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
    /// Probability that training sets an input of the classifier to zero, at least 0 and below 1.
    /// Table 1 has no dropout.
    pub dropout: f64,
}

impl MobileNetV1Config {
    /// Table 1 with the width multiplier `width`, for images of 224x224 pixels. The paper evaluates
    /// the widths 1, 0.75, 0.5 and 0.25 (Table 6).
    pub fn mobilenet_v1(width: f64) -> Self {
        Self {
            width,
            resolution: 224,
            classes: 1000,
            dropout: 0.0,
        }
    }

    /// Returns `floor(width * channels)`.
    fn scaled(&self, channels: usize) -> usize {
        (channels as f64 * self.width) as usize
    }

    /// Builds the network with `activation` after every convolution.
    pub(crate) fn init_with(&self, activation: Activation, device: &Device) -> MobileNetV1 {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let mut input = self.scaled(STEM);
        let stem = ConvBlockConfig {
            stride: 2,
            activation,
            ..ConvBlockConfig::new([3, input], 3)
        };
        let mut blocks = Vec::with_capacity(BLOCKS.len());
        for (channels, stride) in BLOCKS {
            let output = self.scaled(channels);
            let channels = [input, output];
            blocks.push(DepthwiseSeparable::new(
                channels, stride, activation, device,
            ));
            input = output;
        }
        MobileNetV1 {
            stem: stem.init(device),
            blocks,
            dropout: DropoutConfig::new(self.dropout).init(),
            fc: head::linear(input, self.classes, device),
        }
    }
}

impl NetworkConfig for MobileNetV1Config {
    type Network = MobileNetV1;

    fn variants() -> Vec<Variant<Self>> {
        [
            ("mobilenet-v1", 1.0),
            ("mobilenet-v1-0.75", 0.75),
            ("mobilenet-v1-0.5", 0.5),
            ("mobilenet-v1-0.25", 0.25),
        ]
        .map(|(name, width)| Variant {
            name,
            config: Self::mobilenet_v1(width),
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("mobilenet-v1-imagenet.toml"),
            labels: LabelSet::Imagenet1k,
            preprocessing: Preprocessing::IMAGENET,
            checkpoints: &[],
        })
        .into()
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
            (1.0 / STEM as f64..=16.0).contains(&self.width),
            "width",
            self.width,
            "from 1/32 to 16",
        )?;
        head::check(self.resolution, self.classes, self.dropout)
    }

    fn build(&self, device: &Device) -> MobileNetV1 {
        self.init_with(Activation::Relu, device)
    }
}

/// MobileNet v1 (Table 1): a stem, thirteen depthwise separable blocks, a classifier.
///
/// The paper specifies no initialisation. Initial weights are those of torchvision's MobileNetV2:
/// He's normal initialisation over the fan out for convolutions, normal with standard deviation
/// 0.01 for the classifier.
#[derive(Module, Debug)]
pub struct MobileNetV1 {
    /// 3x3 convolution of stride 2.
    pub stem: ConvBlock,
    /// The thirteen blocks, in the order of Table 1.
    pub blocks: Vec<DepthwiseSeparable>,
    /// The dropout before the classifier.
    pub dropout: Dropout,
    /// The classifier of the mean of each map.
    pub fc: Linear,
}

impl MobileNetV1 {
    /// Computes the output of the last block, and calls `visit` with the output of each stage in
    /// order.
    fn trunk(&self, images: Tensor<4>, mut visit: impl FnMut(&Tensor<4>)) -> Tensor<4> {
        let mut x = self.stem.forward(images);
        visit(&x);
        let mut blocks = self.blocks.iter();
        for length in STAGE_LENGTHS {
            x = blocks
                .by_ref()
                .take(length)
                .fold(x, |x, block| block.forward(x));
            visit(&x);
        }
        x
    }
}

impl Network for MobileNetV1 {
    const HEAD: &'static [&'static str] = &["fc"];

    const STAGES: &'static [Stage] = &[
        Stage::new("stem", &["stem"]),
        Stage::new("stage1", &["blocks.0"]),
        Stage::new("stage2", &["blocks.1", "blocks.2"]),
        Stage::new("stage3", &["blocks.3", "blocks.4"]),
        Stage::new(
            "stage4",
            &[
                "blocks.5",
                "blocks.6",
                "blocks.7",
                "blocks.8",
                "blocks.9",
                "blocks.10",
            ],
        ),
        Stage::new("stage5", &["blocks.11", "blocks.12"]),
    ];

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        self.embed_maps(self.trunk(images, |_| ()))
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        head::means(maps)
    }

    fn classify(&self, means: Tensor<2>) -> Tensor<2> {
        fully_connected(&self.fc, self.dropout.forward(means))
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut maps = Vec::with_capacity(Self::STAGES.len());
        self.trunk(images, |x| maps.push(x.clone()));
        maps
    }

    fn with_new_heads(self, classes: usize) -> Self {
        let fc = head::with_classes(&self.fc, classes);
        Self { fc, ..self }
    }

    /// Returns names such as `blocks.0.depthwise.weight` for a convolution and
    /// `blocks.0.depthwise_bn.weight` for its norm.
    fn reference_name(path: &str) -> String {
        path.replace(".conv.", ".").replace(".bn.", "_bn.")
    }
}
