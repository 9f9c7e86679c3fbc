//! Padding.

use receptive_layers::graph::SliceRange;

use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape;

/// `Pad` with a constant, or with elements of the tensor. Negative padding removes elements.
pub fn pad(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let rank = lengths.len();
    let is_old = call.opset < 11;
    let given = match is_old {
        true => call.attributes.integers("pads")?.map(<[i64]>::to_vec),
        false => call.integers(1, "pads")?,
    };
    let Some(given) = given else {
        return invalid("the padding is missing");
    };
    let value = match is_old {
        true => call.attributes.float("value", 0.0)?,
        false => call.number(2, "values")?.unwrap_or(0.0),
    };
    let axes = match call.integers(3, "axes")? {
        Some(axes) => {
            shape::axes(&axes, rank)?;
            let axes = axes.iter().map(|&axis| shape::axis(axis, rank));
            axes.collect::<Result<Vec<_>>>()?
        }
        None => (0..rank).collect(),
    };
    if given.len() != 2 * axes.len() {
        return invalid(format!(
            "{} numbers of padding for {} axes",
            given.len(),
            axes.len()
        ));
    }
    let mut sides = vec![[0i64; 2]; rank];
    for (index, &axis) in axes.iter().enumerate() {
        sides[axis] = [given[index], given[axes.len() + index]];
        for side in sides[axis] {
            if side.unsigned_abs() > shape::MAX_ELEMENTS {
                return invalid(format!("padding of {side} elements"));
            }
        }
    }
    let mode = call.attributes.text("mode", "constant")?;
    let source: fn(i64, i64) -> i64 = match mode {
        "constant" => return Ok(vec![constant(call, &x, &sides, value)?]),
        "edge" => |index, length| index.clamp(0, length - 1),
        "reflect" => |index, length| {
            let period = (2 * (length - 1)).max(1);
            let index = index.rem_euclid(period);
            index.min(period - index).min(length - 1)
        },
        "wrap" => |index, length| index.rem_euclid(length),
        other => return invalid(format!("the mode is \"{other}\"")),
    };
    let mut result = x;
    for (axis, [before, after]) in sides.into_iter().enumerate() {
        let length = lengths[axis] as i64;
        if [before, after] == [0, 0] {
            continue;
        }
        let count = before + length + after;
        if length == 0 || count <= 0 {
            return invalid(format!(
                "padding of {before} and {after} of an axis of length {length}"
            ));
        }
        call.state.fold(count as usize, 0)?;
        let indices = (-before..length + after).map(|index| source(index, length) as usize);
        result = call.select(&result, axis, indices.collect())?;
    }
    Ok(vec![result])
}

fn constant(
    call: &mut Call<'_, '_>,
    x: &Operand,
    sides: &[[i64; 2]],
    value: f64,
) -> Result<Operand> {
    let mut ranges = Vec::new();
    for (&length, sides) in call.shape(x).iter().zip(sides) {
        let [before, after] = sides.map(|side| side.min(0).unsigned_abs() as usize);
        let end = length.saturating_sub(after);
        if before >= end && before + after > 0 {
            return invalid(format!(
                "padding of {sides:?} of an axis of length {length}"
            ));
        }
        ranges.push(SliceRange {
            start: before,
            end,
            step: 1,
        });
    }
    let kept = call.slice(x, ranges)?;
    let padding = sides
        .iter()
        .map(|sides| sides.map(|side| side.max(0) as usize));
    call.pad(&kept, padding.collect(), value)
}
