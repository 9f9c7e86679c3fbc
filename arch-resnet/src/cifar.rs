//! The residual networks for CIFAR-10 (section 4.2).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, conv_norm, fully_connected};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

use crate::conv::{conv, norm};
use crate::head;
use crate::paper::PAPER;
use crate::residual_block::BasicBlock;
use crate::shortcut::Shortcut;

/// Channels of the stages, whose maps are 32x32, 16x16 and 8x8.
const WIDTHS: [usize; 3] = [16, 32, 64];

/// Hyperparameters of a [`CifarResNet`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CifarResNetConfig {
    /// Number of layers with weights: `6n + 2` for `n` blocks per stage, `n` from 1 to 200.
    pub depth: usize,
    /// The shortcuts that change shape; the paper uses option A for CIFAR-10.
    pub shortcut: Shortcut,
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
}

impl CifarResNetConfig {
    /// 20 layers, n = 3: 8.75 % error on CIFAR-10 (Table 6).
    pub fn resnet20() -> Self {
        Self::cifar(20)
    }

    /// 32 layers, n = 5: 7.51 % error (Table 6).
    pub fn resnet32() -> Self {
        Self::cifar(32)
    }

    /// 44 layers, n = 7: 7.17 % error (Table 6).
    pub fn resnet44() -> Self {
        Self::cifar(44)
    }

    /// 56 layers, n = 9: 6.97 % error (Table 6).
    pub fn resnet56() -> Self {
        Self::cifar(56)
    }

    /// 110 layers, n = 18: 6.43 % error (Table 6).
    pub fn resnet110() -> Self {
        Self::cifar(110)
    }

    fn cifar(depth: usize) -> Self {
        Self {
            depth,
            shortcut: Shortcut::ZeroPad,
            classes: 10,
        }
    }

    /// Builds the blocks of stage `index`; the first block of stages 1 and 2 has stride 2.
    fn stage(&self, index: usize, device: &Device) -> Vec<BasicBlock> {
        let output = WIDTHS[index];
        let first = match index {
            0 => BasicBlock::new([WIDTHS[0], output], 1, self.shortcut, device),
            _ => BasicBlock::new([WIDTHS[index - 1], output], 2, self.shortcut, device),
        };
        let n = (self.depth - 2) / 6;
        let rest = (1..n).map(|_| BasicBlock::new([output, output], 1, self.shortcut, device));
        std::iter::once(first).chain(rest).collect()
    }
}

impl NetworkConfig for CifarResNetConfig {
    type Network = CifarResNet;

    fn variants() -> Vec<Variant<Self>> {
        [
            ("resnet20-cifar", Self::resnet20()),
            ("resnet32-cifar", Self::resnet32()),
            ("resnet44-cifar", Self::resnet44()),
            ("resnet56-cifar", Self::resnet56()),
            ("resnet110-cifar", Self::resnet110()),
        ]
        .map(|(name, config)| Variant {
            name,
            config,
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("resnet20-cifar10.toml"),
            labels: LabelSet::Cifar10,
            preprocessing: Preprocessing::CIFAR_10,
            checkpoints: &[],
        })
        .into()
    }

    /// Any image size is valid: every convolution pads, so a map of one pixel stays a map of one
    /// pixel.
    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: 32,
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
            (8..=1202).contains(&self.depth) && self.depth % 6 == 2,
            "depth",
            self.depth,
            "6n + 2 with n from 1 to 200",
        )?;
        InvalidConfig::unless_classes(self.classes)
    }

    fn build(&self, device: &Device) -> CifarResNet {
        CifarResNet {
            conv1: conv([3, WIDTHS[0]], 3, 1, device),
            bn1: norm(WIDTHS[0], device),
            layer1: self.stage(0, device),
            layer2: self.stage(1, device),
            layer3: self.stage(2, device),
            fc: head::linear(WIDTHS[2], self.classes, device),
        }
    }
}

/// A residual network for images of 32x32 pixels (section 4.2).
#[derive(Module, Debug)]
pub struct CifarResNet {
    /// 3x3 convolution to 16 channels.
    pub conv1: Conv2d,
    /// The norm of `conv1`; a ReLU follows.
    pub bn1: BatchNorm,
    /// conv2_x: 16 channels, maps of 32x32.
    pub layer1: Vec<BasicBlock>,
    /// conv3_x: 32 channels, maps of 16x16.
    pub layer2: Vec<BasicBlock>,
    /// conv4_x: 64 channels, maps of 8x8.
    pub layer3: Vec<BasicBlock>,
    /// The classifier of the mean of each map.
    pub fc: Linear,
}

impl CifarResNet {
    /// Computes the output of the last stage, and calls `visit` with the output of each stage in
    /// order.
    fn trunk(&self, images: Tensor<4>, mut visit: impl FnMut(&Tensor<4>)) -> Tensor<4> {
        let mut x = conv_norm(&self.conv1, Some(&self.bn1), Activation::Relu, images);
        visit(&x);
        for stage in [&self.layer1, &self.layer2, &self.layer3] {
            x = stage.iter().fold(x, |x, block| block.forward(x));
            visit(&x);
        }
        x
    }
}

impl Network for CifarResNet {
    const HEAD: &'static [&'static str] = &["fc"];

    const STAGES: &'static [Stage] = &[
        Stage::new("conv1", &["conv1", "bn1"]),
        Stage::new("conv2_x", &["layer1"]),
        Stage::new("conv3_x", &["layer2"]),
        Stage::new("conv4_x", &["layer3"]),
    ];

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        self.embed_maps(self.trunk(images, |_| ()))
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        head::means(maps)
    }

    fn classify(&self, means: Tensor<2>) -> Tensor<2> {
        fully_connected(&self.fc, means)
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
}
