//! Hyperparameters.

use burn::nn::DropoutConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::Device;
use receptive_layers::block::LocalResponseNorm;
use receptive_layers::network::{InputSpec, InvalidConfig, NetworkConfig, Sizes, Variant};
use serde::{Deserialize, Serialize};

use crate::auxiliary::{AuxiliaryHead, classifier};
use crate::checkpoints;
use crate::conv_unit::ConvUnit;
use crate::edition::Edition;
use crate::googlenet::GoogLeNet;
use crate::inception::TABLE_1;

/// Hyperparameters of a [`GoogLeNet`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogLeNetConfig {
    /// The paper's network or torchvision's.
    pub edition: Edition,
    /// Classes that the heads tell apart, from 1 to 1,000,000.
    pub classes: usize,
    /// Whether there are auxiliary heads after inception (4a) and (4d). Only training needs them.
    pub aux: bool,
    /// Probability of dropping a mean before the classifier in training, at least 0 and below 1.
    pub dropout: f64,
    /// The same before the auxiliary classifiers.
    pub aux_dropout: f64,
}

impl GoogLeNetConfig {
    /// torchvision's edition, dropout 0.2, without auxiliary heads.
    pub fn googlenet() -> Self {
        Self {
            edition: Edition::Torchvision,
            classes: 1000,
            aux: false,
            dropout: 0.2,
            aux_dropout: 0.7,
        }
    }

    /// Table 1 and section 5: dropout 0.4, 0.7 in the auxiliary heads, which are left out.
    pub fn googlenet_paper() -> Self {
        Self {
            edition: Edition::Paper,
            dropout: 0.4,
            ..Self::googlenet()
        }
    }

    /// The smallest side of an image. Of n pixels, conv1 makes `ceil(n / 2)` and a pool of three
    /// `ceil((n - 1) / 2)`, if n is 2 or more; a pool of two is content with 1. So that each gets
    /// enough, pool4, pool3, pool2, pool1 and conv1 must be given 2, 4, 8, 16 and 31 pixels in the
    /// paper's edition, 1, 2, 4, 8 and 15 in torchvision's.
    const fn smallest(&self) -> usize {
        match self.edition {
            Edition::Paper => 31,
            Edition::Torchvision => 15,
        }
    }
}

impl NetworkConfig for GoogLeNetConfig {
    type Network = GoogLeNet;

    fn variants() -> Vec<Variant<Self>> {
        vec![
            Variant {
                name: "googlenet",
                config: Self::googlenet(),
                checkpoints: checkpoints::GOOGLENET,
            },
            Variant {
                name: "googlenet-paper",
                config: Self::googlenet_paper(),
                checkpoints: &[],
            },
        ]
    }

    /// 224x224, or from 15x15 on (31x31 for the paper's edition): below, a pool's window does not
    /// fit. The paper's auxiliary heads take 224x224 alone, since they pool at a fixed stride
    /// before a fully connected layer.
    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 3,
            size: 224,
            accepts: match (self.edition, self.aux) {
                (Edition::Paper, true) => Sizes::Published,
                _ => Sizes::AtLeast(self.smallest()),
            },
        }
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    fn with_auxiliary(self, auxiliary: bool) -> Self {
        Self {
            aux: auxiliary,
            ..self
        }
    }

    fn validate(&self) -> Result<(), InvalidConfig> {
        InvalidConfig::unless_classes(self.classes)?;
        for (field, probability) in [("dropout", self.dropout), ("aux_dropout", self.aux_dropout)] {
            InvalidConfig::unless_probability(field, probability)?;
        }
        Ok(())
    }

    fn init(&self, device: &Device) -> GoogLeNet {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let edition = self.edition;
        let unit =
            |channels, kernel, stride| ConvUnit::new(edition, channels, kernel, stride, device);
        let aux = |channels| {
            self.aux.then(|| {
                AuxiliaryHead::new(edition, channels, self.aux_dropout, self.classes, device)
            })
        };
        let (norm, pool4) = match edition {
            Edition::Paper => (Some(LocalResponseNorm::default()), ceil_pool(3)),
            Edition::Torchvision => (None, ceil_pool(2)),
        };

        let mut channels = 192;
        let [a3, b3, a4, b4, c4, d4, e4, a5, b5] = TABLE_1.map(|widths| {
            let inception = widths.init(edition, channels, device);
            channels = widths.output();
            inception
        });
        GoogLeNet {
            edition,
            conv1: unit([3, 64], 7, 2),
            pool1: ceil_pool(3),
            norm,
            conv2_reduce: unit([64, 64], 1, 1),
            conv2: unit([64, 192], 3, 1),
            pool2: ceil_pool(3),
            inception3a: a3,
            inception3b: b3,
            pool3: ceil_pool(3),
            inception4a: a4,
            inception4b: b4,
            inception4c: c4,
            inception4d: d4,
            inception4e: e4,
            pool4,
            inception5a: a5,
            inception5b: b5,
            aux1: aux(TABLE_1[2].output()),
            aux2: aux(TABLE_1[5].output()),
            dropout: DropoutConfig::new(self.dropout).init(),
            fc: classifier(edition, channels, self.classes, device),
        }
    }
}

/// A max pool of stride 2 whose last window may hang over the edge.
fn ceil_pool(kernel: usize) -> MaxPool2d {
    MaxPool2dConfig::new([kernel; 2])
        .with_strides([2, 2])
        .with_ceil_mode(true)
        .init()
}
