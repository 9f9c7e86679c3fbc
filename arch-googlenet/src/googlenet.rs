//! GoogLeNet (Table 1 and figure 3).

use burn::module::Module;
use burn::nn::pool::MaxPool2d;
use burn::nn::{Dropout, Linear};
use burn::tensor::Tensor;
use burn::tensor::module::adaptive_avg_pool2d;
use receptive_layers::block::{LocalResponseNorm, fully_connected, max_pool};
use receptive_layers::network::{Network, Stage, TrainingLogits};

use crate::auxiliary::{AuxiliaryHead, classifier};
use crate::conv_unit::ConvUnit;
use crate::edition::Edition;
use crate::inception::Inception;
use crate::names;

/// The weight of each auxiliary loss (section 5).
const AUXILIARY_WEIGHT: f64 = 0.3;

/// GoogLeNet (Szegedy et al.: Going Deeper with Convolutions, 2014, Table 1 and figure 3).
#[derive(Module, Debug)]
pub struct GoogLeNet {
    /// The paper's network or torchvision's.
    #[module(skip)]
    pub edition: Edition,
    /// 7x7 convolution of stride 2.
    pub conv1: ConvUnit,
    /// 3x3 max pool of stride 2.
    pub pool1: MaxPool2d,
    /// The normalization after `pool1` and after `conv2`, in the paper's edition.
    pub norm: Option<LocalResponseNorm>,
    /// 1x1 convolution.
    pub conv2_reduce: ConvUnit,
    /// 3x3 convolution.
    pub conv2: ConvUnit,
    /// 3x3 max pool of stride 2.
    pub pool2: MaxPool2d,
    /// Inception (3a).
    pub inception3a: Inception,
    /// Inception (3b).
    pub inception3b: Inception,
    /// 3x3 max pool of stride 2.
    pub pool3: MaxPool2d,
    /// Inception (4a).
    pub inception4a: Inception,
    /// Inception (4b).
    pub inception4b: Inception,
    /// Inception (4c).
    pub inception4c: Inception,
    /// Inception (4d).
    pub inception4d: Inception,
    /// Inception (4e).
    pub inception4e: Inception,
    /// 3x3 max pool of stride 2; 2x2 in torchvision's edition.
    pub pool4: MaxPool2d,
    /// Inception (5a).
    pub inception5a: Inception,
    /// Inception (5b).
    pub inception5b: Inception,
    /// The auxiliary head after inception (4a), only in training.
    pub aux1: Option<AuxiliaryHead>,
    /// The auxiliary head after inception (4d), only in training.
    pub aux2: Option<AuxiliaryHead>,
    /// The dropout before the classifier.
    pub dropout: Dropout,
    /// The classifier of the mean of each map.
    pub fc: Linear,
}

impl GoogLeNet {
    /// Computes the output of inception (5b), and calls `visit` with the name and the output of
    /// each stage in order.
    fn trunk(
        &self,
        images: Tensor<4>,
        mut visit: impl FnMut(&'static str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut stage = |name, x: Tensor<4>| {
            visit(name, &x);
            x
        };
        let x = stage("conv1", self.conv1.forward(images));
        let x = self.normalise(max_pool(&self.pool1, x));
        let x = self.conv2_reduce.forward(x);
        let x = stage("conv2", self.conv2.forward(x));
        let x = max_pool(&self.pool2, self.normalise(x));
        let x = stage("inception3a", self.inception3a.forward(x));
        let x = stage("inception3b", self.inception3b.forward(x));
        let x = max_pool(&self.pool3, x);
        let x = stage("inception4a", self.inception4a.forward(x));
        let x = stage("inception4b", self.inception4b.forward(x));
        let x = stage("inception4c", self.inception4c.forward(x));
        let x = stage("inception4d", self.inception4d.forward(x));
        let x = stage("inception4e", self.inception4e.forward(x));
        let x = max_pool(&self.pool4, x);
        let x = stage("inception5a", self.inception5a.forward(x));
        stage("inception5b", self.inception5b.forward(x))
    }

    /// Applies the local response normalization, if this edition has it.
    fn normalise(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }
}

/// Computes the mean of each map, `[batch, channels]`.
fn means(maps: Tensor<4>) -> Tensor<2> {
    adaptive_avg_pool2d(maps, [1, 1]).flatten(1, 3)
}

impl Network for GoogLeNet {
    const HEAD: &'static [&'static str] = &["fc", "aux1.fc2", "aux2.fc2"];

    const OPTIONAL: &'static [&'static str] = &["aux1", "aux2"];

    const STAGES: &'static [Stage] = &[
        Stage::new("conv1", &["conv1"]),
        Stage::new("conv2", &["conv2_reduce", "conv2"]),
        Stage::new("inception3a", &["inception3a"]),
        Stage::new("inception3b", &["inception3b"]),
        Stage::new("inception4a", &["inception4a"]),
        Stage::new("inception4b", &["inception4b"]),
        Stage::new("inception4c", &["inception4c"]),
        Stage::new("inception4d", &["inception4d"]),
        Stage::new("inception4e", &["inception4e"]),
        Stage::new("inception5a", &["inception5a"]),
        Stage::new("inception5b", &["inception5b"]),
    ];

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        self.embed_maps(self.trunk(images, |_, _| ()))
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        means(maps)
    }

    fn classify(&self, means: Tensor<2>) -> Tensor<2> {
        fully_connected(&self.fc, self.dropout.forward(means))
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut maps = Vec::with_capacity(Self::STAGES.len());
        self.trunk(images, |_, x| maps.push(x.clone()));
        maps
    }

    fn forward_train(&self, images: Tensor<4>) -> TrainingLogits {
        let mut auxiliary = Vec::new();
        let maps = self.trunk(images, |stage, x| {
            let head = match stage {
                "inception4a" => &self.aux1,
                "inception4d" => &self.aux2,
                _ => &None,
            };
            if let Some(head) = head {
                auxiliary.push((head.forward(x.clone()), AUXILIARY_WEIGHT));
            }
        });
        TrainingLogits {
            main: self.classify(means(maps)),
            auxiliary,
        }
    }

    fn with_new_heads(mut self, classes: usize) -> Self {
        let edition = self.edition;
        let new_classifier = |fc: &Linear| {
            let [inputs, _] = fc.weight.lazy_shape().dims();
            classifier(edition, inputs, classes, &fc.weight.lazy_device())
        };
        self.fc = new_classifier(&self.fc);
        for head in [&mut self.aux1, &mut self.aux2].into_iter().flatten() {
            head.fc2 = new_classifier(&head.fc2);
        }
        self
    }

    fn reference_name(path: &str) -> String {
        names::reference_name(path)
    }
}
