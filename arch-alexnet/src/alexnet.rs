//! AlexNet as in its paper, except that each pool precedes its normalization.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{
    Activation, LocalResponseNorm, conv_norm, fully_connected, init, max_pool,
};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Paper, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

/// Hyperparameters of an [`AlexNet`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlexNetConfig {
    /// Groups of channels in conv2, conv4 and conv5, a divisor of 32. An output channel reads only
    /// the input channels of its group.
    pub groups: usize,
    /// Width of fc6 and of fc7, from 1 to 1,000,000.
    pub hidden: usize,
    /// Probability that training sets a value of fc6 or fc7 to zero, at least 0 and below 1.
    pub dropout: f64,
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
}

/// Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks,
/// 2012.
const PAPER: Paper = Paper {
    authors: "Krizhevsky et al.",
    title: "ImageNet Classification with Deep Convolutional Neural Networks",
    year: 2012,
};

impl AlexNetConfig {
    /// AlexNet without groups: 62,378,344 parameters.
    pub fn alexnet() -> Self {
        Self {
            groups: 1,
            hidden: 4096,
            dropout: 0.5,
            classes: 1000,
        }
    }

    /// AlexNet with two groups of channels in conv2, conv4 and conv5, one on each of the paper's
    /// two GPUs (section 3.2): 60,965,224 parameters.
    pub fn alexnet_grouped() -> Self {
        Self {
            groups: 2,
            ..Self::alexnet()
        }
    }
}

impl NetworkConfig for AlexNetConfig {
    type Network = AlexNet;

