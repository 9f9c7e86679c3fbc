//! A published network, whose type is erased.

use burn::tensor::Device;
use receptive_layers::compile::CompileError;
use receptive_layers::graph::Graph;
use receptive_layers::network::{InputSpec, NetworkConfig, Paper, RecipeFile, Variant};
#[cfg(feature = "train")]
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::pretrained::Published;
use receptive_layers::summary::Summary;
#[cfg(feature = "train")]
use receptive_layers::weights::Heads;
use receptive_layers::weights::{Checkpoint, StateDict};
#[cfg(feature = "train")]
use receptive_train::{
    recipe::{FINETUNE, Recipe, RecipeError},
    session::TrainableNetwork,
};

#[cfg(feature = "train")]
use super::erased::TrainableError;
use super::erased::{AnyConfig, AnyNetwork, BuildOptions};
use crate::device;
use crate::error::CliError;

/// The network that a training run starts from.
#[cfg(feature = "train")]
pub struct InitialWeights {
    /// Number of classes of the head.
    pub classes: usize,
    /// Initial weights; random weights if `None`.
    pub pretrained: Option<Pretrained>,
}

/// Trained weights that a training run starts from.
#[cfg(feature = "train")]
pub struct Pretrained {
    /// The tensors.
    pub weights: StateDict,
    /// The source of the weights, for error messages.
    pub origin: String,
    /// Whether the weights of the heads are loaded.
    pub heads: Heads,
}

/// A published variant of an architecture, without the type of its configuration.
pub struct Model {
    /// The name on the command line.
    pub name: &'static str,
    /// The name of the architecture.
    pub family: &'static str,
    /// The paper that published the architecture.
    pub paper: Paper,
    /// The paper's training recipe, which trains the network from scratch.
    pub recipe: RecipeFile,
    /// The names of the classes that the network was published for, and the paper's preprocessing.
    pub published: Published,
    /// The images that the network accepts.
    pub input: InputSpec,
    /// The published number of classes.
    pub classes: usize,
    /// Published weights; the first is the default.
    pub checkpoints: &'static [Checkpoint],
    config: Box<dyn AnyConfig>,
}

