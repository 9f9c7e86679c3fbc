//! The hyperparameters of VGG: the columns of Table 1.

use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::{AdaptiveAvgPool2dConfig, MaxPool2dConfig};
use burn::nn::{BatchNormConfig, DropoutConfig, Initializer, PaddingConfig2d, Relu};
use burn::tensor::Device;
use receptive_layers::block::{MapLayer, VectorLayer, init};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{InputSpec, InvalidConfig, NetworkConfig, Paper, Sizes, Variant};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

use crate::checkpoints;
use crate::vgg::{Vgg, linear};

/// Hyperparameters of a [`Vgg`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VggConfig {
    /// Output channels of the 3x3 convolutions of each stage. A stage has at least one convolution
    /// and ends with a 2x2 max pool.
    pub stages: [Vec<usize>; 5],
    /// Whether batch norm follows each convolution.
    pub batch_norm: bool,
    /// Width of the first two fully connected layers, from 1 to 1,000,000.
    pub hidden: usize,
    /// Probability that training sets a value of these layers to zero, at least 0 and below 1.
    pub dropout: f64,
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
}

/// Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014.
const PAPER: Paper = Paper {
    authors: "Simonyan and Zisserman",
    title: "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    year: 2014,
};

/// A column of Table 1: the output channels of the convolutions of each stage.
type Column = [&'static [usize]; 5];

const A: Column = [&[64], &[128], &[256; 2], &[512; 2], &[512; 2]];
const B: Column = [&[64; 2], &[128; 2], &[256; 2], &[512; 2], &[512; 2]];
const D: Column = [&[64; 2], &[128; 2], &[256; 3], &[512; 3], &[512; 3]];
const E: Column = [&[64; 2], &[128; 2], &[256; 4], &[512; 4], &[512; 4]];

impl VggConfig {
    /// Column A, 11 weight layers: 132,863,336 parameters.
    pub fn vgg11() -> Self {
        Self::column(A, false)
    }

    /// Column A with batch norm: 132,868,840 parameters.
    pub fn vgg11_bn() -> Self {
        Self::column(A, true)
    }

    /// Column B, 13 weight layers: 133,047,848 parameters.
    pub fn vgg13() -> Self {
        Self::column(B, false)
    }

    /// Column B with batch norm: 133,053,736 parameters.
    pub fn vgg13_bn() -> Self {
        Self::column(B, true)
    }

    /// Column D, 16 weight layers: 138,357,544 parameters.
    pub fn vgg16() -> Self {
        Self::column(D, false)
    }

    /// Column D with batch norm: 138,365,992 parameters.
    pub fn vgg16_bn() -> Self {
        Self::column(D, true)
    }

    /// Column E, 19 weight layers: 143,667,240 parameters.
    pub fn vgg19() -> Self {
        Self::column(E, false)
    }

    /// Column E with batch norm: 143,678,248 parameters.
    pub fn vgg19_bn() -> Self {
        Self::column(E, true)
    }

    fn column(column: Column, batch_norm: bool) -> Self {
        Self {
            stages: column.map(<[usize]>::to_vec),
            batch_norm,
            hidden: 4096,
            dropout: 0.5,
            classes: 1000,
        }
    }
}

impl NetworkConfig for VggConfig {
    type Network = Vgg;

    fn variants() -> Vec<Variant<Self>> {
        [
            ("vgg11", Self::vgg11(), checkpoints::VGG11),
            ("vgg11-bn", Self::vgg11_bn(), checkpoints::VGG11_BN),
            ("vgg13", Self::vgg13(), checkpoints::VGG13),
            ("vgg13-bn", Self::vgg13_bn(), checkpoints::VGG13_BN),
            ("vgg16", Self::vgg16(), checkpoints::VGG16),
            ("vgg16-bn", Self::vgg16_bn(), checkpoints::VGG16_BN),
            ("vgg19", Self::vgg19(), checkpoints::VGG19),
            ("vgg19-bn", Self::vgg19_bn(), checkpoints::VGG19_BN),
        ]
        .map(|(name, config, checkpoints)| Variant {
            name,
            config,
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("vgg16-imagenet.toml"),
            labels: LabelSet::Imagenet1k,
            preprocessing: Preprocessing::IMAGENET,
            checkpoints,
        })
        .into()
    }

    /// The smallest image is 32x32 pixels, which five pools halve to 1x1.
    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: 224,
            accepts: Sizes::AtLeast(32),
        }
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    fn validate(&self) -> Result<(), InvalidConfig> {
        let Self {
            stages,
            hidden,
            dropout,
            classes,
            ..
        } = self;
        InvalidConfig::unless(
            stages
                .iter()
                .all(|stage| !stage.is_empty() && !stage.contains(&0)),
            "stages",
            format!("{stages:?}"),
            "five lists of at least one number of at least 1",
        )?;
        InvalidConfig::unless(
            (1..=1_000_000).contains(hidden),
            "hidden",
            hidden,
            "from 1 to 1,000,000",
        )?;
        InvalidConfig::unless_probability("dropout", *dropout)?;
        InvalidConfig::unless_classes(*classes)
    }

    fn build(&self, device: &Device) -> Vgg {
        let mut features = Vec::new();
        let mut channels = 3;
        for stage in &self.stages {
            for &width in stage {
                let conv = Conv2dConfig::new([channels, width], [3, 3])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .with_initializer(Initializer::KaimingNormal {
                        gain: std::f64::consts::SQRT_2,
                        fan_out_only: true,
                    });
                features.push(MapLayer::Conv(init::conv2d(&conv, 0.0, device)));
                if self.batch_norm {
                    features.push(MapLayer::Norm(BatchNormConfig::new(width).init(device)));
                }
                features.push(MapLayer::Relu(Relu));
                channels = width;
            }
            features.push(MapLayer::MaxPool(MaxPool2dConfig::new([2, 2]).init()));
        }
        let dropout = || VectorLayer::Dropout(DropoutConfig::new(self.dropout).init());
        let hidden = self.hidden;
        Vgg {
            features,
            avgpool: AdaptiveAvgPool2dConfig::new([7, 7]).init(),
            classifier: vec![
                linear(channels * 7 * 7, hidden, device),
                VectorLayer::Relu(Relu),
                dropout(),
                linear(hidden, hidden, device),
                VectorLayer::Relu(Relu),
                dropout(),
                linear(hidden, self.classes, device),
            ],
        }
    }
}
