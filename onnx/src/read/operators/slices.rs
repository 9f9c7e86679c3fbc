//! Parts of tensors, and their concatenation.

use receptive_layers::graph::SliceRange;

use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape::{self, length};

/// `Concat`.
pub fn concat(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let parts = (0..call.inputs.len()).map(|index| call.input(index));
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let Some(first) = parts.first() else {
        return invalid("the operands are missing");
    };
    if !call.attributes.has("axis") {
        return invalid("the attribute axis is missing");
    }
    let axis = shape::axis(call.attributes.integer("axis", 0)?, call.shape(first).len())?;
    Ok(vec![call.concat(&parts, axis)?])
}

/// `Split`, with the lengths as an attribute or operand, or into equal parts.
pub fn split(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let axis = shape::axis(call.attributes.integer("axis", 0)?, lengths.len())?;
    let whole = lengths[axis];
    let given = match call.integers(1, "lengths")? {
        Some(given) => Some(given),
        None => call.attributes.integers("split")?.map(<[i64]>::to_vec),
    };
    let outputs = call.used.len();
    let parts = match given {
        Some(given) => {
            let parts = given.iter().map(|&part| length(part, "a length"));
            parts.collect::<Result<Vec<_>>>()?
        }
        None => {
            let default = outputs as i64;
            let parts = length(
                call.attributes.integer("num_outputs", default)?,
                "num_outputs",
            )?;
            if parts == 0 || parts != outputs {
                return invalid(format!("{outputs} outputs, expected {parts}"));
            }
            // The last part is shorter if the parts cannot be equal.
            let part = whole.div_ceil(parts);
            (0..parts)
                .map(|i| part.min(whole.saturating_sub(i * part)))
                .collect()
        }
    };
    let sum = parts
        .iter()
        .fold(0usize, |sum, &part| sum.saturating_add(part));
    if parts.len() != outputs || sum != whole {
        return invalid(format!(
            "{outputs} outputs of lengths {parts:?} of an axis of length {whole}"
        ));
    }
    let mut start = 0;
    let mut results = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        // An unused part may have no elements.
        results.push(match call.is_used(index) {
            true => call.slice_axis(&x, axis, start, start + part)?,
            false => x.clone(),
        });
        start += part;
    }
    Ok(results)
}

/// `Slice`, with bounds as attributes or operands.
pub fn slice(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let list = |index: usize, name: &str| match call.opset < 10 {
        true => Ok(call.attributes.integers(name)?.map(<[i64]>::to_vec)),
        false => call.integers(index, name),
    };
    let (Some(starts), Some(ends)) = (list(1, "starts")?, list(2, "ends")?) else {
        return invalid("starts or ends is missing");
    };
    let axes = list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return invalid("starts, ends, axes and steps have different lengths");
    }
    shape::axes(&axes, lengths.len())?;
    let whole = |&end: &usize| SliceRange {
        start: 0,
        end,
        step: 1,
    };
    let mut ranges: Vec<SliceRange> = lengths.iter().map(whole).collect();
    let mut reversed = Vec::new();
    for index in 0..starts.len() {
        let axis = shape::axis(axes[index], lengths.len())?;
        let (start, end, step) = (starts[index], ends[index], steps[index]);
        let length = lengths[axis] as i64;
        let from_start = |bound: i64| {
            if bound < 0 {
                bound.saturating_add(length)
            } else {
                bound
            }
        };
        if step > 0 {
            let (start, end) = (
                from_start(start).clamp(0, length),
                from_start(end).clamp(0, length),
            );
            ranges[axis] = SliceRange {
                start: start as usize,
                end: end.max(start) as usize,
                // A longer step reaches no other element either.
                step: step.min(length.max(1)) as usize,
            };
        } else if step < 0 {
            let start = from_start(start).clamp(-1, length - 1);
            let end = from_start(end).clamp(-1, length - 1);
            // A longer step reaches no other element either.
            let step = step.max(-length.max(1));
            // The quotient is rounded up.
            let count = ((start - end).max(0) - step - 1) / -step;
            let indices = (0..count).map(|i| (start + i * step) as usize);
            reversed.push((axis, indices.collect::<Vec<_>>()));
        } else {
            return invalid("a step is 0");
        }
    }
    let mut result = call.slice(&x, ranges)?;
    for (axis, indices) in reversed {
        result = call.select(&result, axis, indices)?;
    }
    Ok(vec![result])
}
