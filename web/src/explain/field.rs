//! Which pixels a unit sees.

use std::ops::Range;

use receptive_layers::graph::Op;

use super::{Rect, Unit};
use crate::error::Error;
use crate::explorer::Explorer;

/// The pixels of the drawing that `unit` sees.
pub(super) fn of(explorer: &Explorer, unit: Unit) -> Result<Rect, Error> {
    let (mut index, mut seen) = (
        unit.layer,
        [unit.row..unit.row + 1, unit.column..unit.column + 1],
    );
    while let Ok(source) = usize::try_from(explorer.layers[index].info.source) {
        let shape = explorer.layers[source].info.shape;
        if let Some(node) = explorer.layers[index].node {
            let node = &explorer.graph.nodes[node];
            if let Some([rows, columns]) = explorer.graph.windows(node) {
                seen = [
                    rows.seen(seen[0].clone(), shape[1])?,
                    columns.seen(seen[1].clone(), shape[2])?,
                ];
            } else if node.op == Op::Linear {
                seen = [0..shape[1], 0..shape[2]];
            }
        }
        index = source;
    }
    let frame = explorer.frame;
    let within = |axis: &Range<usize>| {
        let clip = |at: usize| at.saturating_sub(frame.padding).min(frame.size);
        (clip(axis.start), clip(axis.end))
    };
    let ((top, bottom), (left, right)) = (within(&seen[0]), within(&seen[1]));
    let empty = top == bottom || left == right;
    Ok(Rect {
        top: top as i64,
        left: left as i64,
        height: if empty { 0 } else { bottom - top },
        width: if empty { 0 } else { right - left },
    })
}
