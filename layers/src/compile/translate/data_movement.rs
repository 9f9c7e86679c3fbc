//! Translation of data movement: reshapes, permutations, slices, selections, concatenations, padding
//! and broadcasts.

use receptive_kernels::cpu::{Axis, Border};

use super::axes::{all, listed, stepped, strides};
use super::refusal::refusal;
use super::translation::{Translation, stored, unsupported};
use crate::compile::error::Problem;
use crate::compile::net::{LayerOp, MapId, Rearrangement, Slice};
use crate::compile::values::Values;
use crate::graph::{Node, SliceRange, ValueId};

impl Translation<'_> {
    /// Translates a reshape: the output is the input's map.
    pub fn alias(&mut self, node: &Node) -> Result<(), Problem> {
        let x = self.operand(node, 0)?;
        self.finish(node, x);
        Ok(())
    }

    /// Translates a permutation of the axes.
    pub fn permutation(&mut self, node: &Node, axes: &[usize]) -> Result<(), Problem> {
        let shape = self.image_shape(node.inputs[0]);
        let steps = strides(&shape);
        let axes = axes.iter().map(|&axis| stepped(shape[axis], steps[axis]));
        self.copy(node, axes.collect(), 0, 0.0)
    }

    /// Translates a copy of elements of the first operand along `axes`, which start at element `base`.
    /// Elements of no source are `fill`.
    pub fn copy(
        &mut self,
        node: &Node,
        axes: Vec<Axis>,
        base: usize,
        fill: f64,
    ) -> Result<(), Problem> {
        let x = self.operand(node, 0)?;
        let mut copy = Rearrangement::new(base, axes);
        copy.fill = finite(fill);
        let y = self.rearrange(node, x, copy, self.map_shape(node.outputs[0]))?;
        self.finish(node, y);
        Ok(())
    }

    /// Translates a slice along any axes.
    pub fn slice(&mut self, node: &Node, ranges: &[SliceRange]) -> Result<(), Problem> {
        let shape = self.image_shape(node.inputs[0]);
        let images = self.graph.shape(node.inputs[0]).first().copied();
        let all_images = is_full_range(ranges.first(), images.unwrap_or(1));
        if self.batch.is_some() && !all_images {
            return Err(refusal(self.graph, node));
        }
        if self.is_map(node.inputs[0]) && all_images {
            return self.slice_of_map(node, ranges);
        }
        let steps = strides(&shape);
        let whole = |axis: usize| SliceRange {
            start: 0,
            end: shape[axis],
            step: 1,
        };
        let mut base = 0;
        let mut axes = Vec::new();
        for (axis, &step) in steps.iter().enumerate() {
            let range = match ranges.get(axis) {
                Some(range) if axis > 0 || self.batch.is_none() => *range,
                _ => whole(axis),
            };
            base += range.start * step;
            let length = range.end.saturating_sub(range.start).div_ceil(range.step);
            axes.push(stepped(length, range.step * step));
        }
        self.copy(node, axes, base, 0.0)
    }

    /// Translates a slice of channels, rows and columns.
    fn slice_of_map(&mut self, node: &Node, ranges: &[SliceRange]) -> Result<(), Problem> {
        let x = self.map_operand(node, 0)?;
        let [channels, height, width] = self.net.shape(x);
        let range = |axis: usize, length| {
            ranges.get(axis).copied().unwrap_or(SliceRange {
                start: 0,
                end: length,
                step: 1,
            })
        };
        let channel = range(1, channels);
        let [rows, columns] = [range(2, height), range(3, width)];
        let slice = Slice {
            channels: (channel.start..channel.end)
                .step_by(channel.step)
                .map(Some)
                .collect(),
            start: [rows.start, columns.start],
            step: [rows.step, columns.step],
        };
        self.push_layer(node, LayerOp::Slice(slice), vec![x])
    }

    /// Translates a selection along an axis by a constant list of indices.
    pub fn selection(
        &mut self,
        node: &Node,
        axis: usize,
        values: &mut Values,
    ) -> Result<(), Problem> {
        self.check_constant_weights(node)?;
        let shape = self.image_shape(node.inputs[0]);
        let Some(&length) = shape.get(axis) else {
            return Err(unsupported(node));
        };
        let mut indices = Vec::new();
        for index in values.array(node.inputs[1])?.values {
            let from_end = if index < 0.0 { length as f64 } else { 0.0 };
            let index = index + from_end;
            if !(0.0..length as f64).contains(&index) {
                return Err(Problem::unsupported(
                    format!("{} of index {index} of {length}", node.op.word()),
                    "indices below the length of the axis",
                ));
            }
            indices.push(Some(index as usize));
        }
        if axis == 1 && self.is_map(node.inputs[0]) {
            let x = self.map_operand(node, 0)?;
            return self.push_layer(node, LayerOp::Slice(all_pixels_of(indices)), vec![x]);
        }
        let mut axes = all(&shape);
        axes[axis] = listed(indices.into_iter(), strides(&shape)[axis]);
        self.copy(node, axes, 0, 0.0)
    }

    /// Translates a concatenation. Along another axis than the channels, the operands are copied so that
    /// the axis comes first, and the result back.
    pub fn concatenation(
        &mut self,
        node: &Node,
        axis: usize,
        values: &mut Values,
    ) -> Result<(), Problem> {
        let output = self.image_shape(node.outputs[0]);
        if axis == 1 && self.is_map(node.outputs[0]) {
            return self.concatenation_of_channels(node, values);
        }
        let mut operands = Vec::new();
        for (index, &id) in node.inputs.iter().enumerate() {
            self.check_broadcast(node, id, output.len())?;
            let x = self.stored_operand(node, index)?;
            let shape = self.image_shape(id);
            operands.push(self.axis_first(node, x, &shape, axis)?);
        }
        let joined = axis_first_shape(&output, axis);
        let joined = self.add(node, LayerOp::Concat, operands, joined);
        let y = self.axis_back(node, joined, &output, axis)?;
        self.finish(node, y);
        Ok(())
    }

    /// Returns a tensor of `shape` as a map whose channels are the entries of `axis`, and whose pixels those
    /// of the axes before and after it.
    pub fn axis_first(
        &mut self,
        node: &Node,
        x: MapId,
        shape: &[usize],
        axis: usize,
    ) -> Result<MapId, Problem> {
        let [outer, inner] = around(shape, axis);
        let length = shape[axis];
        let axes = vec![
            stepped(length, inner),
            stepped(outer, length * inner),
            stepped(inner, 1),
        ];
        let map = axis_first_shape(shape, axis);
        let moved = self.rearrange(node, x, Rearrangement::new(0, axes), map)?;
        Ok(self.shaped(node, moved, map))
    }

    /// Returns the inverse of [`axis_first`](Self::axis_first), for a result of `shape`.
    pub fn axis_back(
        &mut self,
        node: &Node,
        x: MapId,
        shape: &[usize],
        axis: usize,
    ) -> Result<MapId, Problem> {
        let [outer, inner] = around(shape, axis);
        let length = shape[axis];
        let axes = vec![
            stepped(outer, inner),
            stepped(length, outer * inner),
            stepped(inner, 1),
        ];
        self.rearrange(node, x, Rearrangement::new(0, axes), stored(shape))
    }

    /// Translates a concatenation along the channels. Constant zeros become zero channels of a
    /// slice of the neighbouring operand.
    fn concatenation_of_channels(
        &mut self,
        node: &Node,
        values: &mut Values,
    ) -> Result<(), Problem> {
        let mut operands: Vec<MapId> = Vec::new();
        // Zero channels before the first map.
        let mut leading_zeros = 0;
        for (index, &id) in node.inputs.iter().enumerate() {
            let is_constant = self.constants.contains(&id);
            if !is_constant || values.array(id)?.values.iter().any(|&x| x != 0.0) {
                let mut operand = match is_constant {
                    true => {
                        self.check_broadcast(node, id, self.graph.shape(id).len())?;
                        self.stored_operand(node, index)?
                    }
                    false => self.map_operand(node, index)?,
                };
                if leading_zeros > 0 {
                    operand = self.with_zeros(node, operand, [leading_zeros, 0]);
                    leading_zeros = 0;
                }
                operands.push(operand);
                continue;
            }
            let zeros = self.graph.shape(id)[1];
            match operands.last_mut() {
                None => leading_zeros += zeros,
                Some(last) => {
                    let operand = *last;
                    *last = self.with_zeros(node, operand, [0, zeros]);
                }
            }
        }
        if let [operand] = operands[..] {
            self.finish(node, operand);
            return Ok(());
        }
        self.push_layer(node, LayerOp::Concat, operands)
    }

    /// Repeats the channel of a map of one channel, or returns a map of `channels` channels.
    pub fn broadcast_channels(&mut self, node: &Node, x: MapId, channels: usize) -> MapId {
        let [found, height, width] = self.net.shape(x);
        if found == channels {
            return x;
        }
        debug_assert_eq!(found, 1, "a broadcast map has one channel");
        let op = LayerOp::Slice(all_pixels_of(vec![Some(0); channels]));
        self.add(node, op, vec![x], [channels, height, width])
    }

    /// Returns the operand `index` of `node`, broadcast to `shape`, the image's part of an output.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] if the operand has another number of axes than the output and the
    /// first axis of the output are the images.
    pub fn broadcast(
        &mut self,
        node: &Node,
        index: usize,
        shape: &[usize],
    ) -> Result<MapId, Problem> {
        let id = node.inputs[index];
        self.check_broadcast(node, id, shape.len())?;
        if self.constants.contains(&id) {
            return Ok(self.constant(node, id, shape.to_vec()));
        }
        let found = self.image_shape(id);
        let x = self.operand(node, index)?;
        let Some(front) = shape.len().checked_sub(found.len()) else {
            return Err(unsupported(node));
        };
        let steps = strides(&found);
        let axes = shape
            .iter()
            .enumerate()
            .map(|(axis, &length)| match axis.checked_sub(front) {
                Some(own) if found[own] == length => stepped(length, steps[own]),
                _ => stepped(length, 0),
            });
        let copy = Rearrangement::new(0, axes.collect());
        let map = stored(shape);
        let y = self.rearrange(node, x, copy, map)?;
        Ok(self.shaped(node, y, map))
    }

    /// Checks that the first axis of the operand `id` are the images, as in an output of `rank` axes, or
    /// that the operand is a constant that is the same for all images.
    fn check_broadcast(&self, node: &Node, id: ValueId, rank: usize) -> Result<(), Problem> {
        let found = self.graph.shape(id);
        let fits = match self.batch {
            None => true,
            Some(_) if self.constants.contains(&id) => {
                found.len() < rank || found.first() == Some(&1)
            }
            Some(_) => found.len() == rank,
        };
        if fits {
            return Ok(());
        }
        Err(Problem::unsupported(
            format!("{} of {:?}", node.op.word(), self.graph.shape(id)),
            "operands whose first axis is the batch, or weights that are the same for every image",
        ))
    }

    /// Adds channels of zeros before and after the channels of `x`.
    fn with_zeros(&mut self, node: &Node, x: MapId, [before, after]: [usize; 2]) -> MapId {
        let [channels, height, width] = self.net.shape(x);
        let mut selected = vec![None; before];
        selected.extend((0..channels).map(Some));
        selected.extend(vec![None; after]);
        let shape = [selected.len(), height, width];
        let op = LayerOp::Slice(all_pixels_of(selected));
        self.add(node, op, vec![x], shape)
    }

    /// Translates padding with a number along any axes.
    pub fn padding(
        &mut self,
        node: &Node,
        padding: &[[usize; 2]],
        value: f64,
    ) -> Result<(), Problem> {
        let id = node.inputs[0];
        if value == 0.0 && self.is_map(id) && padding.first() == Some(&[0, 0]) {
            return self.zero_padding(node, padding);
        }
        let shape = self.image_shape(id);
        let steps = strides(&shape);
        let axes = (0..shape.len()).map(|axis| {
            let [before, after] = padding.get(axis).copied().unwrap_or_default();
            if [before, after] == [0, 0] {
                return stepped(shape[axis], steps[axis]);
            }
            let inside = |index: usize| {
                let index = index.checked_sub(before)?;
                (index < shape[axis]).then_some(index)
            };
            listed((0..before + shape[axis] + after).map(inside), steps[axis])
        });
        self.copy(node, axes.collect(), 0, value)
    }

    /// Translates zero padding of channels, rows and columns.
    fn zero_padding(&mut self, node: &Node, padding: &[[usize; 2]]) -> Result<(), Problem> {
        let mut x = self.map_operand(node, 0)?;
        let pair = |axis: usize| padding.get(axis).copied().unwrap_or_default();
        if pair(1) != [0, 0] {
            x = self.with_zeros(node, x, pair(1));
        }
        let [[top, bottom], [left, right]] = [pair(2), pair(3)];
        let border = Border {
            top,
            bottom,
            left,
            right,
        };
        if border.is_empty() {
            self.finish(node, x);
            return Ok(());
        }
        self.push_layer(node, LayerOp::Pad(border), vec![x])
    }
}

