//! Local response normalization across channels.

use serde::{Deserialize, Serialize};

use super::accesses::AccessSet;
use super::check::{CheckError, Memory, elementwise, ensure};
use super::context::Context;
use super::map::Map;
use super::simd::{Kernel, Simd};

/// `y_i = x_i / (k + alpha * sum_j x_j^2)^beta`, where `j` runs over the `size` channels from
/// `i - size / 2` on that there are (ImageNet Classification with Deep Convolutional Neural
/// Networks, section 3.3). `alpha` multiplies the sum, not the mean. The result is within `size + 10`
/// half units in the last place; with a `beta` of 3/4 it takes a tenth of the time.
///
/// A few pixels' squares are laid out by channel in the thread's memory, zeros before and after
/// them; a window's sum is that of `size` vectors, each one channel further.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lrn {
    size: usize,
    alpha: f32,
    beta: f32,
    k: f32,
    x: Map,
    y: Map,
}

/// Elements of squares: half of a 32 KiB cache, the least that any machine has.
const SQUARES: usize = 4096;

impl Lrn {
    /// From `x` to `y` of the same shape, both in blocks of a vector's lanes. `y` may be `x`.
    pub fn new(size: usize, alpha: f32, beta: f32, k: f32, x: Map, y: Map) -> Self {
        // A flat map has lost its border, which must be zeroed.
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

    /// Elements of memory that each thread needs.
    pub fn scratch(&self) -> usize {
        self.pixels() * self.squares()
    }

    /// Channels of the window before the middle, and after it, that there can be.
    fn reach(&self) -> [usize; 2] {
        let most = self.x.channels - 1;
        [self.size / 2, (self.size - 1) / 2].map(|reach| reach.min(most))
    }

    /// Elements before the first square: a block's squares are aligned to the block.
    fn before(&self) -> usize {
        self.reach()[0].next_multiple_of(self.x.lanes)
    }

    /// Elements of one pixel's squares.
    fn squares(&self) -> usize {
        let after = self.reach()[1].next_multiple_of(self.x.lanes);
        self.before() + self.x.blocks() * self.x.lanes + after
    }

    /// Pixels whose squares are laid out together.
    fn pixels(&self) -> usize {
        (SQUARES / self.squares()).clamp(1, 16)
    }

    /// What it reads and writes.
    pub(crate) fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        ensure(self.size > 0, "a window of no channels")?;
        memory.map(&self.x)?;
        memory.map(&self.y)?;
        elementwise(&self.x, &self.y)
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The maps are within the arena, and the thread has [`scratch`](Self::scratch) elements of
    /// memory.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let Self { x, y, .. } = self;
        let [x, y] = &[x, y].map(|map| cx.here(map));
        let function = if self.beta == 0.75 {
            cx.kernels.lrn.three_quarters
        } else {
            cx.kernels.lrn.any
        };
        unsafe {
            cx.zero_border(y);
            cx.scratch.write_bytes(0, self.scratch());
        }
        let per_row = y.width.div_ceil(self.pixels());
        for unit in cx.share(cx.images * y.height * per_row, 1).flatten() {
            let (row, part) = (unit / per_row, unit % per_row);
            let (image, row) = (row / y.height, row % y.height);
            let columns = super::context::share(y.width, per_row, part);
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

/// All blocks of adjacent pixels of a row. Strides are in elements.
pub(super) struct LrnArgs {
    /// Channels of a window before its middle, and after it.
    reach: [usize; 2],
    alpha: f32,
    beta: f32,
    k: f32,
    x: *const f32,
    x_block: usize,
    y: *mut f32,
    y_block: usize,
    channels: usize,
    pixels: usize,
    /// The first pixel's first square, with zeros around each pixel's, and from one to the next.
    squares: *mut f32,
    pixel_squares: usize,
}

/// The normalization, where `beta` is 3/4 if `THREE_QUARTERS`.
///
/// # Safety
///
/// All that [`LrnArgs`] describes must be readable, and `y` and the squares writable.
struct Normalize<const THREE_QUARTERS: bool>;

impl<const THREE_QUARTERS: bool> Kernel for Normalize<THREE_QUARTERS> {
    type Args = LrnArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &LrnArgs) {
        let blocks = a.channels.div_ceil(S::LANES);
        unsafe {
            for block in 0..blocks {
                for pixel in 0..a.pixels {
                    let x = S::load(a.x.add(block * a.x_block + pixel * S::LANES));
                    let square = a.squares.add(pixel * a.pixel_squares + block * S::LANES);
                    S::store(square, S::mul(x, x));
                }
            }
            // The lanes after the last channel are no channels.
            let rest = blocks * S::LANES - a.channels;
            if rest > 0 {
                for pixel in 0..a.pixels {
                    let square = a.squares.add(pixel * a.pixel_squares + a.channels);
                    square.write_bytes(0, rest);
                }
            }
            for block in 0..blocks {
                for pixel in 0..a.pixels {
                    let squares = a.squares.add(pixel * a.pixel_squares + block * S::LANES);
                    let first = squares.sub(a.reach[0]);
                    let mut sum = S::load(first);
                    for further in 1..=a.reach[0] + a.reach[1] {
                        sum = S::add(sum, S::load(first.add(further)));
                    }
                    let base = S::mul_add(S::splat(a.alpha), sum, S::splat(a.k));
                    let scale = if THREE_QUARTERS {
                        S::inverse_three_quarters(base)
                    } else {
                        let mut lanes = [0.0; MOST_LANES];
                        S::store(lanes.as_mut_ptr(), base);
                        for lane in &mut lanes[..S::LANES] {
                            *lane = lane.powf(-a.beta);
                        }
                        S::load(lanes.as_ptr())
                    };
                    let x = S::load(a.x.add(block * a.x_block + pixel * S::LANES));
                    S::store(
                        a.y.add(block * a.y_block + pixel * S::LANES),
                        S::mul(x, scale),
                    );
                }
            }
        }
    }
}

/// Lanes of the longest vector.
const MOST_LANES: usize = 16;

type LrnFn = unsafe fn(&LrnArgs);

/// The normalizations of an instruction set.
pub(super) struct LrnFns {
    three_quarters: LrnFn,
    any: LrnFn,
}

impl LrnFns {
    pub fn of<S: Simd>() -> Self {
        const { assert!(S::LANES <= MOST_LANES) };
        Self {
            three_quarters: S::entry::<Normalize<true>>(),
            any: S::entry::<Normalize<false>>(),
        }
    }
}
