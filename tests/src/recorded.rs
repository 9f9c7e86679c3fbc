//! The recorded graphs of the reference networks, with their weights.

use receptive_layers::graph::{Graph, Origin, ValueData};
use receptive_layers::network::{Network, NetworkConfig};

use crate::formula;
use crate::networks::{self, Visit};
use crate::reference::Reference;

/// Records the graph of the reference's network for a batch of `images` images, and fills its
/// parameters by the formula.
///
/// # Panics
///
/// When the network cannot be recorded.
pub fn graph(reference: &Reference, images: usize) -> Graph {
    struct Record<'a>(&'a Reference, usize);

    impl Visit for Record<'_> {
        type Output = Graph;

        fn visit<C: NetworkConfig>(self, config: C) -> Graph {
            let Self(reference, images) = self;
            let [_, channels, height, width] = reference.input;
            let input = [images, channels, height, width];
            let forward = |network: &C::Network, images| Network::forward(network, images);
            Graph::trace(|device| config.init(device), input, forward)
                .expect("a network that can be recorded")
                .renamed(C::Network::reference_name)
        }
    }

    let mut graph = networks::visit(&reference.name, Record(reference, images));
    for value in &mut graph.values {
        if let Origin::Parameter { name, .. } = &value.origin {
            let elements = elements(reference, name, &value.shape);
            value.data = Some(ValueData::Elements(elements));
        }
    }
    graph
}

/// Returns the elements of the parameter `name`. The weight of a fully connected layer is `[in,
/// out]` in the graph and `[out, in]` in the formula.
fn elements(reference: &Reference, name: &str, shape: &[usize]) -> burn::tensor::TensorData {
    let fill = |shape: &[usize]| formula::fill(&reference.salt, name, shape, reference.gain);
    let values = match *shape {
        [ins, outs] => {
            let rows = fill(&[outs, ins]);
            let mut columns = vec![0.0; rows.len()];
            for (out, row) in rows.chunks_exact(ins).enumerate() {
                for (i, &x) in row.iter().enumerate() {
                    columns[i * outs + out] = x;
                }
            }
            columns
        }
        _ => fill(shape),
    };
    burn::tensor::TensorData::new(values, shape.to_vec())
}
