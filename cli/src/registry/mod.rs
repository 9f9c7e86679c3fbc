//! The one list of all the networks, and their types erased so that a name chooses among them.

mod erased;
mod papers;

use burn::tensor::Device;
use receptive_alexnet::{AlexNetConfig, AlexNetTorchvisionConfig};
use receptive_googlenet::GoogLeNetConfig;
use receptive_layers::compile::CompileError;
use receptive_layers::graph::Graph;
use receptive_layers::labels;
use receptive_layers::network::{InputSpec, NetworkConfig};
use receptive_layers::summary::Summary;
#[cfg(feature = "train")]
use receptive_layers::weights::Heads;
use receptive_layers::weights::{Checkpoint, StateDict};
use receptive_lenet::{LeNet5Config, LeNet5OriginalConfig};
use receptive_mobilenet::{MobileNetV1Config, MobileNetV2Config, TimmMobileNetV1Config};
use receptive_resnet::{CifarResNetConfig, ResNetConfig};
#[cfg(feature = "train")]
use receptive_train::{recipe::Recipe, session::TrainableNetwork};
use receptive_vgg::VggConfig;

pub use erased::AnyNetwork;
#[cfg(feature = "train")]
use erased::TrainableError;
use erased::{AnyConfig, BuildOptions};
pub use papers::Paper;

use crate::error::CliError;

/// Every network, family by family.
pub fn models() -> Vec<Model> {
    let mut models = Vec::new();
    models.extend(family::<LeNet5OriginalConfig>("LeNet-5", papers::LENET));
    models.extend(family::<LeNet5Config>("LeNet-5", papers::LENET));
    models.extend(family::<AlexNetConfig>("AlexNet", papers::ALEXNET));
    models.extend(family::<AlexNetTorchvisionConfig>(
        "AlexNet",
        papers::ONE_WEIRD_TRICK,
    ));
    models.extend(family::<VggConfig>("VGG", papers::VGG));
    models.extend(family::<GoogLeNetConfig>("GoogLeNet", papers::GOOGLENET));
    models.extend(family::<ResNetConfig>("ResNet", papers::RESNET));
    models.extend(family::<CifarResNetConfig>("ResNet", papers::RESNET));
    models.extend(family::<MobileNetV1Config>(
        "MobileNet",
        papers::MOBILENET_V1,
    ));
    models.extend(family::<TimmMobileNetV1Config>(
        "MobileNet",
        papers::MOBILENET_V1,
    ));
    models.extend(family::<MobileNetV2Config>(
        "MobileNet",
        papers::MOBILENET_V2,
    ));
    models
}

/// The variants that an architecture's configuration lists.
fn family<C: NetworkConfig + 'static>(
    family: &'static str,
    paper: Paper,
) -> impl Iterator<Item = Model> {
    C::variants().into_iter().map(move |variant| Model {
        name: variant.name,
        family,
        paper,
        input: variant.config.input(),
        classes: variant.config.classes(),
        checkpoints: variant.checkpoints,
        config: Box::new(variant.config),
    })
}

/// The network of this name.
///
/// # Errors
///
/// [`CliError::UnknownModel`] with the names that are most alike.
pub fn model(name: &str) -> Result<Model, CliError> {
    let models = models();
    let names: Vec<&'static str> = models.iter().map(|model| model.name).collect();
    models
        .into_iter()
        .find(|model| model.name == name)
        .ok_or_else(|| CliError::UnknownModel {
            asked: name.to_owned(),
            near: near(name, names),
        })
}

