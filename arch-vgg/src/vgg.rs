//! VGG: five stages of 3x3 convolutions, each ended by a max pool, and three fully connected
//! layers.

use burn::module::Module;
use burn::nn::pool::AdaptiveAvgPool2d;
use burn::nn::{Initializer, LinearConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{MapLayer, VectorLayer, init, map_layers, vector_layers};
use receptive_layers::network::{Network, Stage};

/// VGG (Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition,
/// 2014, section 2.1 and Table 1), with or without batch norm after each convolution.
///
/// A mean pool to 7x7 precedes the fully connected layers, as in torchvision. At the published size
/// of 224x224 pixels the pool is the identity.
///
/// Initial weights are torchvision's: He's normal initialisation over the fan out for convolutions,
/// normal with standard deviation 0.01 for fully connected layers, and zero biases. The paper
/// (section 3.1) draws the weights of column A normal with variance 0.01 and initialises the deeper
/// columns from a trained column A.
#[derive(Module, Debug)]
pub struct Vgg {
    /// The convolutions, norms, ReLUs and max pools.
    pub features: Vec<MapLayer>,
    /// The mean pool to maps of 7x7.
    pub avgpool: AdaptiveAvgPool2d,
    /// The fully connected layers, ReLUs and dropouts.
    pub classifier: Vec<VectorLayer>,
}

/// Builds a fully connected layer: weights normal with standard deviation 0.01, biases 0.
pub(crate) fn linear(inputs: usize, outputs: usize, device: &Device) -> VectorLayer {
    let config = LinearConfig::new(inputs, outputs).with_initializer(Initializer::Normal {
        mean: 0.0,
        std: 0.01,
    });
    VectorLayer::Linear(init::linear(&config, 0.0, device))
}

/// The index of the layer in `classifier` that computes the class scores.
const LAST: usize = 6;

impl Network for Vgg {
    const HEAD: &'static [&'static str] = &["classifier.6"];

    const STAGES: &'static [Stage] = &[
        Stage::new("conv1", &[]),
        Stage::new("conv2", &[]),
        Stage::new("conv3", &[]),
        Stage::new("conv4", &[]),
        Stage::new("conv5", &[]),
    ];

    /// Maps `[batch, 3, height, width]`, height and width at least 32, to the input of the last fully
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

    /// Maps `[batch, 3, 224, 224]` to the outputs of the five max pools: `[batch, 64, 112, 112]`,
    /// `[batch, 128, 56, 56]`, `[batch, 256, 28, 28]`, `[batch, 512, 14, 14]` and
    /// `[batch, 512, 7, 7]`.
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = images;
        let mut stages = Vec::new();
        let is_pool = |layer: &MapLayer| matches!(layer, MapLayer::MaxPool(_));
        for layers in self.features.split_inclusive(is_pool) {
            x = map_layers(layers, x);
            stages.push(x.clone());
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

    fn stage_modules(&self, stage: &Stage) -> Vec<String> {
        let mut pools = 0;
        let mut modules = Vec::new();
        for (index, layer) in self.features.iter().enumerate() {
            if Self::STAGES.get(pools) == Some(stage) {
                modules.push(format!("features.{index}"));
            }
            pools += usize::from(matches!(layer, MapLayer::MaxPool(_)));
        }
        modules
    }
}
