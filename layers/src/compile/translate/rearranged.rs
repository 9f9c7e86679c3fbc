//! The same elements in other places: shapes, slices, concatenations, zeros around.

use receptive_kernels::cpu::{Activation, Border};

use super::Translation;
use crate::compile::error::Problem;
use crate::compile::net::{LayerOp, MapId, Pick};
use crate::compile::values::Values;
use crate::graph::{self, Node};

impl Translation<'_> {
    pub(super) fn alias(&mut self, node: &Node) -> Result<(), Problem> {
        let x = self.moving(node, 0)?;
        let shape = self.graph.shape(node.outputs[0]);
        if shape.first() != Some(&self.batch) {
            return Err(Problem::unsupported(
                format!("{} to {shape:?}", node.op.word()),
                "a shape that keeps the batch in front",
            ));
        }
        self.maps.insert(node.outputs[0], x);
        Ok(())
    }

    pub(super) fn slice(&mut self, node: &Node, ranges: &[graph::Stride]) -> Result<(), Problem> {
        let x = self.natural(node, 0)?;
        let [channels, height, width] = self.net.shape(x);
        let range = |axis: usize, length| {
            ranges.get(axis).copied().unwrap_or(graph::Stride {
                start: 0,
                end: length,
                step: 1,
            })
        };
        let channel = range(1, channels);
        let [rows, columns] = [range(2, height), range(3, width)];
        let pick = Pick {
            channels: (channel.start..channel.end)
                .step_by(channel.step)
                .map(Some)
                .collect(),
            start: [rows.start, columns.start],
            step: [rows.step, columns.step],
        };
        self.layer(node, LayerOp::Pick(pick), vec![x])
    }

    pub(super) fn selection(&mut self, node: &Node, values: &mut Values) -> Result<(), Problem> {
        let indices = values.array(node.inputs[1])?.values;
        let x = self.natural(node, 0)?;
        let channels = indices.into_iter().map(|index| Some(index as usize));
        let pick = channels_of(channels.collect());
        self.layer(node, LayerOp::Pick(pick), vec![x])
    }

    pub(super) fn concatenation(
        &mut self,
        node: &Node,
        values: &mut Values,
    ) -> Result<(), Problem> {
        let mut parts: Vec<MapId> = Vec::new();
        // Zeros in front of the first part.
        let mut before = 0;
        for (place, &id) in node.inputs.iter().enumerate() {
            if !self.given.contains(&id) {
                let mut part = self.natural(node, place)?;
                if before > 0 {
                    part = self.with_zeros(node, part, [before, 0]);
                    before = 0;
                }
                parts.push(part);
                continue;
            }
            if values.array(id)?.values.iter().any(|&x| x != 0.0) {
                return Err(Problem::unsupported(
                    "concat with weights other than 0",
                    "maps and zeros",
                ));
            }
            let zeros = self.graph.shape(id)[1];
            match parts.last_mut() {
                None => before += zeros,
                Some(last) => {
                    let part = *last;
                    *last = self.with_zeros(node, part, [0, zeros]);
                }
            }
        }
        if let [part] = parts[..] {
            self.maps.insert(node.outputs[0], part);
            return Ok(());
        }
        self.layer(node, LayerOp::Concat, parts)
    }

    /// `x` with channels of zeros before and after its own.
    fn with_zeros(&mut self, node: &Node, x: MapId, [before, after]: [usize; 2]) -> MapId {
        let [channels, height, width] = self.net.shape(x);
        let mut picked = vec![None; before];
        picked.extend((0..channels).map(Some));
        picked.extend(vec![None; after]);
        let shape = [picked.len(), height, width];
        let op = LayerOp::Pick(channels_of(picked));
        self.push(node, op, vec![x], shape, Activation::Identity)
    }

    pub(super) fn padding(&mut self, node: &Node, padding: &[[usize; 2]]) -> Result<(), Problem> {
        let mut x = self.natural(node, 0)?;
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
        self.layer(node, LayerOp::Pad(border), vec![x])
    }
}

/// All pixels of these channels.
fn channels_of(channels: Vec<Option<usize>>) -> Pick {
    Pick {
        channels,
        start: [0, 0],
        step: [1, 1],
    }
}

/// Whether a range takes all of an axis of this length.
pub(super) fn whole(range: Option<&graph::Stride>, length: usize) -> bool {
    range.is_none_or(|range| (range.start, range.end, range.step) == (0, length, 1))
}

/// Whether reordering axes leaves the elements in order: only axes of length one move.
pub(super) fn keeps_order(shape: &[usize], axes: &[usize]) -> bool {
    axes.iter().filter(|&&axis| shape[axis] != 1).is_sorted()
}