    fn variants() -> Vec<Variant<Self>> {
        [
            ("alexnet", Self::alexnet()),
            ("alexnet-grouped", Self::alexnet_grouped()),
        ]
        .map(|(name, config)| Variant {
            name,
            config,
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("alexnet-imagenet.toml"),
            labels: LabelSet::Imagenet1k,
            preprocessing: Preprocessing {
                crop: 227,
                ..Preprocessing::IMAGENET
            },
            checkpoints: &[],
        })
        .into()
    }

    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: 227,
            accepts: Sizes::Published,
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
            groups,
            hidden,
            dropout,
            classes,
        } = *self;
        // 32 is the greatest common divisor of the grouped layers' channel counts, 96, 256 and 384.
        let divides = groups != 0 && 32 % groups == 0;
        InvalidConfig::unless(divides, "groups", groups, "a divisor of 32")?;
        InvalidConfig::unless(
            (1..=1_000_000).contains(&hidden),
            "hidden",
            hidden,
            "from 1 to 1,000,000",
        )?;
        InvalidConfig::unless_probability("dropout", dropout)?;
        InvalidConfig::unless_classes(classes)
    }

    fn build(&self, device: &Device) -> AlexNet {
        let Self { groups, hidden, .. } = *self;
        let conv = |channels, kernel, padding: usize, stride, groups, bias| {
            let p = padding;
            let config = Conv2dConfig::new(channels, [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                .with_groups(groups)
                .with_initializer(NORMAL);
            init::conv2d(&config, bias, device)
        };
        AlexNet {
            conv1: conv([3, 96], 11, 0, 4, 1, 0.0),
            conv2: conv([96, 256], 5, 2, 1, groups, 1.0),
            conv3: conv([256, 384], 3, 1, 1, 1, 0.0),
            conv4: conv([384, 384], 3, 1, 1, groups, 1.0),
            conv5: conv([384, 256], 3, 1, 1, groups, 1.0),
            fc6: linear(256 * 6 * 6, hidden, 1.0, device),
            fc7: linear(hidden, hidden, 1.0, device),
            fc8: linear(hidden, self.classes, 0.0, device),
            pool: MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).init(),
            norm: LocalResponseNorm::default(),
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }
}

/// The initial distribution of the weights: zero mean, standard deviation 0.01 (section 5).
const NORMAL: Initializer = Initializer::Normal {
    mean: 0.0,
    std: 0.01,
};

/// Builds a fully connected layer, its biases at `bias` and its weights drawn from [`NORMAL`].
fn linear(inputs: usize, outputs: usize, bias: f64, device: &Device) -> Linear {
    let config = LinearConfig::new(inputs, outputs).with_initializer(NORMAL);
    init::linear(&config, bias, device)
}

/// AlexNet (Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural
/// Networks, 2012, section 3.5 and figure 2).
///
/// Each pool precedes its normalization, as courses teach the network; the paper normalizes first.
/// Images are 227x227 pixels, because an 11x11 kernel of stride 4 does not cover the paper's 224
/// pixels evenly.
///
/// Weights start normal with standard deviation 0.01. Biases start at 1 in conv2, conv4, conv5, fc6
/// and fc7, and at 0 in the other layers (section 5).
#[derive(Module, Debug)]
pub struct AlexNet {
    /// 11x11 convolution of stride 4 to 96 maps of 55x55.
    pub conv1: Conv2d,
    /// 5x5 convolution to 256 maps of 27x27.
    pub conv2: Conv2d,
    /// 3x3 convolution to 384 maps of 13x13.
    pub conv3: Conv2d,
    /// 3x3 convolution to 384 maps of 13x13.
    pub conv4: Conv2d,
    /// 3x3 convolution to 256 maps of 13x13.
    pub conv5: Conv2d,
    /// Fully connected layer from 256x6x6 to 4,096 values.
    pub fc6: Linear,
    /// Fully connected layer to 4,096 values.
    pub fc7: Linear,
    /// Fully connected layer to the class scores.
    pub fc8: Linear,
    /// The overlapping max pool after conv1, conv2 and conv5: 3x3, stride 2 (section 3.4).
    pub pool: MaxPool2d,
    /// The normalization after the first two pools (section 3.3).
    pub norm: LocalResponseNorm,
    /// The dropout after fc6 and fc7 in training (section 4.2).
    pub dropout: Dropout,
}

impl AlexNet {
    /// Computes the inputs of the layers after conv1 to conv5 (figure 2).
    fn stages(&self, images: Tensor<4>) -> [Tensor<4>; 5] {
        let conv_relu = |conv, x| conv_norm(conv, None, Activation::Relu, x);
        let conv1 = conv_relu(&self.conv1, images);
        let conv1 = self.norm.forward(max_pool(&self.pool, conv1));
        let conv2 = conv_relu(&self.conv2, conv1.clone());
        let conv2 = self.norm.forward(max_pool(&self.pool, conv2));
        let conv3 = conv_relu(&self.conv3, conv2.clone());
        let conv4 = conv_relu(&self.conv4, conv3.clone());
        let conv5 = max_pool(&self.pool, conv_relu(&self.conv5, conv4.clone()));
        [conv1, conv2, conv3, conv4, conv5]
    }
}

impl Network for AlexNet {
    const HEAD: &'static [&'static str] = &["fc8"];

    const STAGES: &'static [Stage] = &[
        Stage::new("conv1", &["conv1"]),
        Stage::new("conv2", &["conv2"]),
        Stage::new("conv3", &["conv3"]),
        Stage::new("conv4", &["conv4"]),
        Stage::new("conv5", &["conv5"]),
    ];

    /// Maps `[batch, 3, 227, 227]` to the output of fc7, `[batch, 4096]`.
    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        let [.., conv5] = self.stages(images);
        self.embed_maps(conv5)
    }

    /// Maps the output of conv5, `[batch, 256, 6, 6]`, to the output of fc7, `[batch, 4096]`.
    fn embed_maps(&self, conv5: Tensor<4>) -> Tensor<2> {
        let fc6 = relu(fully_connected(&self.fc6, conv5.flatten(1, 3)));
        relu(fully_connected(&self.fc7, self.dropout.forward(fc6)))
    }

    fn classify(&self, fc7: Tensor<2>) -> Tensor<2> {
        fully_connected(&self.fc8, self.dropout.forward(fc7))
    }

    /// Maps `[batch, 3, 227, 227]` to five feature maps, each the input of the next layer:
    /// `[batch, 96, 27, 27]`, `[batch, 256, 13, 13]`, `[batch, 384, 13, 13]`,
    /// `[batch, 384, 13, 13]` and `[batch, 256, 6, 6]`.
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.stages(images).to_vec()
    }

    fn with_new_heads(mut self, classes: usize) -> Self {
        let [hidden, _] = self.fc8.weight.lazy_shape().dims();
        let device = self.fc8.weight.lazy_device();
        self.fc8 = linear(hidden, classes, 0.0, &device);
        self
    }
}
