//! The hyperparameters of GoogLeNet.

use burn::nn::DropoutConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::Device;
use receptive_layers::block::LocalResponseNorm;
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{InputSpec, InvalidConfig, NetworkConfig, Paper, Sizes, Variant};
use receptive_layers::preprocessing::Preprocessing;
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
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
    /// Whether the network has auxiliary heads after inception (4a) and (4d), used only in
    /// training.
    pub aux: bool,
    /// Probability that training sets an input of the classifier to zero, at least 0 and below 1.
    pub dropout: f64,
    /// Probability that training sets an input of an auxiliary classifier to zero, at least 0 and
    /// below 1.
    pub aux_dropout: f64,
}

/// Szegedy et al.: Going Deeper with Convolutions, 2014.
const PAPER: Paper = Paper {
    authors: "Szegedy et al.",
    title: "Going Deeper with Convolutions",
    year: 2014,
};

impl GoogLeNetConfig {
    /// torchvision's network: dropout 0.2, no auxiliary heads.
    pub fn googlenet() -> Self {
        Self {
            edition: Edition::Torchvision,
            classes: 1000,
            aux: false,
            dropout: 0.2,
            aux_dropout: 0.7,
        }
    }

    /// The paper's network (Table 1): dropout 0.4, no auxiliary heads. With auxiliary heads, their
    /// dropout is 0.7 (section 5).
    pub fn googlenet_paper() -> Self {
        Self {
            edition: Edition::Paper,
            dropout: 0.4,
            ..Self::googlenet()
        }
    }

    /// Returns the smallest height and width of an image.
    ///
    /// From n pixels, conv1 computes `ceil(n / 2)` and a 3x3 pool `ceil((n - 1) / 2)` for n of at
    /// least 2; a 2x2 pool accepts 1 pixel. The smallest inputs of pool4, pool3, pool2, pool1 and
    /// conv1 are therefore 2, 4, 8, 16 and 31 pixels in the paper's edition, and 1, 2, 4, 8 and 15
    /// in torchvision's.
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
                paper: PAPER,
                recipe: receptive_layers::recipe_file!("googlenet-imagenet.toml"),
                labels: LabelSet::Imagenet1k,
                preprocessing: Preprocessing::IMAGENET,
                checkpoints: checkpoints::GOOGLENET,
            },
            Variant {
                name: "googlenet-paper",
                config: Self::googlenet_paper(),
                paper: PAPER,
                recipe: receptive_layers::recipe_file!("googlenet-imagenet.toml"),
                labels: LabelSet::Imagenet1k,
                preprocessing: Preprocessing::IMAGENET,
                checkpoints: &[],
            },
        ]
    }

    /// Images are 224x224 pixels as published, or of any size in which every pool's window fits:
    /// from 15x15, or from 31x31 in the paper's edition. The paper's auxiliary heads accept only
    /// 224x224, because a fully connected layer follows their pool of fixed stride.
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

    fn build(&self, device: &Device) -> GoogLeNet {
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

/// Builds a max pool of stride 2 with ceil mode: the last window may cross the edge of the map.
fn ceil_pool(kernel: usize) -> MaxPool2d {
    MaxPool2dConfig::new([kernel; 2])
        .with_strides([2, 2])
        .with_ceil_mode(true)
        .init()
}
