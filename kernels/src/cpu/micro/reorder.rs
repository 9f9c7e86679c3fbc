//! Layout reorders between planar and blocked maps.

use super::simd::{MicroKernel, Simd};

/// Adjacent pixels of up to one block of channels, planar and blocked. Strides are in elements.
pub(crate) struct Planes {
    /// First pixel of the first plane, and stride from one plane to the next.
    pub planes: *const f32,
    pub plane: usize,
    /// First pixel of the block, and stride from one pixel to the next.
    pub block: *const f32,
    pub lanes: usize,
    pub channels: usize,
    pub pixels: usize,
}

/// Planar to blocked.
///
/// # Safety
///
/// The planes are readable and the block is writable, for this many channels and pixels.
pub(crate) struct ReorderToBlocked;

impl MicroKernel for ReorderToBlocked {
    type Args = Planes;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &Planes) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        a.tiles(|channel, pixel, sides| unsafe {
            let from = a.planes.add(channel * a.plane + pixel);
            let to = a.block.add(pixel * a.lanes + channel).cast_mut();
            transpose::<S>(s, from, a.plane, to, a.lanes, sides);
        });
    }
}

/// Blocked to planar.
///
/// # Safety
///
/// The block is readable and the planes are writable, for this many channels and pixels.
pub(crate) struct ReorderToPlanar;

impl MicroKernel for ReorderToPlanar {
    type Args = Planes;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &Planes) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        a.tiles(|channel, pixel, [channels, pixels]| unsafe {
            let from = a.block.add(pixel * a.lanes + channel);
            let to = a.planes.add(channel * a.plane + pixel).cast_mut();
            transpose::<S>(s, from, a.lanes, to, a.plane, [pixels, channels]);
        });
    }
}

/// Entry point of a reorder.
pub(crate) type PlanesFn = unsafe fn(&Planes);

/// Pixels of a plane that are copied before the next plane's: one cache line, so that planes in the
/// same cache set do not evict half-used lines.
const LINE: usize = 16;

/// Sides of the transposed tiles, and of the smaller tiles at the edges.
const SIDE: usize = 8;
const HALF: usize = 4;

impl Planes {
    /// Calls `tile` with the first channel and pixel of each tile of at most 8 by 8, and the sides
    /// of the tile.
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
    // SAFETY: as the caller guarantees.
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
