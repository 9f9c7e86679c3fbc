//! Copies of elements: transposes, slices, flips, broadcasts, padding, nearest resizing, gathers.

use serde::{Deserialize, Serialize};

use super::axes::{Axis, Offsets, by_channel, check_axes, plane};
use super::elements::{Cursor, Elements, Row};
use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint};

/// Copies elements: each element of `y` is an element of `x`, or a constant.
///
/// The elements of a map are numbered in row-major order of `[channels, height, width]`. The
/// element of `y` with the indices `i0, i1, …` along the axes, outermost first, is element number
/// `base + axes[0].offsets(i0) + axes[1].offsets(i1) + …` of `x`, or `fill` if one of the offsets
/// is `None`. Transposes, slices with any step, flips, broadcasts, padding of every mode, nearest
/// resizing, depth-to-space, reshapes and gathers are special cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rearrange {
    x: Map,
    y: Map,
    base: usize,
    axes: Vec<Axis>,
    fill: f32,
}

impl Rearrange {
    /// Copies elements of `x` to `y`; either is planar or in blocks of a vector's lanes. The product
    /// of the axes' lengths is the number of elements of `y`. There are at most 16 axes.
    ///
    /// `fill` is finite, so that files can contain it.
    pub fn new(x: Map, y: Map, base: usize, axes: Vec<Axis>, fill: f32) -> Self {
        let axes = by_channel(&x, &y, axes);
        Self {
            x,
            y,
            base,
            axes,
            fill,
        }
    }

    /// The offsets of the channels if the step copies whole channels of maps of one height and width.
    fn whole_channels(&self) -> Option<&Offsets> {
        let Self { x, y, .. } = self;
        let [channels, pixels] = &self.axes[..] else {
            return None;
        };
        let area = x.height * x.width;
        let aligned = match &channels.offsets {
            Offsets::Step(step) => step % area as i64 == 0,
            Offsets::List(list) => list
                .iter()
                .flatten()
                .all(|&at| (at as usize).is_multiple_of(area)),
        };
        let whole = pixels.offsets == Offsets::Step(1) && pixels.length == area;
        let same = [x.height, x.width] == [y.height, y.width] && self.base.is_multiple_of(area);
        (aligned && whole && same).then_some(&channels.offsets)
    }

    /// The channel of `x` that is copied to channel `index` of `y`, for the offsets of
    /// [`whole_channels`](Self::whole_channels).
    fn channel(&self, offsets: &Offsets, index: usize) -> Option<usize> {
        let area = self.x.height * self.x.width;
        let first = self.base / area;
        match offsets {
            Offsets::Step(step) => {
                let channels = (step / area as i64).wrapping_mul(index as i64);
                Some(first.wrapping_add_signed(channels as isize))
            }
            Offsets::List(list) => list[index].map(|at| first + at as usize / area),
        }
    }

    /// Copies the elements `first..end` of `y` to `to`, `stride` apart.
    ///
    /// # Safety
    ///
    /// The step was checked, the elements of `x` are in the arena of `cx`, and the destination is
    /// writable.
    unsafe fn copy(
        &self,
        cx: &Context,
        x: &Elements,
        image: usize,
        [first, end]: [usize; 2],
        mut to: *mut f32,
        stride: usize,
    ) {
        let mut cursor = Cursor::new(self.base, &self.axes, first);
        let mut rest = end - first;
        while rest > 0 {
            let (sum, index, run) = cursor.run(rest);
            if let (Some(sum), Some((length, runs, step))) = (sum, cursor.short_runs(rest)) {
                // Exchanges the loops: long runs across the short ones.
                for i in 0..length {
                    let offset = match cursor.inner() {
                        Offsets::Step(step) => Some((*step as isize).wrapping_mul(i as isize)),
                        Offsets::List(list) => list[i].map(|offset| offset as isize),
                    };
                    // SAFETY: the check found that all sources are elements of the map, and the
                    // caller guarantees the destination.
                    unsafe {
                        let to = to.add(i * stride);
                        let stride = length * stride;
                        match offset {
                            None => fill(to, stride, runs, self.fill),
                            Some(offset) => {
                                let number = sum.wrapping_add_signed(offset);
                                copy_run(cx, (x, image), (number, step, runs), to, stride);
                            }
                        }
                    }
                }
                to = to.wrapping_add(length * runs * stride);
                rest -= length * runs;
                cursor.advance_runs(runs);
                continue;
            }
            // SAFETY: the check found that all sources are elements of the map, and the caller
            // guarantees the destination.
            unsafe {
                match (sum, cursor.inner()) {
                    (None, _) => fill(to, stride, run, self.fill),
                    (Some(sum), Offsets::Step(step)) => {
                        let step = *step as isize;
                        let number = sum.wrapping_add_signed(step.wrapping_mul(index as isize));
                        copy_run(cx, (x, image), (number, step, run), to, stride);
                    }
                    (Some(sum), Offsets::List(list)) => {
                        let mut row = None;
                        for i in 0..run {
                            *to.add(i * stride) = match list[index + i] {
                                None => self.fill,
                                Some(offset) => {
                                    let number = sum.wrapping_add(offset as usize);
                                    *cx.at(at(x, image, number, &mut row))
                                }
                            };
                        }
                    }
                }
                to = to.wrapping_add(run * stride);
            }
            rest -= run;
            cursor.advance(run);
        }
    }

