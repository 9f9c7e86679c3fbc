//! Between planes, one for each channel, and blocks of channels.

use super::simd::{Kernel, Simd};

/// Adjacent pixels of channels that lie side by side in a block, and in planes. Strides are in elements.
pub(crate) struct Planes {
    /// The first pixel of the first plane, and from one plane to the next.
    pub planes: *const f32,
    pub plane: usize,
    /// The first pixel of the block, and from one pixel to the next.
    pub block: *const f32,
    pub lanes: usize,
    pub channels: usize,
    pub pixels: usize,
}

/// Copies planes into a block.
///
/// # Safety
///
/// The planes are readable and the block is writable, for so many pixels and channels.
pub(crate) struct ReorderToBlocked;

impl Kernel for ReorderToBlocked {
    type Args = Planes;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &Planes) {
        a.tiles(|channel, pixel, sides| unsafe {
            let from = a.planes.add(channel * a.plane + pixel);
            let to = a.block.add(pixel * a.lanes + channel).cast_mut();
            transpose::<S>(s, from, a.plane, to, a.lanes, sides);
        });
    }
}

/// Copies a block into planes.
///
/// # Safety
///
/// As [`ReorderToBlocked`], the other way round.
pub(crate) struct ReorderToPlanar;

impl Kernel for ReorderToPlanar {
    type Args = Planes;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &Planes) {
        a.tiles(|channel, pixel, [channels, pixels]| unsafe {
            let from = a.block.add(pixel * a.lanes + channel);
            let to = a.planes.add(channel * a.plane + pixel).cast_mut();
            transpose::<S>(s, from, a.lanes, to, a.plane, [pixels, channels]);
        });
    }
}

/// The address of such a copy.
pub(crate) type PlanesFn = unsafe fn(&Planes);

/// Pixels of a cache line of a plane: what is read or written of one plane before the next, so that
/// planes that fall into the same cache set do not evict each other's lines half used.
const LINE: usize = 16;

/// Rows and columns of a tile, and of the smaller ones that its rest is made of.
const SIDE: usize = 8;
const HALF: usize = 4;

impl Planes {
    /// Calls `tile` with the first channel and pixel of each tile of at most eight by eight, and how many
    /// there are of each.
    #[inline(always)]
    fn tiles(&self, tile: impl Fn(usize, usize, [usize; 2])) {
        for line in (0..self.pixels).step_by(LINE) {
            let end = (line + LINE).min(self.pixels);
            for channel in (0..self.channels).step_by(SIDE) {
                let channels = (self.channels - channel).min(SIDE);
                for pixel in (line..end).step_by(SIDE) {
                    tile(channel, pixel, [channels, (end - pixel).min(SIDE)]);
                }
            }
        }
    }
}

/// `to[column * to_row + row] = from[row * from_row + column]`.
#[inline(always)]
unsafe fn transpose<S: Simd>(
    s: S,
    from: *const f32,
    from_row: usize,
    to: *mut f32,
    to_row: usize,
    [rows, columns]: [usize; 2],
) {
    unsafe {
        if rows == SIDE && columns == SIDE {
            return s.transpose_eight(from, from_row, to, to_row);
        }
        for row in (0..rows).step_by(HALF) {
            for column in (0..columns).step_by(HALF) {
                let [rows, columns] = [rows - row, columns - column].map(|rest| rest.min(HALF));
                let from = from.add(row * from_row + column);
                let to = to.add(column * to_row + row);
                if rows == HALF && columns == HALF {
                    s.transpose(from, from_row, to, to_row);
                    continue;
                }
                for row in 0..rows {
                    for column in 0..columns {
                        *to.add(column * to_row + row) = *from.add(row * from_row + column);
                    }
                }
            }
        }
    }
}
