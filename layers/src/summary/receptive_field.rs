//! How much of the input a unit of the last map sees.

use std::collections::HashMap;

use receptive_kernels::geometry::{GeometryError, ReceptiveField};

use super::SummaryError;
use crate::graph::{Graph, Node, Op, ValueId};

/// Height and width, in pixels of the input, that a unit of the last map sees, where that map
/// comes of windows: not of a mean over whole maps.
pub(super) fn of(graph: &Graph) -> Result<Option<[usize; 2]>, SummaryError> {
    let mut fields: HashMap<ValueId, [ReceptiveField; 2]> = HashMap::new();
    if graph.shape(graph.input).len() == 4 {
        fields.insert(graph.input, [ReceptiveField::INPUT; 2]);
    }
    let mut last = None;
    for node in &graph.nodes {
        let field = after(graph, node, &fields).map_err(|error| SummaryError {
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

fn after(
    graph: &Graph,
    node: &Node,
    fields: &HashMap<ValueId, [ReceptiveField; 2]>,
) -> Result<Option<[ReceptiveField; 2]>, GeometryError> {
    let mut seen: Option<[ReceptiveField; 2]> = None;
    for field in node.inputs.iter().filter_map(|input| fields.get(input)) {
        seen = Some(match seen {
            Some([rows, columns]) => [rows.union(field[0])?, columns.union(field[1])?],
            None => *field,
        });
    }
    let maps = graph.shape(node.outputs[0]).len() == 4;
    let whole = matches!(node.op, Op::AdaptiveAvgPool2d { .. } | Op::Mean { .. });
    let Some(field) = seen.filter(|_| maps && !whole) else {
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
