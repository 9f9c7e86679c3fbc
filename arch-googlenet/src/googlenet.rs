//! The network of Table 1 and figure 3.

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

/// Each auxiliary loss counts this much (section 5).
const AUXILIARY_WEIGHT: f64 = 0.3;

/// GoogLeNet (Table 1, figure 3).
#[derive(Module, Debug)]
pub struct GoogLeNet {
    /// The paper's or torchvision's.
    #[module(skip)]
    pub edition: Edition,
    /// 7x7, stride 2.
    pub conv1: ConvUnit,
    /// 3x3, stride 2.
    pub pool1: MaxPool2d,
    /// After `pool1` and after `conv2`, in the paper's edition.
    pub norm: Option<LocalResponseNorm>,
    /// 1x1.
    pub conv2_reduce: ConvUnit,
    /// 3x3.
    pub conv2: ConvUnit,
    /// 3x3, stride 2.
    pub pool2: MaxPool2d,
    /// (3a).
    pub inception3a: Inception,
    /// (3b).
    pub inception3b: Inception,
    /// 3x3, stride 2.
    pub pool3: MaxPool2d,
    /// (4a).
    pub inception4a: Inception,
    /// (4b).
    pub inception4b: Inception,
    /// (4c).
    pub inception4c: Inception,
    /// (4d).
    pub inception4d: Inception,
    /// (4e).
    pub inception4e: Inception,
    /// 3x3, or 2x2 in torchvision's edition; stride 2.
    pub pool4: MaxPool2d,
    /// (5a).
    pub inception5a: Inception,
    /// (5b).
    pub inception5b: Inception,
    /// After (4a), in training.
    pub aux1: Option<AuxiliaryHead>,
    /// After (4d), in training.
    pub aux2: Option<AuxiliaryHead>,
    /// Before the classifier.
    pub dropout: Dropout,
    /// From the average over each map to the classes.
    pub fc: Linear,
}

impl GoogLeNet {
    /// The maps of inception (5b), after showing those of every stage to `seen`.
    fn trunk(
        &self,
        images: Tensor<4>,
        mut seen: impl FnMut(&'static str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut stage = |name, x: Tensor<4>| {
            seen(name, &x);
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

    fn normalise(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }

    fn head(&self, maps: Tensor<4>) -> Tensor<2> {
        let means = adaptive_avg_pool2d(maps, [1, 1]).flatten(1, 3);
        fully_connected(&self.fc, self.dropout.forward(means))
    }
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

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.head(self.trunk(images, |_, _| ()))
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
            main: self.head(maps),
            auxiliary,
        }
    }

    fn with_classes(mut self, classes: usize) -> Self {
        let edition = self.edition;
        let replaced = |fc: &Linear| {
            let [inputs, _] = fc.weight.lazy_shape().dims();
            classifier(edition, inputs, classes, &fc.weight.lazy_device())
        };
        self.fc = replaced(&self.fc);
        for head in [&mut self.aux1, &mut self.aux2].into_iter().flatten() {
            head.fc2 = replaced(&head.fc2);
        }
        self
    }

    fn reference_name(path: &str) -> String {
        names::reference_name(path)
    }
}
