//! Small networks that cover every kind of layer.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig, LocalResponseNorm};

/// Returns a CPU device, whatever other backends are enabled.
pub fn cpu() -> Device {
    #[cfg(feature = "flex")]
    return Device::flex();
    #[cfg(not(feature = "flex"))]
    #[allow(deprecated)]
    return Device::ndarray();
}

/// Returns a convolution whose padding keeps the height and width.
pub fn conv(channels: [usize; 2], kernel: usize, device: &Device) -> Conv2d {
    let p = kernel / 2;
    Conv2dConfig::new(channels, [kernel; 2])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .init(device)
}

pub fn max_pool(kernel: usize, stride: usize) -> MaxPool2d {
    MaxPool2dConfig::new([kernel; 2])
        .with_strides([stride; 2])
        .init()
}

/// A basic residual block with the parameter names of torchvision's ResNets.
#[derive(Module, Debug)]
pub struct Basic {
    pub conv1: Conv2d,
    pub bn1: BatchNorm,
    pub conv2: Conv2d,
    pub bn2: BatchNorm,
    pub downsample: Option<(Conv2d, BatchNorm)>,
}

impl Basic {
    pub fn init([from, to]: [usize; 2], device: &Device) -> Self {
        let norm = || BatchNormConfig::new(to).init(device);
        Self {
            conv1: conv([from, to], 3, device),
            bn1: norm(),
            conv2: conv([to, to], 3, device),
            bn2: norm(),
            downsample: (from != to).then(|| (conv([from, to], 1, device), norm())),
        }
    }

    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = activation::relu(self.bn1.forward(self.conv1.forward(x.clone())));
        let y = self.bn2.forward(self.conv2.forward(y));
        let x = match &self.downsample {
            Some((conv, norm)) => norm.forward(conv.forward(x)),
            None => x,
        };
        activation::relu(y + x)
    }
}

/// A ResNet of two basic blocks.
#[derive(Module, Debug)]
pub struct Residual {
    pub conv1: Conv2d,
    pub bn1: BatchNorm,
    pub maxpool: MaxPool2d,
    pub layer1: Vec<Basic>,
    pub fc: Linear,
}

impl Residual {
    pub fn init(device: &Device) -> Self {
        Self {
            conv1: conv([3, 4], 3, device),
            bn1: BatchNormConfig::new(4).init(device),
            maxpool: max_pool(3, 2),
            layer1: vec![Basic::init([4, 8], device), Basic::init([8, 8], device)],
            fc: LinearConfig::new(8, 5).init(device),
        }
    }

    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = activation::relu(self.bn1.forward(self.conv1.forward(images)));
        let mut x = self.maxpool.forward(x);
        for block in &self.layer1 {
            x = block.forward(x);
        }
        let [batch, channels, ..] = x.dims();
        let mean = x.mean_dim(3).mean_dim(2).reshape([batch, channels]);
        self.fc.forward(mean)
    }
}

/// A network with the layers of GoogLeNet and MobileNet: branches, depthwise convolutions, ReLU6
/// and local response normalization.
#[derive(Module, Debug)]
pub struct Branches {
    pub stem: ConvBlock,
    pub lrn: LocalResponseNorm,
    pub pool: MaxPool2d,
    pub mixed: Mixed,
    pub separable: Vec<ConvBlock>,
    pub classifier: Linear,
}

/// Three branches and a pool, concatenated along the channels.
#[derive(Module, Debug)]
pub struct Mixed {
    pub branch1: ConvBlock,
    pub branch2: Vec<ConvBlock>,
    pub branch3: ConvBlock,
    pub pool: MaxPool2d,
}

impl Branches {
    pub fn init(device: &Device) -> Self {
        let block = |channels, kernel| ConvBlockConfig::new(channels, kernel).init(device);
        let relu6 = |groups, channels, kernel, stride| {
            ConvBlockConfig {
                groups,
                stride,
                activation: Activation::Relu6,
                ..ConvBlockConfig::new(channels, kernel)
            }
            .init(device)
        };
        let plain = ConvBlockConfig {
            norm: None,
            ..ConvBlockConfig::new([3, 6], 3)
        };
        Self {
            stem: plain.init(device),
            lrn: LocalResponseNorm::default(),
            pool: max_pool(2, 2),
            mixed: Mixed {
                branch1: block([6, 2], 1),
                branch2: vec![block([6, 3], 1), block([3, 4], 3)],
                branch3: block([6, 2], 1),
                pool: MaxPool2dConfig::new([3, 3])
                    .with_strides([1, 1])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .init(),
            },
            separable: vec![relu6(8, [8, 8], 3, 2), relu6(1, [8, 12], 1, 1)],
            classifier: LinearConfig::new(12 * 9, 7).init(device),
        }
    }

    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self
            .pool
            .forward(self.lrn.forward(self.stem.forward(images)));
        let mixed = &self.mixed;
        let mut second = x.clone();
        for block in &mixed.branch2 {
            second = block.forward(second);
        }
        let branches = vec![
            mixed.branch1.forward(x.clone()),
            second,
            mixed.branch3.forward(mixed.pool.forward(x)),
        ];
        let mut x = Tensor::cat(branches, 1);
        for block in &self.separable {
            x = block.forward(x);
        }
        self.classifier.forward(x.flatten(1, 3))
    }
}
