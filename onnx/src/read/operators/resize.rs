//! Resizing of axes.

use receptive_layers::graph::{Arithmetic, Op};

use super::coordinates::{Axis, Transformation};
use super::taps::{Interpolation, Mode, Rounding};
use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape::{self, length};
use crate::read::tensor::Tensor;

/// `Upsample` of opsets 7 to 9, which `Resize` of opset 10 replaced.
pub fn upsample(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let scales = match call.attributes.floats("scales")? {
        Some(scales) => scales.to_vec(),
        None => floats(call, 1, "scales")?.unwrap_or_default(),
    };
    old(call, &scales, Rounding::Floor)
}

/// `Resize`.
pub fn resize(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    if call.opset < 11 {
        let scales = floats(call, 1, "scales")?.unwrap_or_default();
        return old(call, &scales, Rounding::Simple);
    }
    let x = call.input(0)?;
    let axes = axes(call, &x)?;
    let attributes = call.attributes;
    let transformation = attributes.text("coordinate_transformation_mode", "half_pixel")?;
    let transformation = Transformation::new(transformation)?;
    let mode = match attributes.text("mode", "nearest")? {
        "nearest" => {
            let rounding = attributes.text("nearest_mode", "round_prefer_floor")?;
            Mode::Nearest(Rounding::new(rounding)?)
        }
        "linear" => Mode::Linear,
        "cubic" => Mode::Cubic {
            coefficient: attributes.float("cubic_coeff_a", -0.75)?,
        },
        other => return invalid(format!("the mode is \"{other}\"")),
    };
    let interpolation = Interpolation {
        mode,
        transformation,
        antialias: attributes.flag("antialias", false)?,
        exclude_outside: attributes.flag("exclude_outside", false)?,
    };
    let outside = attributes.float("extrapolation_value", 0.0)?;
    Ok(vec![apply(call, &x, &axes, interpolation, outside)?])
}

/// Scales of every axis, with the coordinates of the first opsets.
fn old(call: &mut Call<'_, '_>, scales: &[f32], rounding: Rounding) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    if scales.len() != lengths.len() {
        return invalid(format!(
            "{} scales for {} axes",
            scales.len(),
            lengths.len()
        ));
    }
    let mut axes = Vec::new();
    for (index, (&input, &scale)) in lengths.iter().zip(scales).enumerate() {
        axes.push((index, scaled(input, scale)?));
    }
    let mode = match call.attributes.text("mode", "nearest")? {
        "nearest" => Mode::Nearest(rounding),
        "linear" | "bilinear" => Mode::Linear,
        other => return invalid(format!("the mode is \"{other}\"")),
    };
    let interpolation = Interpolation {
        mode,
        transformation: Transformation::Asymmetric,
        antialias: false,
        exclude_outside: false,
    };
    Ok(vec![apply(call, &x, &axes, interpolation, 0.0)?])
}

/// Returns the numbers of the operand `index`; an empty list is none.
fn floats(call: &Call<'_, '_>, index: usize, what: &str) -> Result<Option<Vec<f32>>> {
    match call.known(index, what)? {
        None => Ok(None),
        Some(tensor) if tensor.len() == 0 => Ok(None),
        Some(tensor) => match tensor.as_floats() {
            Some(floats) => Ok(Some(floats.to_vec())),
            None => invalid(format!("{what} are integers, expected floats")),
        },
    }
}

/// Returns an axis of length `input` that is scaled.
fn scaled(input: usize, scale: f32) -> Result<Axis> {
    // Runtimes compute the product in float32.
    let output = (input as f32 * scale).floor();
    if !(scale > 0.0 && output < shape::MAX_ELEMENTS as f32) {
        return invalid(format!("a scale of {scale} of an axis of length {input}"));
    }
    Ok(Axis {
        input,
        output: output as usize,
        scale,
        region: [0.0, 1.0],
    })
}

