//! A small network with access to every value of every layer.

mod single_layer;
#[cfg(test)]
mod tests;

use receptive_layers::compile::{Compiled, Options, Precision};
use receptive_layers::graph::{Graph, LOGITS};
use receptive_layers::softmax;
use receptive_layers::weights::StateDict;
use receptive_lenet::LeNet5Config;

use crate::chain::{Chain, InputFrame, LayerInfo, layers};
use crate::error::Error;
use crate::explain::{Explanation, Unit, explain};
use crate::record::record;

/// A network whose layers form one chain, compiled so that every layer's feature maps are outputs.
///
/// The explorer holds the values of the last drawing, and of blank paper before the first drawing.
pub struct Explorer {
    chain: Chain,
    plan: Compiled,
}

impl Explorer {
    /// Returns LeNet-5 with the weights in `bytes`, a file that `receptive train lenet5` writes.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if the bytes are not weights of LeNet-5.
    pub fn lenet5(bytes: &[u8]) -> Result<Self, Error> {
        let dictionary = StateDict::from_bytes(bytes)?;
        let graph = record(&LeNet5Config::lenet5(), &dictionary, &[LOGITS])?;
        Self::from_graph(graph, InputFrame::LENET5)
    }

    /// Returns an explorer of `graph`, which must hold its weights, for drawings in `frame`.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedLayer`] if the explorer does not support a layer.
    fn from_graph(mut graph: Graph, frame: InputFrame) -> Result<Self, Error> {
        let layers = layers(&graph)?;
        graph.outputs = layers.iter().skip(1).map(|layer| layer.value).collect();
        let options = Options {
            precision: Precision::Exact,
            ..Options::default()
        };
        let plan = Compiled::from_graph(graph.clone(), &options)?;
        let values = layers.iter().map(|layer| vec![0.0; layer.info.len()]);
        let chain = Chain {
            graph,
            values: values.collect(),
            layers,
            frame,
        };
        let mut explorer = Self { chain, plan };
        explorer.run(&vec![0.0; frame.len()])?;
        Ok(explorer)
    }

    /// Returns the layers in order; layer 0 is the input.
    pub fn layers(&self) -> impl Iterator<Item = &LayerInfo> {
        self.chain.layers.iter().map(|layer| &layer.info)
    }

    /// Runs the network on a drawing and returns the probabilities of the classes.
    ///
    /// The drawing is row by row, with values from 0 (paper) to 1 (ink).
    ///
    /// # Errors
    ///
    /// [`Error::DrawingSize`] if the number of pixels is wrong, [`Error::Ink`] if a value is out of
    /// range.
    pub fn run(&mut self, drawing: &[f32]) -> Result<Vec<f32>, Error> {
        let Chain { frame, values, .. } = &mut self.chain;
        let [input, outputs @ ..] = &mut values[..] else {
            unreachable!("the input is a layer")
        };
        frame.fill(drawing, input)?;
        let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.plan.run_into(input, &mut outputs)?;
        Ok(softmax(values.last().map_or(&[], Vec::as_slice)))
    }

    /// Returns the values of a layer for the last drawing, `[channels, height, width]`.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] if the layer does not exist.
    pub fn values(&self, layer: usize) -> Result<&[f32], Error> {
        self.check_layer(layer)?;
        Ok(&self.chain.values[layer])
    }

    /// Explains how the value of `unit` is computed.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] if the layer does not exist, [`Error::Unit`] if the layer has no such unit.
    pub fn explain(&self, unit: Unit) -> Result<Explanation, Error> {
        self.check_layer(unit.layer)?;
        let info = &self.chain.layers[unit.layer].info;
        let index = [unit.channel, unit.row, unit.column];
        if index.iter().zip(info.shape).any(|(&at, len)| at >= len) {
            return Err(Error::Unit {
                layer: info.name.clone(),
                index,
                shape: info.shape,
            });
        }
        explain(&self.chain, unit)
    }

    fn check_layer(&self, index: usize) -> Result<(), Error> {
        let last = self.chain.layers.len() - 1;
        if index > last {
            let item = "layer";
            return Err(Error::Index { item, index, last });
        }
        Ok(())
    }
}
