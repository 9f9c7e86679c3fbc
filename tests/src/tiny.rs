//! A network that only the tests have, as the crate of an architecture writes its own: a
//! configuration, a module and a recipe.

use burn::module::Module;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{ConvBlock, ConvBlockConfig, fully_connected, init, max_pool};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Paper, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

/// The names of the classes.
const LABELS: &[&str] = &[
    "black", "blue", "brown", "green", "grey", "pink", "purple", "red", "white", "yellow",
];

/// Channels of the stem, of the squeeze layer and of each expand layer.
const WIDTHS: [usize; 3] = [16, 8, 16];

/// Hyperparameters of a [`Tiny`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TinyConfig {
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
}

impl TinyConfig {
    /// The published network, for ten colours.
    pub fn tiny() -> Self {
        Self { classes: 10 }
    }
}

impl NetworkConfig for TinyConfig {
    type Network = Tiny;

    fn variants() -> Vec<Variant<Self>> {
        vec![Variant {
            name: "tiny",
            config: Self::tiny(),
            paper: Paper {
                authors: "Iandola et al.",
                title: "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB \
                        model size",
                year: 2016,
            },
            recipe: receptive_layers::recipe_file!("tiny.toml"),
            labels: LabelSet::Listed(LABELS),
            preprocessing: Preprocessing::CIFAR_10,
            checkpoints: &[],
        }]
    }

    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: 32,
            accepts: Sizes::AtLeast(8),
        }
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes }
    }

    fn validate(&self) -> Result<(), InvalidConfig> {
        InvalidConfig::unless_classes(self.classes)
    }

    fn build(&self, device: &Device) -> Tiny {
        let [stem, squeeze, expand] = WIDTHS;
        let plain = |channels, kernel| {
            let config = ConvBlockConfig {
                norm: None,
                ..ConvBlockConfig::new(channels, kernel)
            };
            config.init(device)
        };
        Tiny {
            stem: ConvBlockConfig::new([3, stem], 3).init(device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            squeeze: plain([stem, squeeze], 1),
            expand1x1: plain([squeeze, expand], 1),
            expand3x3: plain([squeeze, expand], 3),
            classifier: head(self.classes, device),
        }
    }
}

/// Builds the fully connected layer.
fn head(classes: usize, device: &Device) -> Linear {
    init::linear(&LinearConfig::new(2 * WIDTHS[2], classes), 0.0, device)
}

/// A convolution with batch norm, a max pool, a fire module (SqueezeNet, figure 1), the mean of each
/// map, and a fully connected layer.
#[derive(Module, Debug)]
pub struct Tiny {
    /// 3x3 convolution with batch norm.
    pub stem: ConvBlock,
    /// 2x2 max pool.
    pub pool: MaxPool2d,
    /// The fire module's 1x1 convolution to fewer channels.
    pub squeeze: ConvBlock,
    /// The fire module's 1x1 convolution to more channels.
    pub expand1x1: ConvBlock,
    /// The fire module's 3x3 convolution to more channels.
    pub expand3x3: ConvBlock,
    /// The head.
    pub classifier: Linear,
}

impl Tiny {
    /// Computes the outputs of the stem with its pool, and of the fire module.
    fn stages(&self, images: Tensor<4>) -> [Tensor<4>; 2] {
        let stem = max_pool(&self.pool, self.stem.forward(images));
        let squeezed = self.squeeze.forward(stem.clone());
        let expanded = vec![
            self.expand1x1.forward(squeezed.clone()),
            self.expand3x3.forward(squeezed),
        ];
        [stem, Tensor::cat(expanded, 1)]
    }
}

impl Network for Tiny {
    const HEAD: &'static [&'static str] = &["classifier"];

    const STAGES: &'static [Stage] = &[
        Stage::new("stem", &["stem", "pool"]),
        Stage::new("fire", &["squeeze", "expand1x1", "expand3x3"]),
    ];

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        let [_, fire] = self.stages(images);
        self.embed_maps(fire)
    }

    fn embed_maps(&self, fire: Tensor<4>) -> Tensor<2> {
        adaptive_avg_pool2d(fire, [1, 1]).flatten(1, 3)
    }

    fn classify(&self, embeddings: Tensor<2>) -> Tensor<2> {
        fully_connected(&self.classifier, embeddings)
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.stages(images).to_vec()
    }

    fn with_new_heads(mut self, classes: usize) -> Self {
        self.classifier = head(classes, &self.classifier.weight.lazy_device());
        self
    }
}
