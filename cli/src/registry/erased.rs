//! A network, and a published variant, without their types.

use burn::tensor::{Device, Tensor};
use receptive_layers::compile::{self, CompileError, Compiled, Options};
use receptive_layers::graph::{Graph, GraphError};
use receptive_layers::network::{InvalidConfig, Network, NetworkConfig};
use receptive_layers::weights::{self, Heads, StateDict, WeightsError};

/// A network whose type only the registry knows.
pub trait AnyNetwork {
    /// Class scores before softmax, `[batch, classes]`, of images `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;

    /// Its weights under the reference's names.
    fn state_dict(&self) -> StateDict;

    /// The network as a plan for this machine's processor and images of shape `input`.
    fn compile(&self, input: [usize; 4], options: &Options) -> Result<Compiled, CompileError>;
}

impl<N: Network> AnyNetwork for N {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        Network::forward(self, images)
    }

    fn state_dict(&self) -> StateDict {
        weights::state_dict(self)
    }

    fn compile(&self, input: [usize; 4], options: &Options) -> Result<Compiled, CompileError> {
        compile::compile(self, input, options)
    }
}

/// The hyperparameters of a network whose type only the registry knows.
pub(super) trait AnyConfig {
    /// Prefixes of the tensors whose shape depends on the number of classes.
    fn head(&self) -> &'static [&'static str];

    /// Prefixes of the auxiliary heads' tensors.
    fn optional(&self) -> &'static [&'static str];

    /// Whether a network can be built so.
    fn check(&self, shape: Shape) -> Result<(), InvalidConfig>;

    /// The network with weights as they are drawn before training.
    fn fresh(&self, shape: Shape, device: &Device) -> Box<dyn AnyNetwork>;

    /// The network with these weights.
    fn load(
        &self,
        shape: Shape,
        weights: &StateDict,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, WeightsError>;

    /// The layers that images of this shape pass; in training through the auxiliary heads too.
    fn graph(&self, shape: Shape, input: [usize; 4]) -> Result<Graph, GraphError>;
}

/// What is chosen about a published network when it is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Classes that the head tells apart.
    pub classes: usize,
    /// Whether it has its auxiliary heads.
    pub auxiliary: bool,
}

impl Shape {
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

    fn check(&self, shape: Shape) -> Result<(), InvalidConfig> {
        shape.of(self).validate()
    }

    fn fresh(&self, shape: Shape, device: &Device) -> Box<dyn AnyNetwork> {
        Box::new(shape.of(self).init(device))
    }

    fn load(
        &self,
        shape: Shape,
        weights: &StateDict,
        device: &Device,
    ) -> Result<Box<dyn AnyNetwork>, WeightsError> {
        let network = shape.of(self).init(device);
        Ok(Box::new(weights::load(network, weights, Heads::Load)?))
    }

    fn graph(&self, shape: Shape, input: [usize; 4]) -> Result<Graph, GraphError> {
        let init = |device: &Device| shape.of(self).init(device);
        let graph = if shape.auxiliary {
            Graph::trace(init, input, |network, images| network.forward_train(images))
        } else {
            Graph::trace(init, input, |network, images| {
                Network::forward(network, images)
            })
        }?;
        Ok(graph.renamed(C::Network::reference_name))
    }
}
