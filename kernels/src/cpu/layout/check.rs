//! Whether a step stays within its memory: a program may come from a file that anybody wrote.
//!
//! Every step has a `check`. It takes no field on trust: maps are measured with checked arithmetic,
//! what was derived from other fields is derived again.

use super::conv::ConvSpec;
use super::map::{Border, Map};
use super::output::Output;
use crate::cpu::micro::blocking::Blocking;

/// What is wrong with a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CheckError {
    /// It reaches outside the memory that was planned.
    Outside,
    /// Its maps do not fit together.
    Mismatch(&'static str),
}

/// [`CheckError::Mismatch`] unless `condition`.
pub(crate) fn ensure(condition: bool, reason: &'static str) -> Result<(), CheckError> {
    if condition {
        Ok(())
    } else {
        Err(CheckError::Mismatch(reason))
    }
}

/// Maps, checked before, of which one is written while the other is read.
pub(crate) fn disjoint(x: &Map, y: &Map) -> Result<(), CheckError> {
    ensure(x.is_disjoint(y), "a map is written while it is read")
}

/// Maps, checked before, of which `y` is written element by element where `x` is read: it may be
/// the same.
pub(crate) fn elementwise(x: &Map, y: &Map) -> Result<(), CheckError> {
    ensure(
        x.shape() == y.shape() && x.lanes == y.lanes,
        "maps have different shapes",
    )?;
    if x == y { Ok(()) } else { disjoint(x, y) }
}

/// The memory that a program plans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory<'a> {
    /// Channels of a block.
    pub lanes: usize,
    /// How work is cut.
    pub blocking: Blocking,
    /// Images of the largest batch, and those that pass the step together, both at least 1.
    pub images: usize,
    pub micro_batch: usize,
    /// Elements of the arena.
    pub arena: usize,
    /// Elements of the packed weights.
    pub weights: usize,
    /// Elements of one of the caller's images.
    pub input: usize,
    /// Those of each of the caller's outputs.
    pub outputs: &'a [usize],
}

impl Memory<'_> {
    /// Whether so many images may pass a step together, or have a place in a map: all, or a power of two. Then those that
    /// pass a step together are next to each other in a map with places for as many or more: what comes before them in
    /// the batch is a multiple of their number, and so are the places.
    pub fn is_even(&self, images: usize) -> bool {
        images == self.images || (images < self.images && images.is_power_of_two())
    }

    /// A map in blocks of a vector's lanes, within the arena.
    pub fn map(&self, map: &Map) -> Result<(), CheckError> {
        ensure(map.lanes == self.lanes, "a map has other lanes")?;
        self.any_map(map)
    }

    /// A map in blocks or planar, within the arena.
    pub fn any_map(&self, map: &Map) -> Result<(), CheckError> {
        ensure(
            map.lanes == 1 || map.lanes == self.lanes,
            "a map has other lanes",
        )?;
        let [channels, height, width] = map.shape();
        ensure(channels > 0 && height > 0 && width > 0, "a map is empty")?;
        let [row, extent] = lines(map).ok_or(CheckError::Outside)?;
        ensure(map.row == row, "a map's rows are not adjacent")?;
        ensure(
            map.block >= extent,
            "a map's blocks are not as large as what they hold",
        )?;
        let image = (map.blocks() - 1)
            .checked_mul(map.block)
            .and_then(|blocks| blocks.checked_add(extent))
            .ok_or(CheckError::Outside)?;
        ensure(map.image >= image, "a map's images overlap")?;
        ensure(
            self.is_even(map.slots) && map.slots >= self.micro_batch,
            "a map has slots for other images than those that pass micro_batch",
        )?;
        let end = (map.slots - 1)
            .checked_mul(map.image)
            .and_then(|images| images.checked_add(image)?.checked_add(map.offset));
        match end {
            Some(end) if end <= self.arena => Ok(()),
            _ => Err(CheckError::Outside),
        }
    }

    /// Where a convolution of `x`, checked before, writes.
    pub fn output(&self, output: &Output, x: &Map) -> Result<(), CheckError> {
        self.map(&output.y)?;
        if let Some(residual) = &output.residual {
            self.map(residual)?;
            elementwise(residual, &output.y)?;
        }
        disjoint(x, &output.y)
    }

    /// The most elements that there can be of anything.
    pub const LARGEST: usize = isize::MAX as usize / size_of::<f32>() / 2;

    /// Packed weights from element `from` on; `len` is `None` where it was too large to count.
    pub fn weights(&self, from: usize, len: Option<usize>) -> Result<(), CheckError> {
        match len.and_then(|len| from.checked_add(len)) {
            Some(end) if end <= self.weights => Ok(()),
            _ => Err(CheckError::Outside),
        }
    }
}

