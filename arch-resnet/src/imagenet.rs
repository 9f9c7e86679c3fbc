//! The residual networks for ImageNet (Table 1).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, conv_norm, fully_connected, max_pool};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::checkpoints;
use crate::conv::{conv, norm};
use crate::head;
use crate::paper::PAPER;
use crate::residual_block::{BasicBlock, Block, BlockKind, Bottleneck, StrideOn};
use crate::shortcut::Shortcut;

/// Channels of the 3x3 convolutions of conv2_x to conv5_x.
const WIDTHS: [usize; 4] = [64, 128, 256, 512];

/// Strides of the first blocks of conv2_x to conv5_x. The max pool already halves the maps of
/// conv2_x.
const STRIDES: [usize; 4] = [1, 2, 2, 2];

/// Hyperparameters of a [`ResNet`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResNetConfig {
    /// The block of all stages.
    pub block: BlockKind,
    /// Blocks in conv2_x, conv3_x, conv4_x and conv5_x, from 1 to 256 each.
    pub blocks: [usize; 4],
    /// The shortcuts that change shape.
    pub shortcut: Shortcut,
    /// The convolution of a bottleneck that has the block's stride.
    pub stride_on: StrideOn,
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
}

impl ResNetConfig {
    /// 18 layers (Table 1, first column).
    pub fn resnet18() -> Self {
        Self::imagenet(BlockKind::Basic, [2, 2, 2, 2])
    }

    /// 34 layers (Table 1).
    pub fn resnet34() -> Self {
        Self::imagenet(BlockKind::Basic, [3, 4, 6, 3])
    }

    /// 50 layers (Table 1), strides on the 3x3 convolutions.
    pub fn resnet50() -> Self {
        Self::imagenet(BlockKind::Bottleneck, [3, 4, 6, 3])
    }

    /// 50 layers (Table 1), strides on the first 1x1 convolutions, as in the paper.
    pub fn resnet50_v1() -> Self {
        Self {
            stride_on: StrideOn::Conv1x1,
            ..Self::resnet50()
        }
    }

    /// 101 layers (Table 1), strides on the 3x3 convolutions.
    pub fn resnet101() -> Self {
        Self::imagenet(BlockKind::Bottleneck, [3, 4, 23, 3])
    }

    /// 152 layers (Table 1), strides on the 3x3 convolutions.
    pub fn resnet152() -> Self {
        Self::imagenet(BlockKind::Bottleneck, [3, 8, 36, 3])
    }

    fn imagenet(block: BlockKind, blocks: [usize; 4]) -> Self {
        Self {
            block,
            blocks,
            shortcut: Shortcut::ProjectWhenChanged,
            stride_on: StrideOn::Conv3x3,
            classes: 1000,
        }
    }

    /// Builds the blocks of stage `index`.
    fn stage(&self, index: usize, device: &Device) -> Vec<Block> {
        let expansion = self.block.expansion();
        let output = WIDTHS[index] * expansion;
        let mut input = match index {
            0 => WIDTHS[0],
            _ => WIDTHS[index - 1] * expansion,
        };
        let mut stride = STRIDES[index];
        (0..self.blocks[index])
            .map(|_| {
                let channels = [std::mem::replace(&mut input, output), output];
                let stride = std::mem::replace(&mut stride, 1);
                match self.block {
                    BlockKind::Basic => {
                        Block::Basic(BasicBlock::new(channels, stride, self.shortcut, device))
                    }
                    BlockKind::Bottleneck => Block::Bottleneck(Bottleneck::new(
                        channels,
                        stride,
                        self.stride_on,
                        self.shortcut,
                        device,
                    )),
                }
            })
            .collect()
    }
}

impl NetworkConfig for ResNetConfig {
    type Network = ResNet;

    fn variants() -> Vec<Variant<Self>> {
        let variant = |name, config, checkpoints: &'static [Checkpoint]| Variant {
            name,
            config,
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("resnet50-imagenet.toml"),
            labels: LabelSet::Imagenet1k,
            preprocessing: Preprocessing::IMAGENET,
            checkpoints,
        };
        vec![
            variant("resnet18", Self::resnet18(), checkpoints::RESNET18),
            variant("resnet34", Self::resnet34(), checkpoints::RESNET34),
            variant("resnet50", Self::resnet50(), checkpoints::RESNET50),
            variant("resnet50-v1", Self::resnet50_v1(), &[]),
            variant("resnet101", Self::resnet101(), checkpoints::RESNET101),
            variant("resnet152", Self::resnet152(), checkpoints::RESNET152),
        ]
    }

    /// Any image size is valid: every layer pads, so a map of one pixel stays a map of one pixel.
    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: 224,
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
            self.blocks.iter().all(|count| (1..=256).contains(count)),
            "blocks",
            format!("{:?}", self.blocks),
            "four counts from 1 to 256",
        )?;
        InvalidConfig::unless_classes(self.classes)
    }

    fn build(&self, device: &Device) -> ResNet {
        ResNet {
            conv1: conv([3, WIDTHS[0]], 7, 2, device),
            bn1: norm(WIDTHS[0], device),
            maxpool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            layer1: self.stage(0, device),
            layer2: self.stage(1, device),
            layer3: self.stage(2, device),
            layer4: self.stage(3, device),
            fc: head::linear(WIDTHS[3] * self.block.expansion(), self.classes, device),
        }
    }
}

/// A residual network for ImageNet (Table 1).
#[derive(Module, Debug)]
pub struct ResNet {
    /// conv1: 7x7 convolution of stride 2.
    pub conv1: Conv2d,
    /// The norm of `conv1`; a ReLU follows.
    pub bn1: BatchNorm,
    /// 3x3 max pool of stride 2, part of conv2_x in Table 1.
    pub maxpool: MaxPool2d,
    /// The blocks of conv2_x.
    pub layer1: Vec<Block>,
    /// The blocks of conv3_x.
    pub layer2: Vec<Block>,
    /// The blocks of conv4_x.
    pub layer3: Vec<Block>,
    /// The blocks of conv5_x.
    pub layer4: Vec<Block>,
    /// The classifier of the mean of each map.
    pub fc: Linear,
}

impl ResNet {
    /// Computes the output of the last stage, and calls `visit` with the output of each stage in
    /// order.
    fn trunk(&self, images: Tensor<4>, mut visit: impl FnMut(&Tensor<4>)) -> Tensor<4> {
        let x = conv_norm(&self.conv1, Some(&self.bn1), Activation::Relu, images);
        visit(&x);
        let mut x = max_pool(&self.maxpool, x);
        for stage in [&self.layer1, &self.layer2, &self.layer3, &self.layer4] {
            x = stage.iter().fold(x, |x, block| block.forward(x));
            visit(&x);
        }
        x
    }
}

impl Network for ResNet {
    const HEAD: &'static [&'static str] = &["fc"];

    const STAGES: &'static [Stage] = &[
        Stage::new("conv1", &["conv1", "bn1"]),
        Stage::new("conv2_x", &["layer1"]),
        Stage::new("conv3_x", &["layer2"]),
        Stage::new("conv4_x", &["layer3"]),
        Stage::new("conv5_x", &["layer4"]),
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
