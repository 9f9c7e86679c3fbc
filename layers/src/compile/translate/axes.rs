//! Axes of tensors as steps over their elements in row-major order.

use receptive_kernels::cpu::{Axis, Offsets};

use crate::compile::net::Rearrangement;

/// Returns the distance, in elements, between neighbours along each axis of `shape`.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Returns an axis whose elements are `step` elements apart.
pub(super) fn stepped(length: usize, step: usize) -> Axis {
    Axis {
        length,
        offsets: Offsets::Step(step as i64),
    }
}

/// Returns an axis that reads these indices of an axis of the input whose elements are `step` elements
/// apart; `None` is filled.
pub(super) fn listed(indices: impl Iterator<Item = Option<usize>>, step: usize) -> Axis {
    let indices: Vec<Option<usize>> = indices.collect();
    let length = indices.len();
    // A list of a constant distance is a step.
    if let [Some(first), Some(second), ..] = indices[..] {
        let distance = second as i64 - first as i64;
        let runs = indices.iter().enumerate().all(|(i, &index)| {
            index.is_some_and(|index| index as i64 == first as i64 + i as i64 * distance)
        });
        if runs && first == 0 {
            return Axis {
                length,
                offsets: Offsets::Step(distance * step as i64),
            };
        }
    }
    let offset = |index: usize| u32::try_from(index * step).ok();
    Axis {
        length,
        offsets: Offsets::List(indices.into_iter().map(|i| i.and_then(offset)).collect()),
    }
}

/// Returns one axis for each axis of `shape`, in order.
pub(super) fn all(shape: &[usize]) -> Vec<Axis> {
    let axes = shape.iter().zip(strides(shape));
    axes.map(|(&length, step)| stepped(length, step)).collect()
}

/// Returns the axes without those of length one, with neighbouring axes merged that one step
/// describes; at least one axis.
pub(super) fn merged(axes: Vec<Axis>) -> Vec<Axis> {
    let mut merged: Vec<Axis> = Vec::new();
    for axis in axes {
        if axis.length == 1 && matches!(axis.offsets, Offsets::Step(_)) {
            continue;
        }
        if let (Some(outer), Offsets::Step(step)) = (merged.last_mut(), &axis.offsets)
            && let Offsets::Step(outer_step) = outer.offsets
            && outer_step == step * axis.length as i64
        {
            outer.length *= axis.length;
            outer.offsets = Offsets::Step(*step);
            continue;
        }
        merged.push(axis);
    }
    if merged.is_empty() {
        merged.push(stepped(1, 1));
    }
    merged
}

impl Rearrangement {
    /// Returns the rearrangement that copies elements along `axes`.
    pub fn new(base: usize, axes: Vec<Axis>) -> Self {
        Self {
            base,
            axes: merged(axes),
            fill: 0.0,
        }
    }

    /// Whether the output has all elements of an input of `len` elements, in their order.
    pub fn is_identity(&self, len: usize) -> bool {
        self.base == 0 && self.axes == [stepped(len, 1)]
    }

    /// Returns the input channel of each output channel if the rearrangement copies whole channels
    /// of `plane` elements each, otherwise `None`.
    pub fn channels(&self, plane: usize) -> Option<Vec<usize>> {
        let (last, outer) = self.axes.split_last()?;
        let whole = last.offsets == Offsets::Step(1) && last.length.is_multiple_of(plane);
        if !whole || !self.base.is_multiple_of(plane) {
            return None;
        }
        let mut channels = vec![self.base / plane];
        let planes = stepped(last.length / plane, plane);
        for axis in outer.iter().chain([&planes]) {
            let mut next = Vec::with_capacity(channels.len() * axis.length);
            for &channel in &channels {
                for index in 0..axis.length {
                    let offset = match &axis.offsets {
                        Offsets::Step(step) => index as i64 * step,
                        Offsets::List(list) => i64::from(list[index]?),
                    };
                    if offset % plane as i64 != 0 {
                        return None;
                    }
                    next.push(usize::try_from(channel as i64 + offset / plane as i64).ok()?);
                }
            }
            channels = next;
        }
        Some(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_one_step_describes_are_merged() {
        let identity = Rearrangement::new(0, all(&[2, 1, 3, 4]));
        assert!(identity.is_identity(24));
        let transposed = merged(vec![stepped(3, 4), stepped(2, 12), stepped(4, 1)]);
        assert_eq!(transposed.len(), 3);
    }

    #[test]
    fn a_list_of_a_constant_distance_is_a_step() {
        assert_eq!(listed([0, 1, 2].map(Some).into_iter(), 5), stepped(3, 5));
        let list = listed([Some(2), None].into_iter(), 5);
        assert_eq!(list.offsets, Offsets::List(vec![Some(10), None]));
    }

    #[test]
    fn a_channel_shuffle_selects_channels() {
        // [2, 3, h * w] -> [3, 2, h * w]
        let plane = 4;
        let axes = vec![stepped(3, plane), stepped(2, 3 * plane), stepped(plane, 1)];
        let shuffle = Rearrangement::new(0, axes);
        assert_eq!(shuffle.channels(plane), Some(vec![0, 3, 1, 4, 2, 5]));
        let rows = Rearrangement::new(0, vec![stepped(2, 1), stepped(4, 2)]);
        assert_eq!(rows.channels(4), None);
    }
}
