//! MobileNet v1 as in PyTorch Image Models (timm): ReLU6, and timm's parameter names.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::Activation;
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{InputSpec, InvalidConfig, Network, NetworkConfig, Stage, Variant};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

use crate::checkpoints;
use crate::v1::{MobileNetV1, MobileNetV1Config, PAPER, STAGE_LENGTHS};

/// Hyperparameters of a [`TimmMobileNetV1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimmMobileNetV1Config {
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
    /// Probability that training sets an input of the classifier to zero, at least 0 and below 1.
    pub dropout: f64,
}

impl TimmMobileNetV1Config {
    /// timm's `mobilenetv1_100`: width 1.
    pub fn mobilenetv1_100() -> Self {
        Self {
            classes: 1000,
            dropout: 0.0,
        }
    }

    /// Returns the paper's configuration of the same classes and dropout.
    fn paper(&self) -> MobileNetV1Config {
        MobileNetV1Config {
            classes: self.classes,
            dropout: self.dropout,
            ..MobileNetV1Config::mobilenet_v1(1.0)
        }
    }
}

impl NetworkConfig for TimmMobileNetV1Config {
    type Network = TimmMobileNetV1;

    fn variants() -> Vec<Variant<Self>> {
        vec![Variant {
            name: "mobilenet-v1-timm",
            config: Self::mobilenetv1_100(),
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("mobilenet-v1-imagenet.toml"),
            labels: LabelSet::Imagenet1k,
            preprocessing: Preprocessing::IMAGENET,
            checkpoints: checkpoints::MOBILENET_V1_TIMM,
        }]
    }

    fn input(&self) -> InputSpec {
        self.paper().input()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    fn validate(&self) -> Result<(), InvalidConfig> {
        self.paper().validate()
    }

    fn build(&self, device: &Device) -> TimmMobileNetV1 {
        TimmMobileNetV1 {
            network: self.paper().init_with(Activation::Relu6, device),
        }
    }
}

/// [`MobileNetV1`] with ReLU6 and timm's parameter names: `conv_stem`, `blocks.3.0.conv_dw`,
/// `classifier`.
#[derive(Module, Debug)]
pub struct TimmMobileNetV1 {
    /// The paper's network.
    pub network: MobileNetV1,
}

impl Network for TimmMobileNetV1 {
    const HEAD: &'static [&'static str] = &["classifier"];

    const STAGES: &'static [Stage] = &[
        Stage::new("stem", &["network.stem"]),
        Stage::new("stage1", &["network.blocks.0"]),
        Stage::new("stage2", &["network.blocks.1", "network.blocks.2"]),
        Stage::new("stage3", &["network.blocks.3", "network.blocks.4"]),
        Stage::new(
            "stage4",
            &[
                "network.blocks.5",
                "network.blocks.6",
                "network.blocks.7",
                "network.blocks.8",
                "network.blocks.9",
                "network.blocks.10",
            ],
        ),
        Stage::new("stage5", &["network.blocks.11", "network.blocks.12"]),
    ];

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        self.network.embed(images)
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        self.network.embed_maps(maps)
    }

    fn classify(&self, means: Tensor<2>) -> Tensor<2> {
        self.network.classify(means)
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.network.features(images)
    }

    fn with_new_heads(self, classes: usize) -> Self {
        Self {
            network: self.network.with_new_heads(classes),
        }
    }

    /// Returns timm's name: timm numbers the blocks within their stage, and the norms within a
    /// block.
    fn reference_name(path: &str) -> String {
        let parts: Vec<&str> = path.split('.').collect();
        match parts[..] {
            ["network", "stem", "conv", tensor] => format!("conv_stem.{tensor}"),
            ["network", "stem", "bn", tensor] => format!("bn1.{tensor}"),
            ["network", "blocks", block, conv, layer, tensor] => {
                let layer = match (conv, layer) {
                    ("depthwise", "conv") => "conv_dw",
                    ("depthwise", _) => "bn1",
                    (_, "conv") => "conv_pw",
                    _ => "bn2",
                };
                format!("blocks.{}.{layer}.{tensor}", within_stage(block))
            }
            ["network", "fc", tensor] => format!("classifier.{tensor}"),
            _ => path.to_owned(),
        }
    }
}

/// Returns `stage.number` of the block with the index `block` in the whole network.
fn within_stage(block: &str) -> String {
    let mut number: usize = match block.parse() {
        Ok(number) => number,
        Err(_) => return block.to_owned(),
    };
    for (stage, length) in STAGE_LENGTHS.into_iter().enumerate() {
        if number < length {
            return format!("{stage}.{number}");
        }
        number -= length;
    }
    block.to_owned()
}
