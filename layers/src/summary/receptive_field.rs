//! Receptive field of the last feature map.

use std::collections::HashMap;

use receptive_kernels::geometry::{GeometryError, ReceptiveField};

use super::error::SummaryError;
use crate::graph::{Graph, Node, Op, ValueId};

/// Returns the height and width of the receptive field of a unit of the last feature map, in pixels
/// of the input; `None` if the graph has no feature map. The output of a global or adaptive pool
/// does not count as a feature map.
pub(super) fn receptive_field(graph: &Graph) -> Result<Option<[usize; 2]>, SummaryError> {
    let mut fields: HashMap<ValueId, [ReceptiveField; 2]> = HashMap::new();
    if graph.shape(graph.input).len() == 4 {
        fields.insert(graph.input, [ReceptiveField::INPUT; 2]);
    }
    let mut last = None;
    for node in &graph.nodes {
        let field = output_field(graph, node, &fields).map_err(|error| SummaryError {
            layer: node.name.clone(),
            reason: error.into(),
        })?;
        if let Some(field) = field {
            fields.extend(node.outputs.iter().map(|&output| (output, field)));
            last = Some(field.map(|axis| axis.size));
        }
    }
    Ok(last)
}

/// Returns the receptive field of the outputs of `node`, given the fields of all earlier values;
/// `None` if the outputs are not feature maps.
fn output_field(
    graph: &Graph,
    node: &Node,
    fields: &HashMap<ValueId, [ReceptiveField; 2]>,
) -> Result<Option<[ReceptiveField; 2]>, GeometryError> {
    let mut union: Option<[ReceptiveField; 2]> = None;
    for field in node.inputs.iter().filter_map(|input| fields.get(input)) {
        union = Some(match union {
            Some([rows, columns]) => [rows.union(field[0])?, columns.union(field[1])?],
            None => *field,
        });
    }
    let maps = graph.shape(node.outputs[0]).len() == 4;
    let global = matches!(node.op, Op::AdaptiveAvgPool2d { .. } | Op::Mean { .. });
    let Some(field) = union.filter(|_| maps && !global) else {
        return Ok(None);
    };
    let Some(windows) = graph.windows(node) else {
        return Ok(Some(field));
    };
    let &[.., height, width] = graph.shape(node.inputs[0]) else {
        return Ok(None);
    };
    Ok(Some([
        field[0].then(&windows[0], height)?,
        field[1].then(&windows[1], width)?,
    ]))
}
