//! Local response normalization across channels.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, elementwise, ensure};
use crate::cpu::micro::lrn::LrnArgs;
use crate::threads::partition::partition_range;

/// `y_i = x_i / (k + alpha * sum_j x_j^2)^beta`, where `j` runs over the existing channels of the
/// `size` channels from `i - size / 2` on (ImageNet Classification with Deep Convolutional Neural
/// Networks, section 3.3). `alpha` multiplies the sum, not the mean. The result is within `size +
/// 10` half units in the last place; a `beta` of 3/4 takes a tenth of the time of other values.
///
/// The squares of a few pixels are stored by channel in scratch memory, with zeros before and after
/// each pixel's; the sum of a window is the sum of `size` vectors, each shifted by one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lrn {
    size: usize,
    alpha: f32,
    beta: f32,
    k: f32,
    x: Map,
    y: Map,
}

/// Elements of squares: half of a 32 KiB L1, the smallest of any processor.
const SQUARES: usize = 4096;

impl Lrn {
    /// Local response normalization of `x` into `y` of the same shape, both in blocks of a vector's
    /// lanes. `y` may be `x`.
    pub fn new(size: usize, alpha: f32, beta: f32, k: f32, x: Map, y: Map) -> Self {
        // A flat map has no border, so an output with a border, which must be zeroed, stays as it
        // is.
        let (x, y) = if x.is_dense() && y.is_dense() && y.border.is_empty() {
            (x.flat(), y.flat())
        } else {
            (x, y)
        };
        Self {
            size,
            alpha,
            beta,
            k,
            x,
            y,
        }
    }

    /// Channels of a window before and after the middle, at most all other channels.
    fn reach(&self) -> [usize; 2] {
        let most = self.x.channels - 1;
        [self.size / 2, (self.size - 1) / 2].map(|reach| reach.min(most))
    }

    /// Elements before the first square, a multiple of the lanes, so that squares are aligned to
    /// blocks.
    fn before(&self) -> usize {
        self.reach()[0].next_multiple_of(self.x.lanes)
    }

    /// Elements of the squares of one pixel.
    fn squares(&self) -> usize {
        let after = self.reach()[1].next_multiple_of(self.x.lanes);
        self.before() + self.x.blocks() * self.x.lanes + after
    }

    /// Pixels whose squares are stored at a time.
    fn pixels(&self) -> usize {
        (SQUARES / self.squares()).clamp(1, 16)
    }
}

impl Operation for Lrn {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        ensure(self.size > 0, "a window has no channels")?;
        memory.map(&self.x)?;
        memory.map(&self.y)?;
        elementwise(&self.x, &self.y)
    }

    fn scratch(&self) -> usize {
        self.pixels() * self.squares()
    }

    unsafe fn run(&self, cx: &Context) {
        let Self { x, y, .. } = self;
        let [x, y] = &[x, y].map(|map| cx.at_micro_batch(map));
        let function = if self.beta == 0.75 {
            cx.kernels.lrn.three_quarters
        } else {
            cx.kernels.lrn.any
        };
        // SAFETY: the elements belong to checked maps, and this thread alone writes them.
        unsafe {
            cx.zero_border(y);
            cx.scratch.write_bytes(0, self.scratch());
        }
        let per_row = y.width.div_ceil(self.pixels());
        for unit in cx.claim_ranges(cx.images * y.height * per_row, 1).flatten() {
            let (row, part) = (unit / per_row, unit % per_row);
            let (image, row) = (row / y.height, row % y.height);
            let columns = partition_range(y.width, per_row, part);
            // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
            // writes them.
            unsafe {
                function(&LrnArgs {
                    reach: self.reach(),
                    alpha: self.alpha,
                    beta: self.beta,
                    k: self.k,
                    x: cx.at(x.at(image, 0, row, columns.start)),
                    x_block: x.block,
                    y: cx.at(y.at(image, 0, row, columns.start)),
                    y_block: y.block,
                    channels: x.channels,
                    pixels: columns.len(),
                    squares: cx.scratch.add(self.before()),
                    pixel_squares: self.squares(),
                });
            }
        }
    }
}