impl Model {
    /// Erases the type of `variant` of the architecture `family`.
    pub(super) fn new<C: NetworkConfig + 'static>(
        family: &'static str,
        variant: Variant<C>,
    ) -> Self {
        Self {
            name: variant.name,
            family,
            paper: variant.paper,
            recipe: variant.recipe,
            published: variant.published(),
            input: variant.config.input(),
            classes: variant.config.classes(),
            checkpoints: variant.checkpoints,
            config: Box::new(variant.config),
        }
    }

    /// Returns the number of trainable parameters, without auxiliary heads.
    ///
    /// # Errors
    ///
    /// [`CliError::Graph`] or [`CliError::Summary`] when the network cannot be recorded or counted.
    pub fn parameters(&self) -> Result<u64, CliError> {
        let summary = self.summary(self.classes, self.input.shape(), false)?;
        Ok(summary.parameters)
    }

    /// Returns the cost of every layer for `classes` classes and an input of shape
    /// `[batch, channels, height, width]`; with `train`, including the auxiliary heads.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the input or the number of classes is invalid for the network.
    pub fn summary(
        &self,
        classes: usize,
        input: [usize; 4],
        train: bool,
    ) -> Result<Summary, CliError> {
        let graph = self.graph(classes, input, train)?;
        Summary::from_graph(&graph, self.name).map_err(|source| CliError::Summary {
            model: self.name.to_owned(),
            source,
        })
    }

    /// Records the network's graph, without the values of the weights, for `classes` classes and an
    /// input of shape `[batch, channels, height, width]`; with `train`, including the auxiliary
    /// heads.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the input or the number of classes is invalid for the network.
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

    /// Builds the network for inference with untrained weights.
    ///
    /// # Errors
    ///
    /// [`CliError::Config`] when the published configuration is invalid.
    pub fn fresh(&self, device: &Device) -> Result<Box<dyn AnyNetwork>, CliError> {
        let options = self.options(self.classes, false)?;
        Ok(self.config.fresh(options, device))
    }

    /// Returns the error that the network cannot be compiled because of `source`.
    pub fn uncompiled(&self, source: CompileError) -> CliError {
        CliError::Compile {
            model: self.name.to_owned(),
            source,
        }
    }

    /// Builds the network for inference with `weights`, which determine the number of classes.
    ///
    /// `origin` is the source of the weights, for error messages.
    ///
    /// # Errors
    ///
    /// [`CliError::Unfit`] when the weights belong to another network.
    pub fn load(
        &self,
        weights: &StateDict,
        origin: &str,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, CliError> {
        self.load_with(weights, false, origin, device)
    }

    /// Builds the network with `weights` as [`load`](Self::load) does, and with its auxiliary heads
    /// if the weights contain them.
    ///
    /// # Errors
    ///
    /// [`CliError::Unfit`] when the weights belong to another network.
    pub fn load_whole(
        &self,
        weights: &StateDict,
        origin: &str,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, CliError> {
        let auxiliary = weights.iter().any(|(name, _)| self.is_auxiliary(name));
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

    /// Returns the recipe for training from random weights, with crops of the network's input size,
    /// or the recipe for fine-tuning weights for images that `preprocessing` prepares; with the
    /// fields in `overrides`, each `FIELD=VALUE`.
    ///
    /// # Errors
    ///
    /// [`RecipeError`] when an override has an unknown field or an invalid value.
    #[cfg(feature = "train")]
    pub fn default_recipe(
        &self,
        preprocessing: Option<&Preprocessing>,
        overrides: &[String],
    ) -> Result<Recipe, RecipeError> {
        let file = match preprocessing {
            Some(_) => FINETUNE,
            None => self.recipe,
        };
        let mut recipe = Recipe::parse(file.text, file.name, &[])?;
        match preprocessing {
            Some(preprocessing) => recipe.data.evaluate_by(preprocessing, self.input.channels),
            None => {
                let published = &self.published.preprocessing;
                let (channels, size) = (self.input.channels, self.input.size);
                recipe.data.crop_to(size);
                // A network with another input size than its recipe's may have a resize of its own.
                if recipe.preprocessing(channels, size)?.resize != published.resize {
                    recipe.data.evaluate_by(published, channels);
                }
            }
        }
        if overrides.is_empty() {
            return Ok(recipe);
        }
        Recipe::parse(&recipe.text()?, file.name, overrides)
    }

    /// Builds the network for training by `recipe` on `devices`, one or more.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the recipe or the weights do not fit the network.
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

    /// Whether the tensor `name` belongs to an auxiliary head.
    pub fn is_auxiliary(&self, name: &str) -> bool {
        let mut layers = self.config.optional().iter();
        layers.any(|layer| is_within(name, layer))
    }

    /// Returns the reference name of the last layer, if it is fully connected.
    pub fn head(&self) -> Option<&'static str> {
        self.config.head()
    }

    /// Returns the build options if the network can have `classes` classes.
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

    /// Removes the common prefix of the names in `weights`, as
    /// [`without_prefix`](receptive_layers::weights::without_prefix) does.
    ///
    /// # Errors
    ///
    /// [`CliError::Config`] when the published configuration is invalid, [`CliError::Device`] when the
    /// program has no CPU backend.
    pub fn without_prefix(
        &self,
        weights: StateDict,
    ) -> Result<(StateDict, Option<String>), CliError> {
        let options = self.options(self.classes, false)?;
        Ok(self
            .config
            .without_prefix(options, weights, &device::cpu()?))
    }

    /// Returns the number of classes of the head in `weights`, or the published number if `weights`
    /// contain no head.
    pub fn classes_of(&self, weights: &StateDict) -> usize {
        self.config.classes_of(weights).unwrap_or(self.classes)
    }
}

/// Whether the tensor `name` belongs to the module `layer` or to a module inside it.
fn is_within(name: &str, layer: &str) -> bool {
    name.strip_prefix(layer)
        .is_some_and(|rest| rest.starts_with('.'))
}
