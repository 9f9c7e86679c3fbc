//! AlexNet as in torchvision.

use burn::module::Module;
use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2dConfig};
use burn::nn::{DropoutConfig, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{MapLayer, VectorLayer, map_layers, vector_layers};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Paper, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{Checkpoint, Source};
use serde::{Deserialize, Serialize};

/// Hyperparameters of an [`AlexNetTorchvision`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlexNetTorchvisionConfig {
    /// Width of the first two fully connected layers, from 1 to 1,000,000.
    pub hidden: usize,
    /// Probability that training sets an input of these layers to zero, at least 0 and below 1.
    pub dropout: f64,
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
}

/// Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014.
const PAPER: Paper = Paper {
    authors: "Krizhevsky",
    title: "One weird trick for parallelizing convolutional neural networks",
    year: 2014,
};

/// torchvision's weights.
const CHECKPOINTS: &[Checkpoint] = &[Checkpoint {
    tag: "IMAGENET1K_V1",
    source: Source::Torchvision,
    url: "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    sha256: "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    parameters: 61_100_840,
    top1: 56.522,
    top5: 79.066,
    preprocessing: Preprocessing::IMAGENET,
}];

impl AlexNetTorchvisionConfig {
    /// torchvision's `alexnet`: 61,100,840 parameters.
    pub fn alexnet_torchvision() -> Self {
        Self {
            hidden: 4096,
            dropout: 0.5,
            classes: 1000,
        }
    }
}

impl NetworkConfig for AlexNetTorchvisionConfig {
    type Network = AlexNetTorchvision;

    fn variants() -> Vec<Variant<Self>> {
        vec![Variant {
            name: "alexnet-torchvision",
            config: Self::alexnet_torchvision(),
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("alexnet-imagenet.toml"),
            labels: LabelSet::Imagenet1k,
            preprocessing: Preprocessing::IMAGENET,
            checkpoints: CHECKPOINTS,
        }]
    }

    /// The smallest image is 63x63 pixels: the last pool needs 3 pixels, the pools before it 7 and
    /// 15, and the first convolution `4 * (15 - 1) + 11 - 2 * 2 = 63`.
    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: 224,
            accepts: Sizes::AtLeast(63),
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
            hidden,
            dropout,
            classes,
        } = *self;
        InvalidConfig::unless(
            (1..=1_000_000).contains(&hidden),
            "hidden",
            hidden,
            "from 1 to 1,000,000",
        )?;
        InvalidConfig::unless_probability("dropout", dropout)?;
        InvalidConfig::unless_classes(classes)
    }

    fn build(&self, device: &Device) -> AlexNetTorchvision {
        let conv = |channels, kernel, stride, padding: usize| {
            let p = padding;
            MapLayer::Conv(
                Conv2dConfig::new(channels, [kernel, kernel])
                    .with_stride([stride, stride])
                    .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                    .init(device),
            )
        };
        let pool = || MapLayer::MaxPool(MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).init());
        let dropout = || VectorLayer::Dropout(DropoutConfig::new(self.dropout).init());
        let hidden = self.hidden;
        AlexNetTorchvision {
            features: vec![
                conv([3, 64], 11, 4, 2),
                MapLayer::Relu(Relu),
                pool(),
                conv([64, 192], 5, 1, 2),
                MapLayer::Relu(Relu),
                pool(),
                conv([192, 384], 3, 1, 1),
                MapLayer::Relu(Relu),
                conv([384, 256], 3, 1, 1),
                MapLayer::Relu(Relu),
                conv([256, 256], 3, 1, 1),
                MapLayer::Relu(Relu),
                pool(),
            ],
            avgpool: AdaptiveAvgPool2dConfig::new([6, 6]).init(),
            classifier: vec![
                dropout(),
                linear(256 * 6 * 6, hidden, device),
                VectorLayer::Relu(Relu),
                dropout(),
                linear(hidden, hidden, device),
                VectorLayer::Relu(Relu),
                linear(hidden, self.classes, device),
            ],
        }
    }
}

/// Builds a fully connected layer with Burn's default initialisation.
fn linear(inputs: usize, outputs: usize, device: &Device) -> VectorLayer {
    VectorLayer::Linear(LinearConfig::new(inputs, outputs).init(device))
}

/// The indices of the layers in `features` that end a stage.
const STAGE_ENDS: [usize; 5] = [2, 5, 7, 9, 12];

/// The index of the layer in `classifier` that computes the class scores.
const LAST: usize = 6;

/// AlexNet with the layer widths of its one-GPU successor (Krizhevsky: One weird trick for
/// parallelizing convolutional neural networks, 2014).
///
/// The network has no normalization, dropout before the fully connected layers, and a mean pool to
/// 6x6, which makes any image of at least 63x63 pixels valid.
///
/// Weights and biases start uniform in `±1 / sqrt(fan_in)`, as in torchvision.
#[derive(Module, Debug)]
pub struct AlexNetTorchvision {
    /// The convolutions, ReLUs and max pools.
    pub features: Vec<MapLayer>,
    /// The mean pool to 256 maps of 6x6.
    pub avgpool: AdaptiveAvgPool2d,
    /// The dropouts, fully connected layers and ReLUs.
    pub classifier: Vec<VectorLayer>,
}

impl Network for AlexNetTorchvision {
    const HEAD: &'static [&'static str] = &["classifier.6"];

    const STAGES: &'static [Stage] = &[
        Stage::new("conv1", &["features.0"]),
        Stage::new("conv2", &["features.3"]),
        Stage::new("conv3", &["features.6"]),
        Stage::new("conv4", &["features.8"]),
        Stage::new("conv5", &["features.10"]),
    ];

    /// Maps `[batch, 3, height, width]`, height and width at least 63, to the input of the last fully
    /// connected layer, `[batch, 4096]`.
    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        self.embed_maps(map_layers(&self.features, images))
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        let values = self.avgpool.forward(maps).flatten(1, 3);
        vector_layers(&self.classifier[..LAST], values)
    }

    fn classify(&self, embeddings: Tensor<2>) -> Tensor<2> {
        vector_layers(&self.classifier[LAST..], embeddings)
    }

    /// Maps `[batch, 3, 224, 224]` to five feature maps, each the input of the next layer:
    /// `[batch, 64, 27, 27]`, `[batch, 192, 13, 13]`, `[batch, 384, 13, 13]`,
    /// `[batch, 256, 13, 13]` and `[batch, 256, 6, 6]`.
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = images;
        let mut stages = Vec::new();
        for (index, layer) in self.features.iter().enumerate() {
            x = layer.forward(x);
            if STAGE_ENDS.contains(&index) {
                stages.push(x.clone());
            }
        }
        stages
    }

    fn with_new_heads(mut self, classes: usize) -> Self {
        if let Some(VectorLayer::Linear(last)) = self.classifier.pop() {
            let [hidden, _] = last.weight.lazy_shape().dims();
            let device = last.weight.lazy_device();
            self.classifier.push(linear(hidden, classes, &device));
        }
        self
    }
}
