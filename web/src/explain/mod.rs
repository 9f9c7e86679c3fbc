//! How one value of one layer came about: the pixels that it sees, and the arithmetic.

mod arithmetic;
mod field;

use serde::Serialize;

use crate::error::Error;
use crate::explorer::{Explorer, Kind};
use arithmetic::{Arithmetic, Map, Reader};

/// One value of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// The layer's place.
    pub layer: usize,
    /// Its channel.
    pub channel: usize,
    /// Its row.
    pub row: usize,
    /// Its column.
    pub column: usize,
}

/// How a unit's value came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The engine's value of the unit.
    pub value: f32,
    /// What the layer does.
    pub kind: Kind,
    /// The pixels of the drawing that it sees; of no height and width where it sees only the paper around.
    pub receptive_field: Rect,
    /// The window in the map of the layer that it reads; a convolution's may lie over the border. None of the
    /// input.
    pub patch: Option<Rect>,
    /// What is added up: one for each channel that is read.
    pub terms: Vec<Term>,
    /// Added to the terms.
    pub bias: Option<f32>,
    /// The terms and the bias; the largest value, of a max pool; the argument, of an activation.
    pub sum: f64,
    /// The function of the sum that gives the value, of an activation.
    pub activation: Option<String>,
}

/// A rectangle of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rect {
    /// The first row; negative above the map.
    pub top: i64,
    /// The first column; negative on the left of the map.
    pub left: i64,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// What one channel adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// The channel that is read.
    pub channel: usize,
    /// Rows that are read.
    pub rows: usize,
    /// Columns that are read.
    pub columns: usize,
    /// The values there, row by row; zeros outside of the map.
    pub patch: Vec<f32>,
    /// What each is multiplied by, an average pool's shares too; none where nothing is multiplied.
    pub kernel: Option<Vec<f32>>,
    /// The sum of the products; the largest value, of a max pool.
    pub sum: f64,
}

/// How the value of `unit`, which there is, came about.
pub(crate) fn explain(explorer: &Explorer, unit: Unit) -> Result<Explanation, Error> {
    let layer = &explorer.layers[unit.layer];
    let info = &layer.info;
    let arithmetic = match (layer.node, usize::try_from(info.source)) {
        (Some(node), Ok(source)) => Reader {
            graph: &explorer.graph,
            node,
            map: Map::of(&explorer.layers[source].info, &explorer.values[source]),
            unit,
        }
        .arithmetic(info)?,
        _ => Arithmetic::default(),
    };
    let value =
        Map::of(info, &explorer.values[unit.layer]).at([unit.channel, unit.row, unit.column]);
    let terms: f64 = arithmetic.terms.iter().map(|term| term.sum).sum();
    Ok(Explanation {
        value,
        kind: info.kind,
        receptive_field: field::of(explorer, unit)?,
        patch: arithmetic.patch,
        sum: match info.kind {
            Kind::Input => f64::from(value),
            _ => terms + arithmetic.bias.map_or(0.0, f64::from),
        },
        terms: arithmetic.terms,
        bias: arithmetic.bias,
        activation: info.activation.clone(),
    })
}