/// Elements of a row with its border, and of a block with its.
fn lines(map: &Map) -> Option<[usize; 2]> {
    let Border {
        top,
        bottom,
        left,
        right,
    } = map.border;
    let width = left.checked_add(map.width)?.checked_add(right)?;
    let height = top.checked_add(map.height)?.checked_add(bottom)?;
    let row = width.checked_mul(map.lanes)?;
    Some([row, height.checked_mul(row)?])
}

impl ConvSpec {
    /// Whether its windows over `x` are the pixels of `y`, and lie within the border of `x`. Both maps
    /// were checked.
    pub(crate) fn check(&self, x: &Map, y: &Map) -> Result<(), CheckError> {
        ensure(
            [x.channels, y.channels] == [self.channels_in, self.channels_out],
            "other channels than the convolution's",
        )?;
        ensure(
            self.groups > 0
                && self.channels_in.is_multiple_of(self.groups)
                && self.channels_out.is_multiple_of(self.groups),
            "groups that do not divide the channels",
        )?;
        let Border {
            top,
            bottom,
            left,
            right,
        } = x.border;
        let border = [[top, bottom], [left, right]];
        let padding = self.padding;
        let padding = [[padding.top, padding.bottom], [padding.left, padding.right]];
        let sizes = [[x.height, y.height], [x.width, y.width]];
        let pitch = [x.row, x.lanes];
        for axis in 0..2 {
            let [size, windows] = sizes[axis];
            let step = [self.kernel[axis], self.stride[axis], self.dilation[axis]];
            ensure(!step.contains(&0), "a kernel, stride or dilation of 0")?;
            // None where it is more than can be counted.
            let found = (|| {
                let [kernel, stride, dilation] = step;
                let [before, after] = padding[axis];
                stride.checked_mul(pitch[axis])?;
                dilation.checked_mul(pitch[axis])?;
                let extent = (kernel - 1).checked_mul(dilation)?.checked_add(1)?;
                let padded = size.checked_add(before)?.checked_add(after)?;
                let room = padded.checked_sub(extent)?;
                let read = (windows - 1).checked_mul(stride)?.checked_add(extent)?;
                let there = before.checked_add(size)?.checked_add(border[axis][1])?;
                Some((
                    room / stride + 1,
                    before <= border[axis][0] && read <= there,
                ))
            })();
            let (expected, inside) =
                found.ok_or(CheckError::Mismatch("windows that do not fit"))?;
            ensure(windows == expected, "other windows than the convolution's")?;
            ensure(inside, "windows outside the border")?;
        }
        Ok(())
    }

    /// The most elements that weights of all input channels take, packed with a bias for blocks of
    /// `lanes` output channels; `None` where it is more than can be counted.
    pub(crate) fn most_packed(&self, lanes: usize, slots: usize) -> Option<usize> {
        let outputs = self.channels_out.checked_next_multiple_of(lanes)?;
        let inputs = self.channels_in.checked_mul(slots)?.checked_add(1)?;
        outputs.checked_mul(inputs)
    }
}
