//! A small network that shows every value of every layer.

mod drawing;
mod layer;
mod sliding;
#[cfg(test)]
mod tests;

use receptive_layers::compile::{Compiled, Options, Precision};
use receptive_layers::graph::Graph;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::softmax;
use receptive_layers::weights::{self, Heads, StateDict};
use receptive_lenet::{LeNet5, LeNet5Config};

use crate::error::Error;
use crate::explain::{self, Explanation, Unit};

pub(crate) use drawing::Frame;
pub use layer::{Kind, LayerInfo, Pool};

/// A network of one chain of layers, compiled so that every layer's map is an output, with the values of the
/// last drawing; at first those of blank paper.
pub struct Explorer {
    pub(crate) graph: Graph,
    pub(crate) layers: Vec<layer::Layer>,
    pub(crate) frame: Frame,
    pub(crate) values: Vec<Vec<f32>>,
    plan: Compiled,
}

impl Explorer {
    /// LeNet-5 with the weights in `bytes`, a file as `receptive train lenet5` writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] when they are no weights of LeNet-5.
    pub fn lenet5(bytes: &[u8]) -> Result<Self, Error> {
        let dictionary = StateDict::from_bytes(bytes)?;
        let config = LeNet5Config::lenet5();
        let graph = loaded(&config, &dictionary, |network, images| {
            Network::forward(network, images)
        })?;
        Self::from_graph(graph.renamed(LeNet5::reference_name), Frame::LENET5)
    }

    /// The network of `graph`, which has its weights, on drawings in `frame`.
    ///
    /// # Errors
    ///
    /// [`Error::Unexplained`] names a layer that there is no explanation for.
    pub(crate) fn from_graph(mut graph: Graph, frame: Frame) -> Result<Self, Error> {
        let layers = layer::chain(&graph)?;
        graph.outputs = layers.iter().skip(1).map(|layer| layer.value).collect();
        let options = Options {
            precision: Precision::Exact,
            ..Options::default()
        };
        let plan = Compiled::from_graph(graph.clone(), &options)?;
        let values = layers.iter().map(|layer| vec![0.0; layer.info.len()]);
        let mut explorer = Self {
            graph,
            values: values.collect(),
            layers,
            frame,
            plan,
        };
        explorer.run(&vec![0.0; frame.len()])?;
        Ok(explorer)
    }

    /// What there is, in order; 0 is the input.
    pub fn layers(&self) -> impl Iterator<Item = &LayerInfo> {
        self.layers.iter().map(|layer| &layer.info)
    }

    /// The probabilities of the classes for a drawing, 0 (paper) to 1 (ink), row by row.
    ///
    /// # Errors
    ///
    /// [`Error::DrawingSize`] and [`Error::Ink`] when it is no drawing.
    pub fn run(&mut self, drawing: &[f32]) -> Result<Vec<f32>, Error> {
        let [input, outputs @ ..] = &mut self.values[..] else {
            unreachable!("the input is a layer")
        };
        self.frame.fill(drawing, input)?;
        let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.plan.run_into(input, &mut outputs)?;
        Ok(softmax(self.values.last().map_or(&[], Vec::as_slice)))
    }

    /// The values of a layer for the last drawing, `[channels, height, width]`.
    ///
    /// # Errors
    ///
    /// [`Error::Place`] when there is no such layer.
    pub fn values(&self, layer: usize) -> Result<&[f32], Error> {
        self.check_layer(layer)?;
        Ok(&self.values[layer])
    }

    /// How the value of `unit` came about.
    ///
    /// # Errors
    ///
    /// [`Error::Place`] when there is no such layer, [`Error::Unit`] when it has no such unit.
    pub fn explain(&self, unit: Unit) -> Result<Explanation, Error> {
        self.check_layer(unit.layer)?;
        let info = &self.layers[unit.layer].info;
        let asked = [unit.channel, unit.row, unit.column];
        if asked.iter().zip(info.shape).any(|(&at, len)| at >= len) {
            return Err(Error::Unit {
                layer: info.name.clone(),
                asked,
                shape: info.shape,
            });
        }
        explain::explain(self, unit)
    }

    fn check_layer(&self, asked: usize) -> Result<(), Error> {
        let last = self.layers.len() - 1;
        if asked > last {
            let what = "layer";
            return Err(Error::Place { what, asked, last });
        }
        Ok(())
    }
}

/// The graph of `forward` with the weights of `dictionary`, recorded as one image of the published size
/// runs through it. No parameter is initialised, and no backend computes anything.
///
/// # Errors
///
/// [`Error::Weights`] when they do not fit.
pub(crate) fn loaded<C: NetworkConfig>(
    config: &C,
    dictionary: &StateDict,
    forward: impl FnOnce(&C::Network, burn::tensor::Tensor<4>) -> burn::tensor::Tensor<2>,
) -> Result<Graph, Error> {
    let mut problem = None;
    let init = |device: &burn::tensor::Device| {
        weights::load(config.init(device), dictionary, Heads::Load).unwrap_or_else(|error| {
            problem = Some(error);
            config.init(device)
        })
    };
    let graph = Graph::trace(init, config.input().shape(), forward)?;
    match problem {
        None => Ok(graph),
        Some(error) => Err(error.into()),
    }
}