    /// Copies whole vectors: the pixels `first..end` of all channels of a block, whose sources are
    /// in the block of `x` that starts with the element `block`.
    ///
    /// # Safety
    ///
    /// As [`copy`](Self::copy), and `pixels` are the axes that [`plane`] returned.
    unsafe fn copy_vectors<const LANES: usize>(
        &self,
        cx: &Context,
        (x, image, block): (&Elements, usize, usize),
        (base, pixels): (usize, &[Axis]),
        [first, end]: [usize; 2],
        mut to: *mut f32,
    ) {
        let mut cursor = Cursor::new(base, pixels, first);
        let mut rest = end - first;
        while rest > 0 {
            let (sum, index, run) = cursor.run(rest);
            // SAFETY: the check found that all sources are elements of the map, and the caller
            // guarantees the destination.
            unsafe {
                match (sum, cursor.inner()) {
                    (None, _) => fill(to, 1, run * LANES, self.fill),
                    (Some(sum), Offsets::Step(step)) => {
                        let step = *step as isize;
                        let sum = block.wrapping_add(sum);
                        let mut number = sum.wrapping_add_signed(step.wrapping_mul(index as isize));
                        let mut done = 0;
                        while done < run {
                            let segment = x.segment(image, number, step, run - done);
                            let mut from = cx.at(segment.at).cast_const();
                            for i in 0..segment.count {
                                let to = to.add((done + i) * LANES);
                                to.copy_from_nonoverlapping(from, LANES);
                                from = from.wrapping_offset(segment.stride);
                            }
                            let steps = step.wrapping_mul(segment.count as isize);
                            number = number.wrapping_add_signed(steps);
                            done += segment.count;
                        }
                    }
                    (Some(sum), Offsets::List(list)) => {
                        let mut row = None;
                        for i in 0..run {
                            let to = to.add(i * LANES);
                            match list[index + i] {
                                None => fill(to, 1, LANES, self.fill),
                                Some(offset) => {
                                    let number = (block + offset as usize).wrapping_add(sum);
                                    let from = cx.at(at(x, image, number, &mut row));
                                    to.copy_from_nonoverlapping(from, LANES);
                                }
                            }
                        }
                    }
                }
                to = to.wrapping_add(run * LANES);
            }
            rest -= run;
            cursor.advance(run);
        }
    }
}

/// Copies the `count` elements `number`, `number + step`, … of `x` to `to`, `stride` apart.
///
/// # Safety
///
/// The elements are in the arena of `cx`, and the destination is writable.
#[inline(always)]
unsafe fn copy_run(
    cx: &Context,
    (x, image): (&Elements, usize),
    (mut number, step, count): (usize, isize, usize),
    to: *mut f32,
    stride: usize,
) {
    let mut done = 0;
    while done < count {
        let segment = x.segment(image, number, step, count - done);
        // SAFETY: as the caller guarantees.
        unsafe {
            let to = to.add(done * stride);
            copy(cx.at(segment.at), segment.stride, to, stride, segment.count);
        }
        let steps = step.wrapping_mul(segment.count as isize);
        number = number.wrapping_add_signed(steps);
        done += segment.count;
    }
}

