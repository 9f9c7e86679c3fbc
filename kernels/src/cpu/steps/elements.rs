//! Elements of a map by number.

use std::ops::Range;

use super::axes::{Axis, MAX_AXES, Offsets};
use crate::cpu::layout::Map;

/// The elements of a map, numbered in row-major order of `[channels, height, width]`.
#[derive(Clone, Copy)]
pub(super) struct Elements {
    map: Map,
    /// Whether the elements lie in memory in the order of their numbers.
    pub is_linear: bool,
}

/// Elements at equal distances in memory.
pub(super) struct Segment {
    /// Offset of the first element.
    pub at: usize,
    /// Distance from one element to the next.
    pub stride: isize,
    pub count: usize,
}

/// A row of a map.
pub(super) struct Row {
    /// Numbers of its elements.
    numbers: Range<usize>,
    /// Offset of the first element.
    at: usize,
    /// Distance from one element to the next.
    pitch: usize,
}

impl Row {
    /// Offset of an element in memory, if it is in the row.
    #[inline(always)]
    pub fn at(&self, number: usize) -> Option<usize> {
        let is_inside = self.numbers.contains(&number);
        is_inside.then(|| self.at + (number - self.numbers.start) * self.pitch)
    }
}

impl Elements {
    /// The elements of a checked map.
    #[inline(always)]
    pub fn new(map: &Map) -> Self {
        // Numbers do not change when all pixels are in one row.
        let map = if map.is_dense() { map.flat() } else { *map };
        let is_block = map.lanes == 1 && map.height == 1;
        Self {
            map,
            is_linear: is_block && (map.block == map.width || map.channels == 1),
        }
    }

    /// Offset of the first element in memory.
    #[inline(always)]
    pub fn start(&self, image: usize) -> usize {
        self.map.at(image, 0, 0, 0)
    }

    /// Channel, row and column of an element.
    #[inline(always)]
    fn position(&self, number: usize) -> [usize; 3] {
        let (row, column) = (number / self.map.width, number % self.map.width);
        [row / self.map.height, row % self.map.height, column]
    }

    #[inline(always)]
    fn at_position(&self, image: usize, [channel, row, column]: [usize; 3]) -> usize {
        let Map { lanes, .. } = self.map;
        // A power of two.
        let block = channel >> lanes.trailing_zeros();
        self.map.at(image, block, row, column) + (channel & (lanes - 1))
    }

    /// The row of an element: number and offset of its first element, and number of the first
    /// element after it.
    #[inline(always)]
    pub fn row(&self, image: usize, number: usize) -> Row {
        let [channel, row, column] = self.position(number);
        let first = number - column;
        Row {
            numbers: first..first + self.map.width,
            at: self.at_position(image, [channel, row, 0]),
            pitch: self.map.lanes,
        }
    }

    /// Offset of an element in memory.
    #[inline(always)]
    pub fn at(&self, image: usize, number: usize) -> usize {
        match self.is_linear {
            true => self.start(image) + number,
            false => self.at_position(image, self.position(number)),
        }
    }

    /// The longest segment of the `count` elements `number`, `number + step`, …
    #[inline(always)]
    pub fn segment(&self, image: usize, number: usize, step: isize, count: usize) -> Segment {
        let whole = |at: usize, stride: isize| Segment { at, stride, count };
        if self.is_linear {
            return whole(self.start(image) + number, step);
        }
        let position = self.position(number);
        let at = self.at_position(image, position);
        if step == 0 || count == 1 {
            return whole(at, 0);
        }
        let [channel, row, column] = position;
        let Map {
            height,
            width,
            lanes,
            ..
        } = self.map;
        let distance = step.unsigned_abs();
        let area = height * width;
        // The index along one axis of the map, the number of indices, the distance in indices, and
        // the distance of adjacent indices in memory.
        let (index, indices, distance, pitch) = if distance < width {
            (column, width, distance, lanes)
        } else if distance < area && distance.is_multiple_of(width) {
            (row, height, distance / width, self.map.row)
        } else if distance.is_multiple_of(area) && lanes == 1 {
            (channel, self.map.channels, distance / area, self.map.block)
        } else if distance.is_multiple_of(area) {
            (channel & (lanes - 1), lanes, distance / area, 1)
        } else {
            (0, 1, 1, 0)
        };
        let room = match step > 0 {
            true => indices - 1 - index,
            false => index,
        };
        let stride = (distance * pitch) as isize;
        Segment {
            at,
            stride: stride * step.signum(),
            count: count.min(room / distance + 1),
        }
    }
}

