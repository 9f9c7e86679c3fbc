//! Convolutions.

use receptive_layers::graph::{Conv2d, Op};

use super::windows::{Windows, as_maps, as_operand};
use crate::read::call::Call;
use crate::read::fault::{Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::shape::length;

/// `Conv` along one or two axes.
pub fn conv(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, weight) = (call.input(0)?, call.input(1)?);
    let groups = length(call.attributes.integer("group", 1)?, "group")?;
    let (windows, weight) = weights(call, &x, &weight)?;
    let bias = bias(call)?;
    let maps = as_maps(call, &x)?;
    let &[images, channels, height, width] = &call.shape(&maps)[..] else {
        return invalid("the operand is not maps");
    };
    let shape = call.shape(&weight);
    let outputs = shape[0];
    let is_divided = groups > 0 && outputs.is_multiple_of(groups);
    if !is_divided || shape[1].checked_mul(groups) != Some(channels) {
        return invalid(format!(
            "a weight of shape {shape:?} in {groups} groups for {channels} channels"
        ));
    }
    check_bias(call, bias.as_ref(), outputs)?;
    let [rows, columns] = windows.output([height, width])?;
    let op = Op::Conv2d(Conv2d {
        stride: windows.stride,
        padding: windows.padding([height, width]),
        dilation: windows.dilation,
        groups,
    });
    let mut operands = vec![&maps, &weight];
    operands.extend(&bias);
    let result = call.node(op, &operands, vec![images, outputs, rows, columns])?;
    Ok(vec![as_operand(call, &result, windows.axes)?])
}

/// Returns the windows of a convolution, and its weight with four axes.
///
/// # Errors
///
/// The weight depends on the input, or does not fit the attributes.
pub fn weights(
    call: &mut Call<'_, '_>,
    x: &Operand,
    weight: &Operand,
) -> Result<(Windows, Operand)> {
    if weight.tensor().is_none() {
        return unsupported("weights that depend on the input");
    }
    let shape = call.shape(weight);
    if shape.len() != call.shape(x).len() || shape.len() < 3 || shape.contains(&0) {
        return invalid(format!(
            "a weight of shape {shape:?} for shape {:?}",
            call.shape(x)
        ));
    }
    let windows = Windows::new(call, x, Some(&shape[2..]))?;
    let weight = as_maps(call, weight)?;
    let size = &call.shape(&weight)[2..];
    if size != windows.kernel {
        return invalid(format!(
            "kernel_shape {:?} for a weight of shape {shape:?}",
            &windows.kernel[..windows.axes]
        ));
    }
    Ok((windows, weight))
}

/// Returns the bias of a convolution.
///
/// # Errors
///
/// The bias depends on the input.
pub fn bias(call: &Call<'_, '_>) -> Result<Option<Operand>> {
    match call.optional(2) {
        Some(bias) if bias.tensor().is_none() => unsupported("a bias that depends on the input"),
        bias => Ok(bias),
    }
}

/// Checks that a bias has one number for each output channel.
///
/// # Errors
///
/// It has not.
pub fn check_bias(call: &Call<'_, '_>, bias: Option<&Operand>, outputs: usize) -> Result<()> {
    match bias.map(|bias| call.shape(bias)) {
        Some(shape) if shape != [outputs] => {
            invalid(format!("a bias of shape {shape:?}, expected [{outputs}]"))
        }
        _ => Ok(()),
    }
}
