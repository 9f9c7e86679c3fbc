//! Recording of a network as a graph that holds its pretrained weights.

use burn::tensor::Device;
use receptive_layers::graph::Graph;
use receptive_layers::network::NetworkConfig;
use receptive_layers::weights::{self, Heads, StateDict};

use crate::error::Error;

/// Records the outputs called `outputs` for one image of the published size, with the weights in
/// `dictionary`.
///
/// The recording initialises no parameter and computes no value.
///
/// # Errors
///
/// [`Error::Weights`] if the weights do not fit the network.
pub(crate) fn record<C: NetworkConfig>(
    config: &C,
    dictionary: &StateDict,
    outputs: &[&str],
) -> Result<Graph, Error> {
    let mut load_error = None;
    let init = |device: &Device| {
        weights::load(config.init(device), dictionary, Heads::Load).unwrap_or_else(|error| {
            load_error = Some(error);
            config.init(device)
        })
    };
    let graph = Graph::trace_network(init, config.input().shape(), outputs)?;
    match load_error {
        None => Ok(graph),
        Some(error) => Err(error.into()),
    }
}
