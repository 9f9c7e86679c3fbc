//! Receptive field of a unit.

use std::ops::Range;

use receptive_layers::graph::Op;

use super::explanation::{Rect, Unit};
use crate::chain::Chain;
use crate::error::Error;

/// Returns the receptive field of `unit` in pixels of the drawing, clipped to the drawing.
///
/// The function walks from the unit's layer to the input and widens the range of rows and columns
/// at every layer.
pub(super) fn receptive_field(chain: &Chain, unit: Unit) -> Result<Rect, Error> {
    let mut index = unit.layer;
    let mut field = [unit.row..unit.row + 1, unit.column..unit.column + 1];
    while let Ok(source) = usize::try_from(chain.layers[index].info.source) {
        let shape = chain.layers[source].info.shape;
        if let Some(node) = chain.layers[index].node {
            let node = &chain.graph.nodes[node];
            if let Some([rows, columns]) = chain.graph.windows(node) {
                field = [
                    rows.seen(field[0].clone(), shape[1])?,
                    columns.seen(field[1].clone(), shape[2])?,
                ];
            } else if node.op == Op::Linear {
                field = [0..shape[1], 0..shape[2]];
            }
        }
        index = source;
    }
    let frame = chain.frame;
    let clipped = |axis: &Range<usize>| {
        let clip = |at: usize| at.saturating_sub(frame.padding).min(frame.size);
        (clip(axis.start), clip(axis.end))
    };
    let ((top, bottom), (left, right)) = (clipped(&field[0]), clipped(&field[1]));
    let empty = top == bottom || left == right;
    Ok(Rect {
        top: top as i64,
        left: left as i64,
        height: if empty { 0 } else { bottom - top },
        width: if empty { 0 } else { right - left },
    })
}