/// Offset of an element in memory. `row` is the row of the element before, which often has it.
#[inline(always)]
fn at(x: &Elements, image: usize, number: usize, row: &mut Option<Row>) -> usize {
    if let Some(at) = row.as_ref().and_then(|row| row.at(number)) {
        return at;
    }
    *row = Some(x.row(image, number));
    x.at(image, number)
}

/// Writes `value` to `count` elements, `stride` apart.
///
/// # Safety
///
/// The elements are writable.
#[inline(always)]
unsafe fn fill(to: *mut f32, stride: usize, count: usize, value: f32) {
    for i in 0..count {
        // SAFETY: as the caller guarantees.
        unsafe { *to.add(i * stride) = value };
    }
}

/// Copies `count` elements at equal distances.
///
/// # Safety
///
/// The elements are readable and writable, and do not overlap.
#[inline(always)]
unsafe fn copy(from: *const f32, from_stride: isize, to: *mut f32, stride: usize, count: usize) {
    // SAFETY: as the caller guarantees.
    unsafe {
        if from_stride == 1 && stride == 1 {
            to.copy_from_nonoverlapping(from, count);
            return;
        }
        for i in 0..count {
            *to.add(i * stride) = *from.offset(i as isize * from_stride);
        }
    }
}

impl Operation for Rearrange {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            x, y, base, axes, ..
        } = self;
        memory.any_map(x)?;
        memory.any_map(y)?;
        disjoint(x, y)?;
        check_axes(x, *base, axes, &[], y.values())
    }

    unsafe fn run(&self, cx: &Context) {
        let [x, y] = &[&self.x, &self.y].map(|map| cx.at_micro_batch(map));
        let elements = Elements::new(x);
        let plane = plane([x, y], self.base, &self.axes, &[]);
        let channels_of = self.whole_channels();
        // The channels of a pixel are adjacent, and so are the elements of a vector.
        let is_vector = y.height * y.width == 1;
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            let first_channel = block * y.lanes;
            let channels = y.lanes.min(y.channels - first_channel);
            if let Some(offsets) = channels_of {
                for row in rows {
                    // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                    unsafe {
                        let to = cx.at(y.at(image, block, row, 0));
                        for lane in 0..channels {
                            let number = self.channel(offsets, first_channel + lane);
                            let to = to.add(lane);
                            match number {
                                None => fill(to, y.lanes, y.width, self.fill),
                                Some(channel) => {
                                    let (block, lane) = (channel / x.lanes, channel % x.lanes);
                                    let from = cx.at(x.at(image, block, row, 0) + lane);
                                    let from = from.cast_const();
                                    copy(from, x.lanes as isize, to, y.lanes, y.width);
                                }
                            }
                        }
                        zero_unused_lanes(to, y.lanes, channels, y.width);
                    }
                }
                continue;
            }
            for row in rows {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    if let Some((first, base, pixels)) = plane {
                        let area = x.height * x.width;
                        let from = (&elements, image, (first + first_channel) * area);
                        let axes = (base, pixels);
                        let range = [row * y.width, (row + 1) * y.width];
                        match y.lanes {
                            16 => self.copy_vectors::<16>(cx, from, axes, range, to),
                            8 => self.copy_vectors::<8>(cx, from, axes, range, to),
                            _ => self.copy_vectors::<4>(cx, from, axes, range, to),
                        }
                    } else if is_vector {
                        let range = [first_channel, first_channel + channels];
                        self.copy(cx, &elements, image, range, to, 1);
                    } else {
                        for lane in 0..channels {
                            let first = ((first_channel + lane) * y.height + row) * y.width;
                            let range = [first, first + y.width];
                            self.copy(cx, &elements, image, range, to.add(lane), y.lanes);
                        }
                    }
                    zero_unused_lanes(to, y.lanes, channels, y.width);
                }
            }
        }
    }
}

/// Zeroes the lanes of adjacent pixels after the first `channels`.
///
/// # Safety
///
/// `to` are `pixels` writable pixels of `lanes` elements.
#[inline(always)]
pub(super) unsafe fn zero_unused_lanes(to: *mut f32, lanes: usize, channels: usize, pixels: usize) {
    if channels < lanes {
        for pixel in 0..pixels {
            // SAFETY: as the caller guarantees.
            unsafe {
                let rest = to.add(pixel * lanes + channels);
                rest.write_bytes(0, lanes - channels);
            }
        }
    }
}