/// The three names most like `asked`, those that are not alike left out.
fn near(asked: &str, names: Vec<&'static str>) -> Vec<&'static str> {
    let asked = asked.to_lowercase().replace('_', "-");
    let mut alike: Vec<(f64, &'static str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&asked, name), name))
        .filter(|&(likeness, _)| likeness > 0.8)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().take(3).map(|(_, name)| name).collect()
}

/// What training begins with.
#[cfg(feature = "train")]
pub struct InitialWeights {
    /// Classes that the head tells apart.
    pub classes: usize,
    /// Weights, in place of random ones.
    pub pretrained: Option<Pretrained>,
}

/// Weights to begin with.
#[cfg(feature = "train")]
pub struct Pretrained {
    /// The tensors.
    pub weights: StateDict,
    /// Where they came from, for messages.
    pub origin: String,
    /// Whether the heads are loaded with the rest.
    pub heads: Heads,
}

/// A published network, whatever its type.
pub struct Model {
    /// The name on the command line.
    pub name: &'static str,
    /// The name of the architecture.
    pub family: &'static str,
    /// Where it was published.
    pub paper: Paper,
    /// What it takes.
    pub input: InputSpec,
    /// Classes that it tells apart, as published.
    pub classes: usize,
    /// Published weights, the ones to prefer first.
    pub checkpoints: &'static [Checkpoint],
    config: Box<dyn AnyConfig>,
}

impl Model {
    /// Trainable parameters, the auxiliary heads left out.
    ///
    /// # Errors
    ///
    /// [`CliError::Graph`] or [`CliError::Summary`] when the network cannot be recorded or counted.
    pub fn parameters(&self) -> Result<u64, CliError> {
        let summary = self.summary(self.classes, self.input.shape(), false)?;
        Ok(summary.parameters)
    }

    /// What every layer costs for `classes` classes and an input of shape
    /// `[batch, channels, height, width]`; with `train`, the auxiliary heads too.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the network takes no such input or cannot have so many classes.
    pub fn summary(
        &self,
        classes: usize,
        input: [usize; 4],
        train: bool,
    ) -> Result<Summary, CliError> {
        let graph = self.graph(classes, input, train)?;
        Summary::from_graph(&graph, self.name).map_err(|source| CliError::Summary {
            model: self.name,
            source,
        })
    }

    /// What it does with an input of shape `[batch, channels, height, width]`, without its weights'
    /// values; with `train`, in its auxiliary heads too.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the network takes no such input or cannot have so many classes.
    pub fn graph(&self, classes: usize, input: [usize; 4], train: bool) -> Result<Graph, CliError> {
        self.input.check(input).map_err(|source| CliError::Input {
            model: self.name,
            source,
        })?;
        let options = self.options(classes, train)?;
        self.config
            .graph(options, input)
            .map_err(|source| CliError::Graph {
                model: self.name,
                source,
            })
    }

    /// The network for inference with weights as they are drawn before training.
    ///
    /// # Errors
    ///
    /// [`CliError::Config`] when the published network cannot be built.
    pub fn fresh(&self, device: &Device) -> Result<Box<dyn AnyNetwork>, CliError> {
        let options = self.options(self.classes, false)?;
        Ok(self.config.fresh(options, device))
    }

    /// The error that it cannot be compiled.
    pub fn uncompiled(&self, source: CompileError) -> CliError {
        CliError::Compile {
            model: self.name.to_owned(),
            source,
        }
    }

    /// The network for inference with these weights, as many classes as they have; `origin` says
    /// in messages where they are from.
    ///
    /// # Errors
    ///
    /// [`CliError::Unfit`] when they are another network's.
    pub fn load(
        &self,
        weights: &StateDict,
        origin: &str,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, CliError> {
        self.load_with(weights, false, origin, device)
    }

    /// The same with the auxiliary heads, where the weights have them.
    ///
    /// # Errors
    ///
    /// [`CliError::Unfit`] when they are another network's.
    pub fn load_whole(
        &self,
        weights: &StateDict,
        origin: &str,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, CliError> {
        let optional = self.config.optional();
        let auxiliary = weights
            .iter()
            .any(|(name, _)| optional.iter().any(|prefix| belongs(name, prefix)));
        self.load_with(weights, auxiliary, origin, device)
    }

    fn load_with(
        &self,
        weights: &StateDict,
        auxiliary: bool,
        origin: &str,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, CliError> {
        let options = self.options(self.classes_of(weights), auxiliary)?;
        self.config
            .load(options, weights, device)
            .map_err(|source| CliError::Unfit {
                origin: origin.to_owned(),
                model: self.name,
                source,
            })
    }

    /// The network while it is trained by `recipe` on `devices`, one or more.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the recipe or the weights do not fit it.
    #[cfg(feature = "train")]
    pub fn trainable(
        &self,
        recipe: &Recipe,
        initial: &InitialWeights,
        devices: Vec<Device>,
    ) -> Result<Box<dyn TrainableNetwork>, CliError> {
        let options = self.options(initial.classes, recipe.auxiliary)?;
        let pretrained = initial.pretrained.as_ref();
        let weights = pretrained.map(|pretrained| (&pretrained.weights, pretrained.heads));
        self.config
            .trainable(options, recipe, weights, devices)
            .map_err(|error| match error {
                TrainableError::Fields(reason) => CliError::NetworkFields {
                    model: self.name,
                    reason,
                },
                TrainableError::Config(source) => CliError::Config {
                    model: self.name,
                    source,
                },
                TrainableError::Stage(unknown) => CliError::Train(unknown.into()),
                TrainableError::Weights(source) => CliError::Unfit {
                    origin: pretrained.map_or(String::new(), |p| p.origin.clone()),
                    model: self.name,
                    source,
                },
            })
    }

    fn options(&self, classes: usize, auxiliary: bool) -> Result<BuildOptions, CliError> {
        let options = BuildOptions { classes, auxiliary };
        self.config
            .check(options)
            .map_err(|source| CliError::Config {
                model: self.name,
                source,
            })?;
        Ok(options)
    }

    /// Classes that the head of these weights tells apart; as published where they have no head.
    pub fn classes_of(&self, weights: &StateDict) -> usize {
        let head = self.config.head();
        // A bias first: its only dimension is the classes, whatever the layout of the weight is.
        weights
            .iter()
            .filter(|(name, _)| head.iter().any(|prefix| belongs(name, prefix)))
            .min_by_key(|(_, tensor)| tensor.shape().len())
            .and_then(|(_, tensor)| tensor.shape().first().copied())
            .unwrap_or(self.classes)
    }

    /// The names of the classes it was published for.
    pub fn labels(&self) -> Vec<String> {
        let InputSpec { channels, size, .. } = self.input;
        let names: Vec<&str> = match (self.classes, channels, size) {
            (1000, ..) => labels::IMAGENET_1K.lines().collect(),
            (10, 1, _) => vec!["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            (10, 3, 32) => labels::CIFAR_10.to_vec(),
            _ => Vec::new(),
        };
        names.into_iter().map(str::to_owned).collect()
    }
}

/// Whether a tensor's name is that of the layer `prefix` or of a layer inside it.
fn belongs(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = models().iter().map(|model| model.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_model_has_a_label_for_each_class() {
        for model in models() {
            assert_eq!(model.labels().len(), model.classes, "{}", model.name);
        }
    }

    #[test]
    fn every_model_has_the_parameters_that_its_publisher_counts() {
        for model in models() {
            let parameters = model.parameters().expect("recorded");
            for checkpoint in model.checkpoints {
                assert_eq!(parameters, checkpoint.parameters, "{}", model.name);
            }
        }
    }

    #[test]
    fn auxiliary_heads_are_kept_where_the_weights_have_them() {
        let device = crate::device::open(None).expect("a device");
        let model = model("googlenet").expect("listed");
        let config = GoogLeNetConfig::variants().swap_remove(0).config;
        let tensors = |auxiliary| {
            let network = config.clone().with_auxiliary(auxiliary).init(&device);
            let weights = receptive_layers::weights::state_dict(&network);
            let whole = model.load_whole(&weights, "test", &device).expect("fits");
            let bare = model.load(&weights, "test", &device).expect("fits");
            [
                weights.len(),
                whole.state_dict().len(),
                bare.state_dict().len(),
            ]
        };
        let [with, whole, bare] = tensors(true);
        let [without, plain, _] = tensors(false);
        assert_eq!([whole, bare, plain], [with, without, without]);
        assert!(with > without);
    }

    #[test]
    fn misspelt_names_find_their_neighbours() {
        for (asked, wanted) in [
            ("resnet5O", "resnet50"),
            ("mobilenet_v2", "mobilenet-v2"),
            ("VGG16", "vgg16"),
        ] {
            match model(asked) {
                Err(CliError::UnknownModel { near, .. }) => {
                    assert!(near.contains(&wanted), "{asked}: {near:?}");
                }
                _ => panic!("{asked} is no model"),
            }
        }
    }
}
