//! Products of two maps, summed along any axes.

use serde::{Deserialize, Serialize};

use super::axes::{MAX_AXES, check_lengths, check_sources, range_of_step};
use super::elements::Elements;
use super::operation::Operation;
use super::rearrange::zero_unused_lanes;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};
use crate::cpu::micro::contract::ContractArgs;

/// An axis of a [`Contract`] step: distances of the elements of both factors along it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractAxis {
    /// Number of indices, at least 1.
    pub length: usize,
    /// Distance of the elements of adjacent indices in `a` and in `b`; 0 if the element does not
    /// depend on the index.
    pub steps: [i64; 2],
}

/// Sums products of elements of two maps that both depend on the input: matrix products in batches,
/// of any transposition.
///
/// The elements of a map are numbered in row-major order of `[channels, height, width]`. An element
/// of `y` has an index along each outer axis, outermost first. The element is the sum, over all
/// indices along the inner axes, of the products of the elements of `a` and `b` whose number is the
/// base of the map plus, for each axis, the index times the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    a: Map,
    b: Map,
    y: Map,
    outer: Vec<ContractAxis>,
    inner: Vec<ContractAxis>,
    base: [usize; 2],
}

impl Contract {
    /// Products of elements of `a` and `b` to `y`; each is planar or in blocks of a vector's lanes.
    /// The product of the lengths of the outer axes is the number of elements of `y`. There are at
    /// most 16 outer and 16 inner axes.
    pub fn new(
        [a, b]: [Map; 2],
        y: Map,
        outer: Vec<ContractAxis>,
        inner: Vec<ContractAxis>,
        base: [usize; 2],
    ) -> Self {
        let [outer, inner] = [outer, inner].map(merged);
        Self {
            a,
            b,
            y,
            outer,
            inner,
            base,
        }
    }
}

/// The same axes with adjacent ones merged where both steps permit it, and without axes of one
/// index.
fn merged(axes: Vec<ContractAxis>) -> Vec<ContractAxis> {
    let mut all: Vec<ContractAxis> = Vec::with_capacity(axes.len());
    for axis in axes {
        if axis.length == 1 {
            continue;
        }
        let is_inside = |outer: &ContractAxis| {
            [0, 1].into_iter().all(|i| {
                let length = i64::try_from(axis.length).ok();
                length.and_then(|length| axis.steps[i].checked_mul(length)) == Some(outer.steps[i])
            })
        };
        match all.last_mut().filter(|outer| is_inside(outer)) {
            Some(outer) => {
                *outer = ContractAxis {
                    length: outer.length * axis.length,
                    steps: axis.steps,
                }
            }
            None => all.push(axis),
        }
    }
    all
}

/// An axis of one index, for steps without axes.
const SINGLE: ContractAxis = ContractAxis {
    length: 1,
    steps: [0, 0],
};

impl Contract {
    /// Elements of scratch memory for copies of factors whose elements do not lie in the order of
    /// their numbers.
    fn copied(&self) -> [usize; 2] {
        [&self.a, &self.b].map(|map| match Elements::new(map).is_linear {
            true => 0,
            false => map.values(),
        })
    }

    /// Computes the elements `first..end` of `y` into adjacent memory. `factors` are the elements of
    /// both factors in the order of their numbers.
    ///
    /// # Safety
    ///
    /// The step was checked, and the memory is writable.
    unsafe fn compute(
        &self,
        cx: &Context,
        factors: [*const f32; 2],
        inner: &[(usize, [isize; 2])],
        [first, end]: [usize; 2],
        y: *mut f32,
    ) {
        let (columns, outer) = match self.outer.split_last() {
            Some((last, outer)) => (*last, outer),
            None => (SINGLE, &[][..]),
        };
        let mut at = first;
        while at < end {
            let index = at % columns.length;
            let count = (columns.length - index).min(end - at);
            let mut rest = at / columns.length;
            let mut from = self.base;
            let mut add = |axis: &ContractAxis, index: usize| {
                for (from, step) in from.iter_mut().zip(axis.steps) {
                    let offset = (step as isize).wrapping_mul(index as isize);
                    *from = from.wrapping_add_signed(offset);
                }
            };
            add(&columns, index);
            for axis in outer.iter().rev() {
                add(axis, rest % axis.length);
                rest /= axis.length;
            }
            // SAFETY: the check found that all sources are elements of the maps, and the caller
            // guarantees the destination.
            unsafe {
                (cx.kernels.contract)(&ContractArgs {
                    factors: [0, 1].map(|i| factors[i].wrapping_add(from[i])),
                    columns: count,
                    column: columns.steps.map(|step| step as isize),
                    inner,
                    y: y.add(at - first),
                });
            }
            at += count;
        }
    }
}

