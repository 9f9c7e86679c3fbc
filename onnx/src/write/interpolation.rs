//! The operators of interpolation along an axis.

use receptive_layers::graph::Node;

use super::attributes::{integer, integers, text};
use super::error::WriteError;
use super::writer::Writer;
use crate::read::coordinates::{Axis, Transformation};
use crate::read::taps::{Interpolation, Mode, Taps};

/// Largest difference of the weights of a tap that `Resize` computes.
const TOLERANCE: f64 = 1e-6;

/// Writes interpolation along `axis`: a selection, `Resize` along rows or columns of maps if it computes these taps, else a
/// product with the matrix of the taps.
///
/// # Errors
///
/// [`WriteError::NoElements`] if the operand is a constant without elements.
pub fn write(
    node: &Node,
    axis: usize,
    taps: &[Taps],
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let shape = writer.graph.shape(node.inputs[0]).to_vec();
    let (input, outputs, rank) = (shape[axis], taps.len(), shape.len());
    let x = writer.read(node.inputs[0], name)?;
    let output = writer.written(node.outputs[0], name);
    if let Some(indices) = selection(taps) {
        let indices = writer.integers(name, "indices", &indices);
        let attributes = vec![integer("axis", axis as i64)];
        writer.operator(name, "Gather", vec![x, indices], output, attributes);
        return Ok(());
    }
    let is_side = rank == 4 && axis >= 2;
    if is_side && let Some((scale, transformation)) = resize(input, taps) {
        let mut scales = vec![1.0; rank];
        scales[axis] = scale;
        let scales = writer.floats(name, "scales", &[rank], &scales);
        let attributes = vec![
            text("mode", "linear"),
            text("coordinate_transformation_mode", transformation),
        ];
        let inputs = vec![x, String::new(), scales];
        writer.operator(name, "Resize", inputs, output, attributes);
        return Ok(());
    }
    // [output, input], or transposed for the last axis.
    let is_last = axis + 1 == rank;
    let mut matrix = vec![0.0; outputs * input];
    for (row, taps) in taps.iter().enumerate() {
        for &(column, weight) in taps {
            let position = match is_last {
                true => column * outputs + row,
                false => row * input + column,
            };
            matrix[position] += weight as f32;
        }
    }
    if is_last {
        let matrix = writer.floats(name, "matrix", &[input, outputs], &matrix);
        writer.operator(name, "MatMul", vec![x, matrix], output, Vec::new());
        return Ok(());
    }
    let matrix = writer.floats(name, "matrix", &[outputs, input], &matrix);
    if axis + 2 == rank {
        writer.operator(name, "MatMul", vec![matrix, x], output, Vec::new());
        return Ok(());
    }
    // The axis becomes the last but one.
    let mut axes: Vec<usize> = (0..rank).collect();
    axes.swap(axis, rank - 2);
    let permutation = || vec![integers("perm", &axes)];
    let moved = writer.step(name, "moved", "Transpose", vec![x], permutation());
    let product = vec![matrix, moved];
    let product = writer.step(name, "product", "MatMul", product, Vec::new());
    writer.operator(name, "Transpose", vec![product], output, permutation());
    Ok(())
}

/// Returns the index that each element of the output equals, if there is one for each.
fn selection(taps: &[Taps]) -> Option<Vec<i64>> {
    let index = |taps: &Taps| match taps[..] {
        [(index, 1.0)] => Some(index as i64),
        _ => None,
    };
    taps.iter().map(index).collect()
}

/// Returns the scale and the transformation of coordinates with which `Resize` computes these taps of an axis of length
/// `input`, if there are such.
fn resize(input: usize, taps: &[Taps]) -> Option<(f32, &'static str)> {
    let mut scale = taps.len() as f32 / input as f32;
    // Runtimes round the product down, in single or double precision.
    while input as f64 * f64::from(scale) < taps.len() as f64 {
        scale = scale.next_up();
    }
    let axis = Axis {
        input,
        output: taps.len(),
        scale,
        region: [0.0, 1.0],
    };
    let transformations = [
        (Transformation::HalfPixel, "half_pixel"),
        (Transformation::AlignCorners, "align_corners"),
        (Transformation::Asymmetric, "asymmetric"),
    ];
    let computes = |&(transformation, _): &(Transformation, &str)| {
        let interpolation = Interpolation {
            mode: Mode::Linear,
            transformation,
            antialias: false,
            exclude_outside: false,
        };
        let found = interpolation.taps(axis);
        found
            .iter()
            .zip(taps)
            .all(|(found, taps)| are_equal(found, taps))
    };
    let is_whole = (input as f32 * scale).floor() == taps.len() as f32;
    let found = transformations.iter().find(|one| computes(one));
    found
        .filter(|_| is_whole)
        .map(|(_, transformation)| (scale, *transformation))
}

/// Whether two lists of taps are equal but for rounding.
fn are_equal(one: &Taps, other: &Taps) -> bool {
    let weight = |taps: &Taps, index: usize| -> f64 {
        let weights = taps.iter().filter(|(at, _)| *at == index);
        weights.map(|(_, weight)| weight).sum()
    };
    let indices = one.iter().chain(other).map(|&(index, _)| index);
    let mut differences = indices.map(|index| weight(one, index) - weight(other, index));
    differences.all(|difference| difference.abs() <= TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_interpolation_is_a_resize() {
        let half = |weights: [f64; 2]| vec![(0, weights[0]), (1, weights[1])];
        let taps = vec![
            vec![(0, 1.0)],
            half([0.75, 0.25]),
            half([0.25, 0.75]),
            vec![(1, 1.0)],
        ];
        assert_eq!(resize(2, &taps), Some((2.0, "half_pixel")));
        let third = 1.0 / 3.0;
        let corners = vec![
            vec![(0, 1.0)],
            half([2.0 * third, third]),
            half([third, 2.0 * third]),
            vec![(1, 1.0)],
        ];
        assert_eq!(resize(2, &corners), Some((2.0, "align_corners")));
        assert_eq!(resize(2, &[half([0.9, 0.1]), half([0.1, 0.9])]), None);
        assert_eq!(
            selection(&[vec![(1, 1.0)], vec![(0, 1.0)]]),
            Some(vec![1, 0])
        );
    }
}