/// Returns the resized axes, by scales or sizes.
fn axes(call: &Call<'_, '_>, x: &Operand) -> Result<Vec<(usize, Axis)>> {
    let lengths = call.shape(x);
    let indices = match call.attributes.integers("axes")? {
        Some(axes) => {
            shape::axes(axes, lengths.len())?;
            let axes = axes.iter().map(|&axis| shape::axis(axis, lengths.len()));
            axes.collect::<Result<Vec<_>>>()?
        }
        None => (0..lengths.len()).collect(),
    };
    let scales = floats(call, 2, "scales")?;
    let sizes = call.integers(3, "sizes")?.filter(|sizes| !sizes.is_empty());
    let mut axes = Vec::new();
    match (scales, sizes) {
        (Some(scales), None) if scales.len() == indices.len() => {
            for (&axis, &scale) in indices.iter().zip(&scales) {
                axes.push((axis, scaled(lengths[axis], scale)?));
            }
        }
        (None, Some(sizes)) if sizes.len() == indices.len() => {
            let sizes = sizes.iter().map(|&size| length(size, "a size"));
            let sizes = sizes.collect::<Result<Vec<_>>>()?;
            let pairs = indices.iter().zip(&sizes);
            let ratios = pairs.map(|(&axis, &size)| size as f32 / lengths[axis].max(1) as f32);
            let shared = match call
                .attributes
                .text("keep_aspect_ratio_policy", "stretch")?
            {
                "stretch" => None,
                "not_larger" => Some(ratios.fold(f32::INFINITY, f32::min)),
                "not_smaller" => Some(ratios.fold(0.0, f32::max)),
                other => return invalid(format!("keep_aspect_ratio_policy is \"{other}\"")),
            };
            for (&axis, &size) in indices.iter().zip(&sizes) {
                let input = lengths[axis];
                let output = match shared {
                    None => size,
                    Some(scale) => (scale * input as f32 + 0.5).floor() as usize,
                };
                axes.push((
                    axis,
                    Axis {
                        input,
                        output,
                        scale: shared.unwrap_or(output as f32 / input.max(1) as f32),
                        region: [0.0, 1.0],
                    },
                ));
            }
        }
        (scales, sizes) => {
            let [scales, sizes] = [
                scales.map_or(0, |list| list.len()),
                sizes.map_or(0, |list| list.len()),
            ];
            return invalid(format!(
                "{scales} scales and {sizes} sizes, expected one list of {}",
                indices.len()
            ));
        }
    }
    if call.attributes.text("coordinate_transformation_mode", "")? == "tf_crop_and_resize" {
        let region = floats(call, 1, "regions")?.unwrap_or_default();
        if region.len() != 2 * axes.len() {
            return invalid(format!(
                "a region of {} numbers for {} axes",
                region.len(),
                axes.len()
            ));
        }
        let count = axes.len();
        for (index, (_, axis)) in axes.iter_mut().enumerate() {
            axis.region = [region[index], region[count + index]];
        }
    }
    Ok(axes)
}

/// Resizes the axes one after the other. Elements outside of a cropped input become `outside`.
fn apply(
    call: &mut Call<'_, '_>,
    x: &Operand,
    axes: &[(usize, Axis)],
    interpolation: Interpolation,
    outside: f64,
) -> Result<Operand> {
    let crops = interpolation.transformation == Transformation::TfCropAndResize;
    let mut result = x.clone();
    let mut masks = Vec::new();
    for &(index, axis) in axes {
        if axis.input == 0 || axis.output == 0 {
            return invalid(format!(
                "axis {index} of length {} becomes {}",
                axis.input, axis.output
            ));
        }
        call.state
            .fold(axis.output.saturating_mul(interpolation.width(axis)), 0)?;
        if crops {
            let last = (axis.input - 1) as f32;
            let is_outside = |index: usize| {
                let x = axis.coordinate(interpolation.transformation, index);
                !(0.0..=last).contains(&x)
            };
            let mask: Vec<bool> = (0..axis.output).map(is_outside).collect();
            if mask.contains(&true) {
                masks.push((index, mask));
            }
        } else if axis.input == axis.output && axis.scale == 1.0 {
            continue;
        }
        if let Mode::Nearest(rounding) = interpolation.mode {
            result = call.select(&result, index, interpolation.nearest(axis, rounding))?;
            continue;
        }
        let taps = interpolation.taps(axis);
        let is_identity = axis.input == axis.output
            && taps
                .iter()
                .enumerate()
                .all(|(index, taps)| taps[..] == [(index, 1.0)]);
        if !is_identity {
            let mut shape = call.shape(&result);
            shape[index] = axis.output;
            result = call.node(Op::Resample { axis: index, taps }, &[&result], shape)?;
        }
    }
    masked(call, result, &masks, outside)
}

/// Replaces the elements for which a mask is set by `outside`.
fn masked(
    call: &mut Call<'_, '_>,
    x: Operand,
    masks: &[(usize, Vec<bool>)],
    outside: f64,
) -> Result<Operand> {
    if masks.is_empty() {
        return Ok(x);
    }
    let target = call.shape(&x);
    let mut shape = vec![1; target.len()];
    for (axis, mask) in masks {
        shape[*axis] = mask.len();
    }
    let count = shape::elements(&shape)?;
    call.state.fold(count, 0)?;
    let mut kept = vec![1.0f32; count];
    let strides = crate::read::tensor::strides(&shape);
    for (position, kept) in kept.iter_mut().enumerate() {
        let is_outside = masks
            .iter()
            .any(|(axis, mask)| mask[position / strides[*axis] % mask.len()]);
        if is_outside {
            *kept = 0.0;
        }
    }
    let added: Vec<f32> = kept
        .iter()
        .map(|kept| (1.0 - kept) * outside as f32)
        .collect();
    let kept = Operand::from(Tensor::floats(shape.clone(), kept));
    let mut result = call.binary(&x, &kept, Arithmetic::Mul)?;
    if outside != 0.0 {
        let added = Operand::from(Tensor::floats(shape, added));
        result = call.binary(&result, &added, Arithmetic::Add)?;
    }
    Ok(result)
}
