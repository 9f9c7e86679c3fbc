//! Bounds checks of steps.
//!
//! Programs may come from untrusted files. The check of a step trusts no field: maps are measured
//! with checked arithmetic, and fields that depend on other fields are recomputed.

use super::conv::ConvSpec;
use super::map::{Border, Map};
use super::output::Output;
use crate::cpu::micro::blocking::Blocking;

/// A step is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CheckError {
    /// The step reaches outside the planned memory.
    Outside,
    /// The maps of the step do not fit each other or the step: the condition that does not hold.
    Mismatch(&'static str),
}

/// Returns [`CheckError::Mismatch`] unless `condition` holds.
pub(crate) fn ensure(condition: bool, reason: &'static str) -> Result<(), CheckError> {
    if condition {
        Ok(())
    } else {
        Err(CheckError::Mismatch(reason))
    }
}

/// Checks that `y` can be written while `x` is read. Both maps were checked.
pub(crate) fn disjoint(x: &Map, y: &Map) -> Result<(), CheckError> {
    ensure(x.is_disjoint(y), "a map is written while it is read")
}

/// Checks that `y` can be written elementwise from `x`: both have the same shape and layout, and
/// are the same map or disjoint. Both maps were checked.
pub(crate) fn elementwise(x: &Map, y: &Map) -> Result<(), CheckError> {
    ensure(
        x.shape() == y.shape() && x.lanes == y.lanes,
        "maps have different shapes",
    )?;
    if x == y { Ok(()) } else { disjoint(x, y) }
}

/// Memory that a program plans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory<'a> {
    /// Channels of a block: lanes of a vector.
    pub lanes: usize,
    /// Block sizes of the algorithms.
    pub blocking: Blocking,
    /// Batch size of the program, and micro-batch of the step; both at least 1.
    pub images: usize,
    pub micro_batch: usize,
    /// Elements of the arena.
    pub arena: usize,
    /// Elements of the packed weights.
    pub weights: usize,
    /// Elements of one input image.
    pub input: usize,
    /// Elements of one image in each output array.
    pub outputs: &'a [usize],
}

impl Memory<'_> {
    /// Whether `images` is a valid micro-batch or number of slots: the whole batch or a smaller
    /// power of two.
    ///
    /// Then a micro-batch occupies adjacent slots of every map with at least as many slots, since
    /// both the index of its first image and the number of slots are multiples of the micro-batch.
    pub fn is_even(&self, images: usize) -> bool {
        images == self.images || (images < self.images && images.is_power_of_two())
    }

    /// Checks that a map in blocks of `lanes` channels lies within the arena.
    pub fn map(&self, map: &Map) -> Result<(), CheckError> {
        ensure(
            map.lanes == self.lanes,
            "the lanes of a map are not those of the instruction set",
        )?;
        self.any_map(map)
    }

    /// Checks that a map, blocked or planar, lies within the arena.
    pub fn any_map(&self, map: &Map) -> Result<(), CheckError> {
        ensure(
            map.lanes == 1 || map.lanes == self.lanes,
            "the lanes of a map are not those of the instruction set",
        )?;
        let [channels, height, width] = map.shape();
        ensure(channels > 0 && height > 0 && width > 0, "a map is empty")?;
        let [row, extent] = lines(map).ok_or(CheckError::Outside)?;
        ensure(map.row == row, "the rows of a map are not adjacent")?;
        ensure(map.block >= extent, "the blocks of a map overlap")?;
        let image = (map.blocks() - 1)
            .checked_mul(map.block)
            .and_then(|blocks| blocks.checked_add(extent))
            .ok_or(CheckError::Outside)?;
        ensure(map.image >= image, "the images of a map overlap")?;
        ensure(
            self.is_even(map.slots) && map.slots >= self.micro_batch,
            "the slots of a map are not a batch or a power of two of at least the micro-batch",
        )?;
        let end = (map.slots - 1)
            .checked_mul(map.image)
            .and_then(|images| images.checked_add(image)?.checked_add(map.offset));
        match end {
            Some(end) if end <= self.arena => Ok(()),
            _ => Err(CheckError::Outside),
        }
    }

    /// Checks the maps that a convolution of `x` writes and adds. `x` was checked.
    pub fn output(&self, output: &Output, x: &Map) -> Result<(), CheckError> {
        self.map(&output.y)?;
        if let Some(residual) = &output.residual {
            self.map(residual)?;
            elementwise(residual, &output.y)?;
        }
        disjoint(x, &output.y)
    }

    /// Most elements of any array: half of the address space.
    pub const LARGEST: usize = isize::MAX as usize / size_of::<f32>() / 2;

    /// Checks that `len` packed weights from element `from` on lie within the program's packed
    /// weights. `len` is `None` if its computation overflowed.
    pub fn weights(&self, from: usize, len: Option<usize>) -> Result<(), CheckError> {
        match len.and_then(|len| from.checked_add(len)) {
            Some(end) if end <= self.weights => Ok(()),
            _ => Err(CheckError::Outside),
        }
    }
}

/// Elements of a row and of a block, borders included.
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
    /// Checks that the windows over `x` are the pixels of `y` and lie within the border of `x`.
    /// Both maps were checked.
    pub(crate) fn check(&self, x: &Map, y: &Map) -> Result<(), CheckError> {
        ensure(
            [x.channels, y.channels] == [self.channels_in, self.channels_out],
            "the channels of the maps are not the convolution's",
        )?;
        ensure(
            self.groups > 0
                && self.channels_in.is_multiple_of(self.groups)
                && self.channels_out.is_multiple_of(self.groups),
            "the groups do not divide the channels",
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
            ensure(!step.contains(&0), "a kernel, stride or dilation is 0")?;
            // `None` if a size overflows.
            let found = (|| {
                let [kernel, stride, dilation] = step;
                let [before, after] = padding[axis];
                stride.checked_mul(pitch[axis])?;
                dilation.checked_mul(pitch[axis])?;
                let extent = (kernel - 1).checked_mul(dilation)?.checked_add(1)?;
                let padded = size.checked_add(before)?.checked_add(after)?;
                let span = padded.checked_sub(extent)?;
                let read = (windows - 1).checked_mul(stride)?.checked_add(extent)?;
                let stored = before.checked_add(size)?.checked_add(border[axis][1])?;
                Some((
                    span / stride + 1,
                    before <= border[axis][0] && read <= stored,
                ))
            })();
            let (expected, inside) = found.ok_or(CheckError::Mismatch(
                "the windows do not fit the padded input",
            ))?;
            ensure(
                windows == expected,
                "the output size is not the convolution's",
            )?;
            ensure(inside, "a window reaches over the border")?;
        }
        Ok(())
    }

    /// Upper bound of the elements of weights packed with `elements` values for each pair of
    /// channels and a bias for each output channel, in blocks of `lanes` output channels. `None` if
    /// the product overflows.
    pub(crate) fn most_packed(&self, lanes: usize, elements: usize) -> Option<usize> {
        let outputs = self.channels_out.checked_next_multiple_of(lanes)?;
        let inputs = self.channels_in.checked_mul(elements)?.checked_add(1)?;
        outputs.checked_mul(inputs)
    }
}
