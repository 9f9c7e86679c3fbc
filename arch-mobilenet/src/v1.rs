//! MobileNet v1 (Table 1 of MobileNets).

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig};
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use serde::{Deserialize, Serialize};

use crate::depthwise_separable::DepthwiseSeparable;
use crate::head;

/// Output channels of the stem.
const STEM: usize = 32;

/// Output channels and stride of each block: the rows of Table 1 in pairs. The table prints a
/// stride of 2 for the last depthwise convolution as well; the sizes beside it need 1.
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

/// Blocks whose maps are of one size: 112x112, 56x56, 28x28, 14x14, 7x7.
pub(crate) const STAGE_LENGTHS: [usize; 5] = [1, 2, 2, 6, 2];

/// Hyperparameters of a [`MobileNetV1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileNetV1Config {
    /// The width multiplier alpha (section 3.3): every layer has `floor(alpha * channels)`; from
    /// 1/32, one channel in the stem, to 16.
    pub width: f64,
    /// Height and width of the images in pixels: 224 times the resolution multiplier rho (section
    /// 3.4). No layer depends on it; from 1 to 65,536.
    pub resolution: usize,
    /// Classes that the head tells apart, from 1 to 1,000,000.
    pub classes: usize,
    /// Probability of dropping a mean before the classifier in training, at least 0 and below 1.
    /// Table 1 has no dropout.
    pub dropout: f64,
}

impl MobileNetV1Config {
    /// Table 1 with the width multiplier `width`, for images of 224x224. The paper reports 1, 0.75,
    /// 0.5 and 0.25 (Table 6).
    pub fn mobilenet_v1(width: f64) -> Self {
        Self {
            width,
            resolution: 224,
            classes: 1000,
            dropout: 0.0,
        }
    }

    fn scaled(&self, channels: usize) -> usize {
        (channels as f64 * self.width) as usize
    }

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
            checkpoints: &[],
        })
        .into()
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
            (1.0 / STEM as f64..=16.0).contains(&self.width),
            "width",
            self.width,
            "from 1/32 to 16",
        )?;
        head::check(self.resolution, self.classes, self.dropout)
    }

    fn init(&self, device: &Device) -> MobileNetV1 {
        self.init_with(Activation::Relu, device)
    }
}

/// MobileNet v1 (Table 1): a stem, thirteen depthwise separable blocks, a classifier.
///
/// The paper names no initialisation; convolutions start from He's normal one over the fan out,
/// the classifier from a normal one of deviation 0.01, as torchvision starts MobileNetV2.
#[derive(Module, Debug)]
pub struct MobileNetV1 {
    /// 3x3, stride 2.
    pub stem: ConvBlock,
    /// Thirteen blocks.
    pub blocks: Vec<DepthwiseSeparable>,
    /// Before the classifier.
    pub dropout: Dropout,
    /// From the average over each map to the classes.
    pub fc: Linear,
}

impl MobileNetV1 {
    /// The last block's maps, after showing those of every stage to `seen`.
    fn trunk(&self, images: Tensor<4>, mut seen: impl FnMut(&Tensor<4>)) -> Tensor<4> {
        let mut x = self.stem.forward(images);
        seen(&x);
        let mut blocks = self.blocks.iter();
        for length in STAGE_LENGTHS {
            x = blocks.by_ref().take(length).fold(x, |x, b| b.forward(x));
            seen(&x);
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

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        head::forward(&self.dropout, &self.fc, self.trunk(images, |_| ()))
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut maps = Vec::with_capacity(Self::STAGES.len());
        self.trunk(images, |x| maps.push(x.clone()));
        maps
    }

    fn with_classes(self, classes: usize) -> Self {
        let fc = head::replaced(&self.fc, classes);
        Self { fc, ..self }
    }

    /// `blocks.0.depthwise.weight` for the convolution, `blocks.0.depthwise_bn.weight` for its norm.
    fn reference_name(path: &str) -> String {
        path.replace(".conv.", ".").replace(".bn.", "_bn.")
    }
}
