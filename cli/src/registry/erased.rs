//! Traits that erase the types of networks and of their configurations.

use burn::module::{ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use receptive_layers::classifier::ClassifierError;
use receptive_layers::compile::{self, CompileError, Compiled, Options};
use receptive_layers::explain::ClassWeights;
#[cfg(feature = "train")]
use receptive_layers::explain::InputGradients;
use receptive_layers::graph::{Graph, GraphError};
#[cfg(feature = "train")]
use receptive_layers::network::UnknownStage;
use receptive_layers::network::{InvalidConfig, Network, NetworkConfig};
use receptive_layers::weights::{self, Heads, StateDict, WeightsError};
#[cfg(feature = "train")]
use receptive_train::{
    recipe::Recipe,
    session::{Session, TrainableNetwork},
};

/// A network of any architecture.
pub trait AnyNetwork: Send + Sync {
    /// Computes the class scores before softmax, `[batch, classes]`, of images
    /// `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;

    /// Computes the embeddings `[batch, features]` of images `[batch, channels, height, width]`.
    fn embed(&self, images: Tensor<4>) -> Tensor<2>;

    /// Returns the weights under their reference names.
    fn state_dict(&self) -> StateDict;

    /// Computes the output of every stage, `[batch, channels, height, width]`, with the stage's
    /// name.
    fn features(&self, images: Tensor<4>) -> Vec<(&'static str, Tensor<4>)>;

    /// Returns the names of the stages, in the order of [`features`](Self::features).
    fn stages(&self) -> Vec<&'static str>;

    /// Records the network's inference graph with its weights, for images of shape `input`, with the outputs called
    /// `outputs`.
    fn record(&self, input: [usize; 4], outputs: &[&str]) -> Result<Graph, GraphError>;

    /// Returns the name of the stage whose feature maps explanations weigh.
    fn last_maps(&self) -> &'static str;

    /// Returns the weights of the last layer, if the class scores are linear functions of the means of the maps
    /// `[channels, height, width]` of the stage [`last_maps`](Self::last_maps).
    fn class_weights(
        &self,
        maps: [usize; 3],
        device: &Device,
    ) -> Result<Option<ClassWeights>, ClassifierError>;

    /// Returns the network, whose weights are on `device`, as a function with gradients.
    #[cfg(feature = "train")]
    fn input_gradients(&self, device: &Device) -> InputGradients;

    /// Returns the weight of the first convolution, `[out, in, height, width]`.
    fn first_kernels(&self) -> Option<Tensor<4>>;

    /// Compiles the network for this machine's CPU and images of shape `input`, with the outputs called
    /// `outputs`: `logits`, `embedding`, and the names of stages.
    fn compile(
        &self,
        input: [usize; 4],
        outputs: &[&str],
        options: &Options,
    ) -> Result<Compiled, CompileError>;
}

impl<N: Network + 'static> AnyNetwork for N {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        Network::forward(self, images)
    }

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        Network::embed(self, images)
    }

    fn state_dict(&self) -> StateDict {
        weights::state_dict(self)
    }

    fn features(&self, images: Tensor<4>) -> Vec<(&'static str, Tensor<4>)> {
        let names = N::STAGES.iter().map(|stage| stage.name);
        names.zip(Network::features(self, images)).collect()
    }

    fn stages(&self) -> Vec<&'static str> {
        N::STAGES.iter().map(|stage| stage.name).collect()
    }

    fn record(&self, input: [usize; 4], outputs: &[&str]) -> Result<Graph, GraphError> {
        Graph::record_network(self, input, outputs)
    }

    fn last_maps(&self) -> &'static str {
        N::STAGES[N::LAST_MAPS].name
    }

    fn class_weights(
        &self,
        maps: [usize; 3],
        device: &Device,
    ) -> Result<Option<ClassWeights>, ClassifierError> {
        ClassWeights::of(self, maps, device)
    }

    #[cfg(feature = "train")]
    fn input_gradients(&self, device: &Device) -> InputGradients {
        InputGradients::new(self, device)
    }

    fn first_kernels(&self) -> Option<Tensor<4>> {
        let mut first = FirstKernels(None);
        self.visit(&mut first);
        first.0
    }

    fn compile(
        &self,
        input: [usize; 4],
        outputs: &[&str],
        options: &Options,
    ) -> Result<Compiled, CompileError> {
        compile::compile_outputs(self, input, outputs, options)
    }
}

/// A visitor that finds the first parameter of four dimensions.
struct FirstKernels(Option<Tensor<4>>);

impl ModuleVisitor for FirstKernels {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D == 4 && self.0.is_none() {
            let value = param.val();
            let shape: [usize; 4] = std::array::from_fn(|axis| value.dims()[axis]);
            self.0 = Some(value.reshape(shape));
        }
    }
}

/// The hyperparameters of a network of any architecture.
pub(super) trait AnyConfig {
    /// Returns the number of classes of the head in `weights`, or `None` if they have no head.
    fn classes_of(&self, weights: &StateDict) -> Option<usize>;

    /// Returns the name of the last layer, if it is fully connected.
    fn head(&self) -> Option<&'static str>;

