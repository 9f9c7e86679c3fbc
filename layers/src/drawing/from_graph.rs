//! Construction of a diagram: one box per layer, optional grouping, collapsed repetitions.

use super::boxes::layer_boxes;
use super::collapse::collapse_repeats;
use super::diagram::Diagram;
use super::group::group_by_prefix;
use crate::graph::Graph;

impl Diagram {
    /// Returns the diagram of `graph`, titled `model`.
    ///
    /// With `depth`, layers that agree in the first `depth` names of their module paths are one
    /// box, as in [`Summary::grouped`](crate::summary::Summary::grouped).
    pub fn from_graph(graph: &Graph, model: &str, depth: Option<usize>) -> Self {
        let mut diagram = layer_boxes(graph, model);
        if let Some(depth) = depth {
            diagram = group_by_prefix(&diagram, depth);
        }
        collapse_repeats(&diagram)
    }
}