/// Copies the elements of an image of `map` in the order of their numbers.
///
/// # Safety
///
/// The map is in the arena of `cx`, and `to` has memory for its elements.
unsafe fn copy_in_order(cx: &Context, map: &Map, image: usize, to: *mut f32) {
    let mut done = 0;
    for channel in 0..map.channels {
        let (block, lane) = (channel / map.lanes, channel % map.lanes);
        for row in 0..map.height {
            // SAFETY: as the caller guarantees.
            unsafe {
                let from = cx.at(map.at(image, block, row, 0) + lane);
                for pixel in 0..map.width {
                    *to.add(done + pixel) = *from.add(pixel * map.lanes);
                }
            }
            done += map.width;
        }
    }
}

impl Operation for Contract {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.a, &self.b], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            a,
            b,
            y,
            outer,
            inner,
            base,
        } = self;
        memory.any_map(y)?;
        let elements = check_lengths(outer.iter().map(|axis| axis.length))?;
        ensure(
            elements == y.values(),
            "the axes do not have as many elements as the output",
        )?;
        check_lengths(inner.iter().map(|axis| axis.length))?;
        for (map, index) in [(a, 0), (b, 1)] {
            memory.any_map(map)?;
            disjoint(map, y)?;
            let axes = outer.iter().chain(inner);
            let ranges = axes.map(|axis| range_of_step(axis.length, axis.steps[index]));
            check_sources(map, base[index], ranges)?;
        }
        Ok(())
    }

    fn scratch(&self) -> usize {
        let [a, b] = self.copied();
        let row = self.y.width.max(self.y.lanes);
        a.saturating_add(b).saturating_add(row)
    }

    unsafe fn run(&self, cx: &Context) {
        let [a, b, y] = &[&self.a, &self.b, &self.y].map(|map| cx.at_micro_batch(map));
        let copied = self.copied();
        let mut inner = [(1, [0; 2]); MAX_AXES];
        for (to, axis) in inner.iter_mut().zip(&self.inner) {
            *to = (axis.length, axis.steps.map(|step| step as isize));
        }
        let inner = &inner[..self.inner.len().max(1)];
        // The channels of a pixel are adjacent, and so are the elements of a vector.
        let is_vector = y.height * y.width == 1;
        let mut copied_image = None;
        // SAFETY: the map is within the arena, and only this step accesses it. The scratch memory
        // has a row after the copies.
        let sums = unsafe {
            cx.zero_border(y);
            cx.scratch.add(copied[0] + copied[1])
        };
        for (image, block, rows) in cx.claim_rows(y) {
            // SAFETY: the maps were checked, and the scratch memory has room for the copies.
            let factors = unsafe {
                let copy = |map: &Map, at: usize, len: usize| {
                    if len == 0 {
                        return cx.at(map.at(image, 0, 0, 0)).cast_const();
                    }
                    let to = cx.scratch.add(at);
                    if copied_image != Some(image) {
                        copy_in_order(cx, map, image, to);
                    }
                    to.cast_const()
                };
                [copy(a, 0, copied[0]), copy(b, copied[0], copied[1])]
            };
            copied_image = Some(image);
            let first_channel = block * y.lanes;
            let channels = y.lanes.min(y.channels - first_channel);
            for row in rows {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    if is_vector || y.lanes == 1 {
                        let first = match is_vector {
                            true => [first_channel, first_channel + channels],
                            false => {
                                let first = (first_channel * y.height + row) * y.width;
                                [first, first + y.width]
                            }
                        };
                        self.compute(cx, factors, inner, first, to);
                    } else {
                        for lane in 0..channels {
                            let first = ((first_channel + lane) * y.height + row) * y.width;
                            self.compute(cx, factors, inner, [first, first + y.width], sums);
                            for column in 0..y.width {
                                *to.add(column * y.lanes + lane) = *sums.add(column);
                            }
                        }
                    }
                    zero_unused_lanes(to, y.lanes, channels, y.width);
                }
            }
        }
    }
}
