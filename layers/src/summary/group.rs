//! Grouping of a summary's layers by the first names of their module paths.

use std::collections::HashMap;

use super::kind::count_kinds;
use super::report::{Layer, Summary};

impl Summary {
    /// Returns the summary with one row for all layers that agree in the first `depth` names of
    /// their module paths.
    ///
    /// Depth 1 makes ResNet's `layer1` one row, depth 2 makes each block `layer1.0` one row, and
    /// depth 0 makes the network one row. The output of a row is that of its last layer.
    #[must_use]
    pub fn grouped(&self, depth: usize) -> Self {
        let mut index_of: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<(String, Vec<&Layer>)> = Vec::new();
        for layer in &self.layers {
            let names: Vec<&str> = layer.name.split('.').take(depth).collect();
            let key = if depth == 0 {
                self.model.clone()
            } else {
                names.join(".")
            };
            let index = *index_of.entry(key.clone()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[index].1.push(layer);
        }
        let widest = groups
            .iter()
            .find(|(_, layers)| {
                layers
                    .iter()
                    .any(|layer| self.widest.as_ref() == Some(&layer.name))
            })
            .map(|(name, _)| name.clone());
        Self {
            layers: groups
                .into_iter()
                .map(|(name, layers)| merged_row(name, &layers))
                .collect(),
            widest,
            ..self.clone()
        }
    }
}

/// Returns the row of a group: the sums of all counts.
fn merged_row(name: String, layers: &[&Layer]) -> Layer {
    let sum = |count: fn(&Layer) -> u64| layers.iter().map(|layer| count(layer)).sum();
    let single = |text: fn(&Layer) -> Option<String>| match layers {
        [layer] => text(layer),
        _ => None,
    };
    Layer {
        kind: single(|layer| Some(layer.kind.clone()))
            .unwrap_or_else(|| count_kinds(layers.iter().map(|layer| layer.kind.as_str()))),
        activation: single(|layer| layer.activation.clone()),
        output: layers
            .last()
            .map_or_else(Vec::new, |layer| layer.output.clone()),
        channel_axis: layers.last().map_or(1, |layer| layer.channel_axis),
        parameters: sum(|layer| layer.parameters),
        fixed: sum(|layer| layer.fixed),
        formula: single(|layer| Some(layer.formula.clone())).unwrap_or_default(),
        macs: sum(|layer| layer.macs),
        uncounted: (layers.iter())
            .flat_map(|layer| layer.uncounted.iter().cloned())
            .collect(),
        connections: sum(|layer| layer.connections),
        activation_values: sum(|layer| layer.activation_values),
        memory_bytes: sum(|layer| layer.memory_bytes),
        name,
    }
}
