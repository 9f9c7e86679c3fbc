//! Transposed convolutions.

use receptive_layers::graph::{ConvTranspose2d, Op};

use super::conv::{bias, check_bias, weights};
use super::windows::{AutoPad, Windows, as_maps, as_operand};
use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape::length;

/// `ConvTranspose` along one or two axes.
pub fn conv_transpose(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, weight) = (call.input(0)?, call.input(1)?);
    let groups = length(call.attributes.integer("group", 1)?, "group")?;
    let (windows, weight) = weights(call, &x, &weight)?;
    let bias = bias(call)?;
    let maps = as_maps(call, &x)?;
    let &[images, channels, height, width] = &call.shape(&maps)[..] else {
        return invalid("the operand is not maps");
    };
    let shape = call.shape(&weight);
    let is_divided = groups > 0 && channels.is_multiple_of(groups);
    let outputs = shape[1].checked_mul(groups);
    let (true, true, Some(outputs)) = (is_divided, shape[0] == channels, outputs) else {
        return invalid(format!(
            "a weight of shape {shape:?} in {groups} groups for {channels} channels"
        ));
    };
    check_bias(call, bias.as_ref(), outputs)?;
    let sides = sides(call, &windows, [height, width])?;
    let op = Op::ConvTranspose2d(ConvTranspose2d {
        stride: windows.stride,
        padding: sides.padding,
        output_padding: sides.output_padding,
        dilation: windows.dilation,
        groups,
    });
    let mut operands = vec![&maps, &weight];
    operands.extend(&bias);
    let [rows, columns] = sides.output;
    let result = call.node(op, &operands, vec![images, outputs, rows, columns])?;
    Ok(vec![as_operand(call, &result, windows.axes)?])
}

/// Rows and columns that are cut off and added.
struct Sides {
    padding: [[usize; 2]; 2],
    output_padding: [usize; 2],
    output: [usize; 2],
}

fn sides(call: &Call<'_, '_>, windows: &Windows, input: [usize; 2]) -> Result<Sides> {
    let list = |name: &str| -> Result<Option<[usize; 2]>> {
        let Some(values) = call.attributes.integers(name)? else {
            return Ok(None);
        };
        // The output's shape may begin with images and channels.
        let values = match values.len().checked_sub(windows.axes) {
            Some(extra @ (0 | 2)) => &values[extra..],
            _ => return invalid(format!("{name} has {} elements", values.len())),
        };
        let mut lengths = [1, if name == "output_shape" { 1 } else { 0 }];
        for (length, &value) in lengths.iter_mut().zip(values) {
            *length = self::length(value, name)?;
        }
        Ok(Some(lengths))
    };
    let mut output_padding = list("output_padding")?.unwrap_or([0, 0]);
    let output_shape = list("output_shape")?;
    // The output without padding.
    let full = [0, 1].map(|axis| {
        let steps = (input[axis].max(1) - 1).saturating_mul(windows.stride[axis]);
        steps
            .saturating_add(windows.extent(axis))
            .saturating_add(output_padding[axis])
    });
    let is_same = matches!(windows.auto_pad(), AutoPad::SameUpper | AutoPad::SameLower);
    let mut padding = match windows.auto_pad() {
        AutoPad::Explicit(padding) => padding,
        _ => [[0; 2]; 2],
    };
    let target = match output_shape {
        Some(shape) => Some(shape),
        None if is_same => {
            Some([0, 1].map(|axis| input[axis].saturating_mul(windows.stride[axis])))
        }
        None => None,
    };
    if let Some(target) = target {
        for axis in [0, 1] {
            let total = full[axis].saturating_sub(target[axis]);
            let less = total / 2;
            padding[axis] = match windows.auto_pad() {
                AutoPad::SameUpper => [less, total - less],
                _ => [total - less, less],
            };
            output_padding[axis] += target[axis].saturating_sub(full[axis]);
        }
    }
    let mut output = [0; 2];
    for axis in [0, 1] {
        let added = target.map_or(0, |target| target[axis].saturating_sub(full[axis]));
        let cut: usize = padding[axis].iter().sum();
        match (full[axis] + added).checked_sub(cut) {
            Some(length) if length > 0 => output[axis] = length,
            _ => {
                return invalid(format!(
                    "padding of {cut} on {} elements",
                    full[axis] + added
                ));
            }
        }
    }
    Ok(Sides {
        padding,
        output_padding,
        output,
    })
}
