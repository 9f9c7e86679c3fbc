//! Counting of the costs of a graph.

use receptive_kernels::cost::CostError;

use super::error::SummaryError;
use super::layers::layers;
use super::receptive_field::receptive_field;
use super::report::{Layer, Summary};
use crate::graph::{Graph, ParameterKind};

impl Summary {
    /// Counts the costs of `graph`, titled `model`.
    ///
    /// # Errors
    ///
    /// [`SummaryError`] if a count overflows 64 bits or a window does not fit its input.
    pub fn from_graph(graph: &Graph, model: &str) -> Result<Self, SummaryError> {
        let layers = layers(graph)?;
        let receptive_field = receptive_field(graph)?;
        let input = graph.value(graph.input);
        let sum = |count: fn(&Layer) -> u64| -> Result<u64, SummaryError> {
            layers.iter().try_fold(0u64, |total, layer| {
                let quantity = "total";
                let total = total.checked_add(count(layer));
                total.ok_or_else(|| SummaryError {
                    layer: layer.name.clone(),
                    reason: CostError::Overflow { quantity }.into(),
                })
            })
        };
        let input_values = input.len() as u64;
        let uncounted = layers.iter().flat_map(|layer| {
            let operations = layer.uncounted.iter();
            operations.map(|operation| format!("{}: {operation}", layer.name))
        });
        let widest = layers
            .iter()
            .rev()
            .filter(|layer| layer.activation_values > 0)
            .max_by_key(|layer| layer.activation_values)
            .map(|layer| layer.name.clone());
        Ok(Self {
            model: model.to_owned(),
            input: input.shape.clone(),
            parameters: sum(|layer| layer.parameters)?,
            fixed: sum(|layer| layer.fixed)?,
            parameter_bytes: parameter_bytes(graph),
            macs: sum(|layer| layer.macs)?,
            uncounted: uncounted.collect(),
            activation_values: sum(|layer| layer.activation_values)? + input_values,
            activation_bytes: sum(|layer| layer.memory_bytes)?
                + input_values * input.dtype.size() as u64,
            connections: sum(|layer| layer.connections)?,
            widest,
            receptive_field,
            layers,
        })
    }
}

/// Returns the size of the trainable parameters in bytes.
fn parameter_bytes(graph: &Graph) -> u64 {
    graph
        .values
        .iter()
        .filter(|value| matches!(value.parameter(), Some((_, ParameterKind::Trainable))))
        .map(|value| (value.len() * value.dtype.size()) as u64)
        .sum()
}
