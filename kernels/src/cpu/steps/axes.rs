//! Axes of general steps: which elements of a map an element of another map is computed from.
//!
//! The elements of a map are numbered in row-major order of `[channels, height, width]`, whatever
//! its lanes and its border. An element of an output has an index along each axis, and each index
//! has an offset: the number of the source element is the sum of a base and all offsets.

use serde::{Deserialize, Serialize};

use crate::cpu::layout::{CheckError, Map, ensure};

/// An axis of the elements of an output, and the source elements along it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Number of indices, at least 1.
    pub length: usize,
    /// Offset of each index.
    pub offsets: Offsets,
}

/// Distance of the source element of each index of an [`Axis`], in elements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offsets {
    /// The index times this number.
    Step(i64),
    /// One offset for each index. An element with an index whose offset is `None` has no source.
    List(Vec<Option<u32>>),
}

/// Most axes of a step.
pub(super) const MAX_AXES: usize = 16;

impl Axis {
    /// An axis of `length` elements whose sources are `step` elements apart.
    pub fn step(length: usize, step: i64) -> Self {
        Self {
            length,
            offsets: Offsets::Step(step),
        }
    }

    /// An axis with one offset for each index.
    pub fn list(offsets: Vec<Option<u32>>) -> Self {
        Self {
            length: offsets.len(),
            offsets: Offsets::List(offsets),
        }
    }

    /// The smallest and the largest offset.
    pub(super) fn range(&self) -> [i128; 2] {
        match &self.offsets {
            Offsets::Step(step) => {
                let last = i128::from(*step) * (self.length as i128 - 1);
                [last.min(0), last.max(0)]
            }
            Offsets::List(list) => {
                let all = || list.iter().flatten().map(|offset| i128::from(*offset));
                [all().min().unwrap_or(0), all().max().unwrap_or(0)]
            }
        }
    }
}

/// The same axes with adjacent ones merged where their steps permit it, and without axes of one
/// index whose offset is 0.
pub(super) fn merged(axes: Vec<Axis>) -> Vec<Axis> {
    let mut all: Vec<Axis> = Vec::with_capacity(axes.len());
    for axis in axes {
        if let Offsets::Step(inner) = axis.offsets {
            if axis.length == 1 {
                continue;
            }
            if let Some(last) = all.last_mut()
                && let Offsets::Step(outer) = last.offsets
                && i64::try_from(axis.length)
                    .is_ok_and(|length| inner.checked_mul(length) == Some(outer))
            {
                *last = Axis::step(last.length * axis.length, inner);
                continue;
            }
        }
        all.push(axis);
    }
    all
}

/// [`merged`] axes of the elements of `y`. If the first axis walks through all channels of `x` and
/// pixels of `y`, it is divided into an axis of the channels and an axis of the pixels, so that
/// [`plane`] finds it.
pub(super) fn by_channel(x: &Map, y: &Map, axes: Vec<Axis>) -> Vec<Axis> {
    let mut axes = merged(axes);
    let area = (x.height * x.width) as i64;
    if axes.len() < MAX_AXES
        && let Some(Axis {
            length,
            offsets: Offsets::Step(step),
        }) = axes.first()
    {
        let (length, step) = (*length, *step);
        let pixels = length / y.channels;
        let is_channel = length.is_multiple_of(y.channels) && pixels > 1;
        if is_channel && step * pixels as i64 == area {
            axes[0] = Axis::step(pixels, step);
            axes.insert(0, Axis::step(y.channels, area));
        } else if y.channels == 1 && length > 1 && step.unsigned_abs() < area as u64 {
            axes.insert(0, Axis::step(1, area));
        }
    }
    axes
}

/// Whether channel `c` of `y` has its sources in channel `first + c` of `x`, where both are channel
/// 0 of a block, and in the same pixels as all other channels. Returns `first`, and the base and the
/// outer axes of the pixels.
pub(super) fn plane<'a>(
    [x, y]: [&Map; 2],
    base: usize,
    outer: &'a [Axis],
    inner: &[Axis],
) -> Option<(usize, usize, &'a [Axis])> {
    let (channels, pixels) = outer.split_first()?;
    let area = x.height * x.width;
    let (first, base) = (base / area, base % area);
    let fits = x.lanes == y.lanes
        && x.lanes > 1
        && first.is_multiple_of(x.lanes)
        && channels.length == y.channels
        && channels.offsets == Offsets::Step(area as i64);
    let mut range = [base as i128; 2];
    for axis in pixels.iter().chain(inner) {
        for (sum, offset) in range.iter_mut().zip(axis.range()) {
            *sum = sum.saturating_add(offset);
        }
    }
    (fits && range[0] >= 0 && range[1] < area as i128).then_some((first, base, pixels))
}

/// Checks that there are at most [`MAX_AXES`] lengths, none of which is 0, and returns their
/// product.
pub(super) fn check_lengths(lengths: impl Iterator<Item = usize>) -> Result<usize, CheckError> {
    let mut product = 1_usize;
    for (axis, length) in lengths.enumerate() {
        ensure(axis < MAX_AXES, "a step has too many axes")?;
        ensure(length > 0, "an axis is empty")?;
        product = product.checked_mul(length).ok_or(CheckError::Outside)?;
    }
    Ok(product)
}

/// Checks that the smallest and the largest sum of `base` and one offset in each of `ranges` are
/// elements of `x`, which was checked.
pub(super) fn check_sources(
    x: &Map,
    base: usize,
    ranges: impl Iterator<Item = [i128; 2]>,
) -> Result<(), CheckError> {
    let mut sum = [base as i128; 2];
    for range in ranges {
        for (sum, offset) in sum.iter_mut().zip(range) {
            *sum = sum.saturating_add(offset);
        }
    }
    match sum[0] >= 0 && sum[1] < x.values() as i128 {
        true => Ok(()),
        false => Err(CheckError::Outside),
    }
}

/// The smallest and the largest offset of an axis of `length` elements that are `step` apart.
pub(super) fn range_of_step(length: usize, step: i64) -> [i128; 2] {
    Axis::step(length, step).range()
}

/// Checks that the lengths of `outer` have the product `elements`, lists are as long as their axes,
/// and all sources along the outer and inner axes are elements of `x`, which was checked.
pub(super) fn check_axes(
    x: &Map,
    base: usize,
    outer: &[Axis],
    inner: &[Axis],
    elements: usize,
) -> Result<(), CheckError> {
    let product = check_lengths(outer.iter().map(|axis| axis.length))?;
    ensure(
        product == elements,
        "the axes do not have as many elements as the output",
    )?;
    check_lengths(inner.iter().map(|axis| axis.length))?;
    let axes = || outer.iter().chain(inner);
    for axis in axes() {
        if let Offsets::List(list) = &axis.offsets {
            ensure(
                list.len() == axis.length,
                "a list is not as long as its axis",
            )?;
        }
    }
    check_sources(x, base, axes().map(Axis::range))
}
