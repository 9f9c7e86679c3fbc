//! A summary by blocks.

use std::collections::HashMap;

use super::{Layer, Summary};

impl Summary {
    /// The same totals with one row for all layers whose names begin with the same `depth` names:
    /// 1 makes ResNet's `layer1` one row, 2 its blocks `layer1.0`. A row's output is that of its
    /// last layer; 0 leaves one row.
    #[must_use]
    pub fn grouped(&self, depth: usize) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<(String, Vec<&Layer>)> = Vec::new();
        for layer in &self.layers {
            let names: Vec<&str> = layer.name.split('.').take(depth).collect();
            let key = if depth == 0 {
                self.model.clone()
            } else {
                names.join(".")
            };
            let place = *places.entry(key.clone()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(layer);
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
                .map(|(name, layers)| together(name, &layers))
                .collect(),
            widest,
            ..self.clone()
        }
    }
}

fn together(name: String, layers: &[&Layer]) -> Layer {
    let sum = |count: fn(&Layer) -> u64| layers.iter().map(|layer| count(layer)).sum();
    let alone = |text: fn(&Layer) -> Option<String>| match layers {
        [layer] => text(layer),
        _ => None,
    };
    Layer {
        kind: alone(|layer| Some(layer.kind.clone()))
            .unwrap_or_else(|| kinds(layers.iter().map(|layer| layer.kind.as_str()))),
        activation: alone(|layer| layer.activation.clone()),
        output: layers
            .last()
            .map_or_else(Vec::new, |layer| layer.output.clone()),
        parameters: sum(|layer| layer.parameters),
        fixed: sum(|layer| layer.fixed),
        formula: alone(|layer| Some(layer.formula.clone())).unwrap_or_default(),
        macs: sum(|layer| layer.macs),
        connections: sum(|layer| layer.connections),
        activation_values: sum(|layer| layer.activation_values),
        memory_bytes: sum(|layer| layer.memory_bytes),
        name,
    }
}

/// `6 conv, 6 batch norm, 2 add`, the kinds in the order of their first layers, without sizes.
pub(crate) fn kinds<'a>(layers: impl IntoIterator<Item = &'a str>) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for layer in layers {
        let words = layer.split(' ');
        let kind = words
            .take_while(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
            .collect::<Vec<_>>()
            .join(" ");
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    counts.join(", ")
}
