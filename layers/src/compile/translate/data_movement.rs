//! Translation of data movement: reshapes, slices, selections, concatenations and zero padding.

use receptive_kernels::cpu::{Activation, Border};

use super::translation::Translation;
use crate::compile::error::Problem;
use crate::compile::net::{LayerOp, MapId, Slice};
use crate::compile::values::Values;
use crate::graph::{Node, SliceRange};

impl Translation<'_> {
    /// Translates a reshape: the output is the input's map.
    pub fn alias(&mut self, node: &Node) -> Result<(), Problem> {
        let x = self.operand(node, 0)?;
        let shape = self.graph.shape(node.outputs[0]);
        if shape.first() != Some(&self.batch) {
            return Err(Problem::unsupported(
                format!("{} to {shape:?}", node.op.word()),
                "a shape whose first axis is the batch",
            ));
        }
        self.maps.insert(node.outputs[0], x);
        Ok(())
    }

    /// Translates a slice of channels, rows and columns.
    pub fn slice(&mut self, node: &Node, ranges: &[SliceRange]) -> Result<(), Problem> {
        let x = self.unreshaped_operand(node, 0)?;
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

    /// Translates a selection of channels by a constant list of indices.
    pub fn selection(&mut self, node: &Node, values: &mut Values) -> Result<(), Problem> {
        let indices = values.array(node.inputs[1])?.values;
        let x = self.unreshaped_operand(node, 0)?;
        let channels = indices.into_iter().map(|index| Some(index as usize));
        let slice = all_pixels_of(channels.collect());
        self.push_layer(node, LayerOp::Slice(slice), vec![x])
    }

    /// Translates a concatenation along the channels. Constant zeros become zero channels of a
    /// slice of the neighbouring operand.
    pub fn concatenation(&mut self, node: &Node, values: &mut Values) -> Result<(), Problem> {
        let mut operands: Vec<MapId> = Vec::new();
        // Zero channels before the first map.
        let mut leading_zeros = 0;
        for (index, &id) in node.inputs.iter().enumerate() {
            if !self.constants.contains(&id) {
                let mut operand = self.unreshaped_operand(node, index)?;
                if leading_zeros > 0 {
                    operand = self.with_zeros(node, operand, [leading_zeros, 0]);
                    leading_zeros = 0;
                }
                operands.push(operand);
                continue;
            }
            if values.array(id)?.values.iter().any(|&x| x != 0.0) {
                return Err(Problem::unsupported(
                    "concat with weights other than 0",
                    "maps and zeros",
                ));
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
            self.maps.insert(node.outputs[0], operand);
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
        let shape = [channels, height, width];
        self.push(node, op, vec![x], shape, Activation::Identity)
    }

    /// Adds channels of zeros before and after the channels of `x`.
    fn with_zeros(&mut self, node: &Node, x: MapId, [before, after]: [usize; 2]) -> MapId {
        let [channels, height, width] = self.net.shape(x);
        let mut selected = vec![None; before];
        selected.extend((0..channels).map(Some));
        selected.extend(vec![None; after]);
        let shape = [selected.len(), height, width];
        let op = LayerOp::Slice(all_pixels_of(selected));
        self.push(node, op, vec![x], shape, Activation::Identity)
    }

    /// Translates zero padding of channels, rows and columns.
    pub fn padding(&mut self, node: &Node, padding: &[[usize; 2]]) -> Result<(), Problem> {
        let mut x = self.unreshaped_operand(node, 0)?;
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
            self.maps.insert(node.outputs[0], x);
            return Ok(());
        }
        self.push_layer(node, LayerOp::Pad(border), vec![x])
    }
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
pub(super) fn is_full_range(range: Option<&SliceRange>, length: usize) -> bool {
    range.is_none_or(|range| (range.start, range.end, range.step) == (0, length, 1))
}

/// Whether a permutation keeps the order of the elements in memory: it moves only axes of length
/// one.
pub(super) fn keeps_order(shape: &[usize], axes: &[usize]) -> bool {
    axes.iter().filter(|&&axis| shape[axis] != 1).is_sorted()
}
