//! Explanation of one value of one layer: its receptive field and its arithmetic.

mod arithmetic;
mod explanation;
mod receptive_field;

use crate::chain::{Chain, LayerKind};
use crate::error::Error;
use arithmetic::{Arithmetic, FeatureMaps, NodeUnit};
use receptive_field::receptive_field;

pub use explanation::{Explanation, Rect, Term, Unit};

/// Explains how the value of `unit` is computed. The unit must exist.
pub(crate) fn explain(chain: &Chain, unit: Unit) -> Result<Explanation, Error> {
    let layer = &chain.layers[unit.layer];
    let info = &layer.info;
    let arithmetic = match (layer.node, usize::try_from(info.source)) {
        (Some(node), Ok(source)) => NodeUnit {
            graph: &chain.graph,
            node,
            input: FeatureMaps::new(&chain.layers[source].info, &chain.values[source]),
            unit,
        }
        .arithmetic(info)?,
        _ => Arithmetic::default(),
    };
    let output = FeatureMaps::new(info, &chain.values[unit.layer]);
    let value = output.get([unit.channel, unit.row, unit.column]);
    let terms: f64 = arithmetic.terms.iter().map(|term| term.sum).sum();
    Ok(Explanation {
        value,
        kind: info.kind,
        receptive_field: receptive_field(chain, unit)?,
        patch: arithmetic.patch,
        sum: match info.kind {
            LayerKind::Input => f64::from(value),
            _ => terms + arithmetic.bias.map_or(0.0, f64::from),
        },
        terms: arithmetic.terms,
        bias: arithmetic.bias,
        activation: info.activation.clone(),
    })
}
