//! A network, and a published variant, without their types.

use burn::module::{ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use receptive_layers::compile::{self, CompileError, Compiled, Options};
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

/// A network whose type only the registry knows.
pub trait AnyNetwork {
    /// Class scores before softmax, `[batch, classes]`, of images `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;

    /// Its weights under the reference's names.
    fn state_dict(&self) -> StateDict;

    /// The maps after every stage, `[batch, channels, height, width]`, with the stage's name.
    fn features(&self, images: Tensor<4>) -> Vec<(&'static str, Tensor<4>)>;

    /// The kernels of the first convolution, `[out, in, height, width]`.
    fn first_kernels(&self) -> Option<Tensor<4>>;

    /// The network as a plan for this machine's processor and images of options `input`.
    fn compile(&self, input: [usize; 4], options: &Options) -> Result<Compiled, CompileError>;
}

impl<N: Network> AnyNetwork for N {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        Network::forward(self, images)
    }

    fn state_dict(&self) -> StateDict {
        weights::state_dict(self)
    }

    fn features(&self, images: Tensor<4>) -> Vec<(&'static str, Tensor<4>)> {
        let names = N::STAGES.iter().map(|stage| stage.name);
        names.zip(Network::features(self, images)).collect()
    }

    fn first_kernels(&self) -> Option<Tensor<4>> {
        let mut first = FirstKernels(None);
        self.visit(&mut first);
        first.0
    }

    fn compile(&self, input: [usize; 4], options: &Options) -> Result<Compiled, CompileError> {
        compile::compile(self, input, options)
    }
}

/// The first parameter of four dimensions.
struct FirstKernels(Option<Tensor<4>>);

impl ModuleVisitor for FirstKernels {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D == 4 && self.0.is_none() {
            let value = param.val();
            let options: [usize; 4] = std::array::from_fn(|axis| value.dims()[axis]);
            self.0 = Some(value.reshape(options));
        }
    }
}

/// The hyperparameters of a network whose type only the registry knows.
pub(super) trait AnyConfig {
    /// Prefixes of the tensors whose options depends on the number of classes.
    fn head(&self) -> &'static [&'static str];

    /// Prefixes of the auxiliary heads' tensors.
    fn optional(&self) -> &'static [&'static str];

    /// Whether a network can be built so.
    fn check(&self, options: BuildOptions) -> Result<(), InvalidConfig>;

    /// The network with weights as they are drawn before training.
    fn fresh(&self, options: BuildOptions, device: &Device) -> Box<dyn AnyNetwork>;

    /// The network with these weights.
    fn load(
        &self,
        options: BuildOptions,
        weights: &StateDict,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, WeightsError>;

    /// The network while it is trained.
    #[cfg(feature = "train")]
    fn trainable(
        &self,
        options: BuildOptions,
        recipe: &Recipe,
        weights: Option<(&StateDict, Heads)>,
        devices: Vec<Device>,
    ) -> Result<Box<dyn TrainableNetwork>, TrainableError>;

    /// The layers that images of this options pass; in training through the auxiliary heads too.
    fn graph(&self, options: BuildOptions, input: [usize; 4]) -> Result<Graph, GraphError>;
}

/// What is chosen about a published network when it is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct BuildOptions {
    /// Classes that the head tells apart.
    pub classes: usize,
    /// Whether it has its auxiliary heads.
    pub auxiliary: bool,
}

impl BuildOptions {
    fn of<C: NetworkConfig>(self, config: &C) -> C {
        config
            .clone()
            .with_classes(self.classes)
            .with_auxiliary(self.auxiliary)
    }
}

impl<C: NetworkConfig + 'static> AnyConfig for C {
    fn head(&self) -> &'static [&'static str] {
        C::Network::HEAD
    }

    fn optional(&self) -> &'static [&'static str] {
        C::Network::OPTIONAL
    }

    fn check(&self, options: BuildOptions) -> Result<(), InvalidConfig> {
        options.of(self).validate()
    }

    fn fresh(&self, options: BuildOptions, device: &Device) -> Box<dyn AnyNetwork> {
        Box::new(options.of(self).init(device))
    }

    fn load(
        &self,
        options: BuildOptions,
        weights: &StateDict,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, WeightsError> {
        let network = options.of(self).init(device);
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
        let config = with_fields(&options.of(self), &recipe.network)?;
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
        let init = |device: &Device| options.of(self).init(device);
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

/// Why a network cannot be trained so.
#[cfg(feature = "train")]
#[derive(Debug)]
pub(super) enum TrainableError {
    /// The recipe sets a field that the configuration has not, or to another kind of value.
    Fields(String),
    /// A field is out of its range.
    Config(InvalidConfig),
    /// The weights are another network's.
    Weights(WeightsError),
    /// The recipe freezes a stage that there is not.
    Stage(UnknownStage),
}

/// The configuration with these values in the place of its fields.
#[cfg(feature = "train")]
fn with_fields<C: NetworkConfig>(config: &C, fields: &toml::Table) -> Result<C, TrainableError> {
    let failed = |error: serde_json::Error| TrainableError::Fields(error.to_string());
    let mut value = serde_json::to_value(config).map_err(failed)?;
    for (field, new) in fields {
        let known = value.as_object_mut();
        let Some(old) = known.and_then(|known| known.get_mut(field)) else {
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
