//! Between planes, one for each channel, and blocks of channels.

/// Pixels of a cache line of a plane: what is read or written of one plane before the next, so that
/// planes that fall into the same cache set do not evict each other's lines half used.
const LINE: usize = 16;

/// Channels of planes, `plane` elements from one to the next, that lie side by side in a block of
/// `lanes`.
pub(super) struct Planes {
    pub plane: usize,
    pub lanes: usize,
    pub channels: usize,
    pub pixels: usize,
}

impl Planes {
    /// Copies adjacent pixels of planes into a block.
    ///
    /// # Safety
    ///
    /// `from` is readable for `pixels` in each of the planes, `to` writable for as many times `lanes`.
    pub unsafe fn gather(&self, from: *const f32, to: *mut f32) {
        self.tiles(|channel, pixel, channels, pixels| unsafe {
            let from = from.add(channel * self.plane + pixel);
            let to = to.add(pixel * self.lanes + channel);
            transpose(from, self.plane, to, self.lanes, [channels, pixels]);
        });
    }

    /// Copies adjacent pixels of a block into planes.
    ///
    /// # Safety
    ///
    /// As [`gather`](Self::gather), the other way round.
    pub unsafe fn scatter(&self, from: *const f32, to: *mut f32) {
        self.tiles(|channel, pixel, channels, pixels| unsafe {
            let from = from.add(pixel * self.lanes + channel);
            let to = to.add(channel * self.plane + pixel);
            transpose(from, self.lanes, to, self.plane, [pixels, channels]);
        });
    }

    /// Calls `tile` with the first channel and pixel of each tile of at most four by four, and how many
    /// there are of each.
    #[inline(always)]
    fn tiles(&self, tile: impl Fn(usize, usize, usize, usize)) {
        for line in (0..self.pixels).step_by(LINE) {
            let end = (line + LINE).min(self.pixels);
            for channel in (0..self.channels).step_by(SIDE) {
                let channels = (self.channels - channel).min(SIDE);
                for pixel in (line..end).step_by(SIDE) {
                    tile(channel, pixel, channels, (end - pixel).min(SIDE));
                }
            }
        }
    }
}

/// Rows and columns of a tile: a vector of the smallest instruction set.
const SIDE: usize = 4;

/// `to[column * to_row + row] = from[row * from_row + column]` for at most [`SIDE`] of each.
#[inline(always)]
unsafe fn transpose(
    from: *const f32,
    from_row: usize,
    to: *mut f32,
    to_row: usize,
    [rows, columns]: [usize; 2],
) {
    type Row = [f32; SIDE];
    unsafe {
        if rows == SIDE && columns == SIDE {
            let rows: [Row; SIDE] =
                std::array::from_fn(|row| from.add(row * from_row).cast::<Row>().read());
            for column in 0..SIDE {
                let values: Row = std::array::from_fn(|row| rows[row][column]);
                to.add(column * to_row).cast::<Row>().write(values);
            }
        } else {
            for row in 0..rows {
                for column in 0..columns {
                    *to.add(column * to_row + row) = *from.add(row * from_row + column);
                }
            }
        }
    }
}
