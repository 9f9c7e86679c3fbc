//! The networks of this workspace.

use super::Model;
use super::networks::Registry;
use crate::error::CliError;

crate::networks! {
    /// Every network of this workspace, grouped by architecture.
    pub struct Published {
        receptive_lenet::LeNet5OriginalConfig => "LeNet-5",
        receptive_lenet::LeNet5Config => "LeNet-5",
        receptive_alexnet::AlexNetConfig => "AlexNet",
        receptive_alexnet::AlexNetTorchvisionConfig => "AlexNet",
        receptive_vgg::VggConfig => "VGG",
        receptive_googlenet::GoogLeNetConfig => "GoogLeNet",
        receptive_resnet::ResNetConfig => "ResNet",
        receptive_resnet::CifarResNetConfig => "ResNet",
        receptive_mobilenet::MobileNetV1Config => "MobileNet",
        receptive_mobilenet::TimmMobileNetV1Config => "MobileNet",
        receptive_mobilenet::MobileNetV2Config => "MobileNet",
    }
}

/// Returns every network of this workspace, grouped by architecture.
pub fn models() -> Vec<Model> {
    Published::models()
}

/// Returns the network of this workspace called `name`.
///
/// # Errors
///
/// [`CliError::UnknownModel`], which suggests similar names.
pub fn model(name: &str) -> Result<Model, CliError> {
    Published::model(name)
}