/// Returns the number of entries of the axes before and after `axis` of a tensor of `shape`.
pub(super) fn around(shape: &[usize], axis: usize) -> [usize; 2] {
    [&shape[..axis], &shape[axis + 1..]].map(|lengths| lengths.iter().product())
}

/// Returns the shape of a map whose channels are the entries of `axis` of a tensor of `shape`.
fn axis_first_shape(shape: &[usize], axis: usize) -> [usize; 3] {
    let [outer, inner] = around(shape, axis);
    // Long rows are copied faster than short ones.
    match inner {
        1 => [shape[axis], 1, outer],
        _ => [shape[axis], outer, inner],
    }
}

/// Returns a number that a program can store: JSON cannot represent infinities.
pub(super) fn finite(number: f64) -> f32 {
    (number as f32).clamp(f32::MIN, f32::MAX)
}

/// Returns the slice of all pixels of `channels`.
fn all_pixels_of(channels: Vec<Option<usize>>) -> Slice {
    Slice {
        channels,
        start: [0, 0],
        step: [1, 1],
    }
}

/// Whether `range` covers an axis of this length; a missing range does.
fn is_full_range(range: Option<&SliceRange>, length: usize) -> bool {
    range.is_none_or(|range| (range.start, range.end, range.step) == (0, length, 1))
}
