//! The list of all networks.

use receptive_alexnet::{AlexNetConfig, AlexNetTorchvisionConfig};
use receptive_googlenet::GoogLeNetConfig;
use receptive_layers::network::NetworkConfig;
use receptive_lenet::{LeNet5Config, LeNet5OriginalConfig};
use receptive_mobilenet::{MobileNetV1Config, MobileNetV2Config, TimmMobileNetV1Config};
use receptive_resnet::{CifarResNetConfig, ResNetConfig};
use receptive_vgg::VggConfig;

use super::model::Model;
use crate::error::CliError;

/// Returns every network, grouped by architecture.
pub fn models() -> Vec<Model> {
    let mut models = Vec::new();
    models.extend(variants::<LeNet5OriginalConfig>("LeNet-5"));
    models.extend(variants::<LeNet5Config>("LeNet-5"));
    models.extend(variants::<AlexNetConfig>("AlexNet"));
    models.extend(variants::<AlexNetTorchvisionConfig>("AlexNet"));
    models.extend(variants::<VggConfig>("VGG"));
    models.extend(variants::<GoogLeNetConfig>("GoogLeNet"));
    models.extend(variants::<ResNetConfig>("ResNet"));
    models.extend(variants::<CifarResNetConfig>("ResNet"));
    models.extend(variants::<MobileNetV1Config>("MobileNet"));
    models.extend(variants::<TimmMobileNetV1Config>("MobileNet"));
    models.extend(variants::<MobileNetV2Config>("MobileNet"));
    models
}

/// Returns the published variants of an architecture.
fn variants<C: NetworkConfig + 'static>(family: &'static str) -> impl Iterator<Item = Model> {
    let variants = C::variants().into_iter();
    variants.map(move |variant| Model::new(family, variant))
}

/// Returns the network called `name`.
///
/// # Errors
///
/// [`CliError::UnknownModel`], which suggests similar names.
pub fn model(name: &str) -> Result<Model, CliError> {
    let models = models();
    let names: Vec<&'static str> = models.iter().map(|model| model.name).collect();
    models
        .into_iter()
        .find(|model| model.name == name)
        .ok_or_else(|| CliError::UnknownModel {
            requested: name.to_owned(),
            near: similar(name, names),
        })
}

/// Returns up to three names similar to `requested`, most similar first.
fn similar(requested: &str, names: Vec<&'static str>) -> Vec<&'static str> {
    let requested = requested.to_lowercase().replace('_', "-");
    let mut similar: Vec<(f64, &'static str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&requested, name), name))
        .filter(|&(similarity, _)| similarity > 0.8)
        .collect();
    similar.sort_by(|a, b| b.0.total_cmp(&a.0));
    similar.into_iter().take(3).map(|(_, name)| name).collect()
}