/// An axis of one index, for steps without axes.
static SINGLE: Axis = Axis {
    length: 1,
    offsets: Offsets::Step(0),
};

/// Indices along axes, in row-major order.
pub(super) struct Cursor<'a> {
    outer: &'a [Axis],
    inner: &'a Axis,
    /// Indices along the outer axes.
    indices: [usize; MAX_AXES],
    /// Index along the inner axis.
    index: usize,
    /// The base and the offsets of the outer indices; `None` if an offset is.
    sum: Option<usize>,
    base: usize,
}

impl<'a> Cursor<'a> {
    /// The indices of element number `element`.
    #[inline(always)]
    pub fn new(base: usize, axes: &'a [Axis], element: usize) -> Self {
        let (inner, outer) = axes.split_last().unwrap_or((&SINGLE, &[]));
        let mut indices = [0; MAX_AXES];
        let mut rest = element / inner.length;
        for axis in (0..outer.len()).rev() {
            indices[axis] = rest % outer[axis].length;
            rest /= outer[axis].length;
        }
        let mut cursor = Self {
            outer,
            inner,
            indices,
            index: element % inner.length,
            sum: None,
            base,
        };
        cursor.add();
        cursor
    }

    /// Sums the offsets of the outer indices.
    #[inline(always)]
    fn add(&mut self) {
        let mut sum = self.base;
        for axis in 0..self.outer.len() {
            let index = self.indices[axis];
            match &self.outer[axis].offsets {
                Offsets::Step(step) => {
                    // Partial sums may be negative.
                    sum = sum.wrapping_add_signed((*step as isize).wrapping_mul(index as isize));
                }
                Offsets::List(list) => match list[index] {
                    Some(offset) => sum = sum.wrapping_add(offset as usize),
                    None => {
                        self.sum = None;
                        return;
                    }
                },
            }
        }
        self.sum = Some(sum);
    }

    /// The elements from the current one on, up to `most`, that differ only in their index along the
    /// inner axis: sum of the base and the outer offsets, and the indices.
    #[inline(always)]
    pub fn run(&self, most: usize) -> (Option<usize>, usize, usize) {
        (
            self.sum,
            self.index,
            most.min(self.inner.length - self.index),
        )
    }

    /// The number of the current element's source, if it has one.
    #[inline(always)]
    pub fn source(&self) -> Option<usize> {
        let offset = match &self.inner.offsets {
            Offsets::Step(step) => (*step as isize).wrapping_mul(self.index as isize),
            Offsets::List(list) => list[self.index]? as isize,
        };
        Some(self.sum?.wrapping_add_signed(offset))
    }

    /// The offsets along the inner axis.
    #[inline(always)]
    pub fn inner(&self) -> &'a Offsets {
        &self.inner.offsets
    }

    /// Whole runs from the current element on, of at most `most` elements, that differ only in their
    /// index along the axis next to the inner one, which has a step: length of a run, number of
    /// runs, and step. `None` if the current element is not the first of its run, or runs are long.
    #[inline(always)]
    pub fn short_runs(&self, most: usize) -> Option<(usize, usize, isize)> {
        const SHORT: usize = 8;
        let length = self.inner.length;
        if self.index > 0 || length >= SHORT {
            return None;
        }
        let axis = self.outer.last()?;
        let Offsets::Step(step) = axis.offsets else {
            return None;
        };
        let runs = axis.length - self.indices[self.outer.len() - 1];
        let runs = runs.min(most / length);
        (runs > length).then_some((length, runs, step as isize))
    }

    /// Continues after whole [`short_runs`](Self::short_runs).
    #[inline(always)]
    pub fn advance_runs(&mut self, runs: usize) {
        self.indices[self.outer.len() - 1] += runs - 1;
        self.advance(self.inner.length);
    }

    /// Continues after `count` elements of a [`run`](Self::run).
    #[inline(always)]
    pub fn advance(&mut self, count: usize) {
        self.index += count;
        if self.index < self.inner.length {
            return;
        }
        self.index = 0;
        for axis in (0..self.outer.len()).rev() {
            self.indices[axis] += 1;
            if self.indices[axis] < self.outer[axis].length {
                break;
            }
            self.indices[axis] = 0;
        }
        self.add();
    }
}