    /// Returns the prefixes of the auxiliary heads' tensors.
    fn optional(&self) -> &'static [&'static str];

    /// Checks that a network can be built with `options`.
    fn check(&self, options: BuildOptions) -> Result<(), InvalidConfig>;

    /// Removes the common prefix of the names in `weights`, and returns it.
    fn without_prefix(
        &self,
        options: BuildOptions,
        weights: StateDict,
        device: &Device,
    ) -> (StateDict, Option<String>);

    /// Builds the network with untrained weights.
    fn fresh(&self, options: BuildOptions, device: &Device) -> Box<dyn AnyNetwork>;

    /// Builds the network with `weights`.
    fn load(
        &self,
        options: BuildOptions,
        weights: &StateDict,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, WeightsError>;

    /// Builds the network for training, with `weights` if given.
    #[cfg(feature = "train")]
    fn trainable(
        &self,
        options: BuildOptions,
        recipe: &Recipe,
        weights: Option<(&StateDict, Heads)>,
        devices: Vec<Device>,
    ) -> Result<Box<dyn TrainableNetwork>, TrainableError>;

    /// Records the network's graph for images of shape `input`, including the auxiliary heads if
    /// `options` has them.
    fn graph(&self, options: BuildOptions, input: [usize; 4]) -> Result<Graph, GraphError>;
}

/// The choices in building a published network.
#[derive(Debug, Clone, Copy)]
pub(super) struct BuildOptions {
    /// Number of classes of the head.
    pub classes: usize,
    /// Whether the network has its auxiliary heads.
    pub auxiliary: bool,
}

impl BuildOptions {
    /// Returns `config` with these options.
    fn apply<C: NetworkConfig>(self, config: &C) -> C {
        config
            .clone()
            .with_classes(self.classes)
            .with_auxiliary(self.auxiliary)
    }
}

impl<C: NetworkConfig + 'static> AnyConfig for C {
    fn classes_of(&self, weights: &StateDict) -> Option<usize> {
        weights::classes::<C::Network>(weights)
    }

    fn head(&self) -> Option<&'static str> {
        C::Network::HEAD.first().copied()
    }

    fn optional(&self) -> &'static [&'static str] {
        C::Network::OPTIONAL
    }

    fn check(&self, options: BuildOptions) -> Result<(), InvalidConfig> {
        options.apply(self).validate()
    }

    fn without_prefix(
        &self,
        options: BuildOptions,
        weights: StateDict,
        device: &Device,
    ) -> (StateDict, Option<String>) {
        let network = options.apply(self).init(device);
        weights::without_prefix(&network, weights)
    }

    fn fresh(&self, options: BuildOptions, device: &Device) -> Box<dyn AnyNetwork> {
        Box::new(options.apply(self).init(device))
    }

    fn load(
        &self,
        options: BuildOptions,
        weights: &StateDict,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, WeightsError> {
        let network = options.apply(self).init(device);
        Ok(Box::new(weights::load(network, weights, Heads::Load)?))
    }

    #[cfg(feature = "train")]
    fn trainable(
        &self,
        options: BuildOptions,
        recipe: &Recipe,
        weights: Option<(&StateDict, Heads)>,
        devices: Vec<Device>,
    ) -> Result<Box<dyn TrainableNetwork>, TrainableError> {
        let config = with_fields(&options.apply(self), &recipe.network)?;
        config.validate().map_err(TrainableError::Config)?;
        let network = Session::init_network(&config, &devices[0], recipe.seed);
        let network = match weights {
            None => network,
            Some((weights, heads)) => {
                weights::load(network, weights, heads).map_err(TrainableError::Weights)?
            }
        };
        let session = Session::new(network, devices, recipe).map_err(TrainableError::Stage)?;
        Ok(Box::new(session))
    }

    fn graph(&self, options: BuildOptions, input: [usize; 4]) -> Result<Graph, GraphError> {
        let init = |device: &Device| options.apply(self).init(device);
        let graph = if options.auxiliary {
            Graph::trace(init, input, |network, images| network.forward_train(images))
        } else {
            Graph::trace(init, input, |network, images| {
                Network::forward(network, images)
            })
        }?;
        Ok(graph.renamed(C::Network::reference_name))
    }
}

/// A network cannot be built for training.
#[cfg(feature = "train")]
#[derive(Debug)]
pub(super) enum TrainableError {
    /// The recipe sets an unknown field of the configuration, or a value of the wrong type.
    Fields(String),
    /// A field of the configuration is out of its range.
    Config(InvalidConfig),
    /// The weights belong to another network.
    Weights(WeightsError),
    /// The recipe freezes an unknown stage.
    Stage(UnknownStage),
}

/// Returns `config` with the values of `fields`.
#[cfg(feature = "train")]
fn with_fields<C: NetworkConfig>(config: &C, fields: &toml::Table) -> Result<C, TrainableError> {
    let failed = |error: serde_json::Error| TrainableError::Fields(error.to_string());
    let mut value = serde_json::to_value(config).map_err(failed)?;
    for (field, new) in fields {
        let object = value.as_object_mut();
        let Some(old) = object.and_then(|object| object.get_mut(field)) else {
            let known = value
                .as_object()
                .into_iter()
                .flat_map(serde_json::Map::keys);
            let known: Vec<&str> = known.map(String::as_str).collect();
            return Err(TrainableError::Fields(format!(
                "unknown field {field}, expected one of {}",
                known.join(", ")
            )));
        };
        *old = serde_json::to_value(new).map_err(failed)?;
    }
    serde_json::from_value(value).map_err(failed)
}
