//! Winograd's minimal filtering for 3x3 and 5x5 kernels of stride 1: fewer multiplications.
//!
//! `F(m x m, r x r)` computes tiles of `m x m` outputs from `a x a` inputs, `a = m + r - 1`, as
//! `A' [ (G g G') . (B' d B) ] A` (Lavin & Gray, "Fast Algorithms for Convolutional Neural
//! Networks", section 4): `a x a` products in place of `m x m x r x r`. Weights are transformed when they
//! are packed; a thread transforms the inputs of a few tiles into its own memory, multiplies there
//! as a pointwise convolution would, once for each of the `a x a` places, and transforms the sums.
//!
//! With `a = 6` the points of interpolation are 0, `+-sqrt(1/2)`, `+-sqrt(2)` and infinity. With
//! them all matrices stay small, and the result is as close as a direct sum; with the usual 0, 1, 2
//! it is twice as far. With `a = 4` they are 0, `+-1` and infinity.

mod input;
mod matrices;
mod pack;
mod sums;

use serde::{Deserialize, Serialize};

use super::ahead::Ahead;
use super::blocking::Blocking;
use super::check::{Flaw, Memory, must};
use super::context::{Context, parts_of};
use super::conv::ConvSpec;
use super::grid::Grid;
use super::map::{Border, Map};
use super::offsets::Offsets;
use super::output::Output;
use super::strips::Rows;
use super::tile::TileArgs;
pub(super) use input::{InputArgs, InputTransforms};
use matrices::Matrices;
pub(super) use pack::WeightTransforms;
pub(super) use sums::{SumsArgs, SumsTransforms};

/// How large a tile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WinogradTile {
    /// `F(2x2, 3x3)`: 16 products for 36.
    Two,
    /// `F(4x4, 3x3)`: 36 products for 144.
    Four,
    /// `F(2x2, 5x5)`: 36 products for 100.
    TwoOfFive,
}

impl WinogradTile {
    /// Rows and columns of outputs.
    pub const fn outputs(self) -> usize {
        match self {
            Self::Two | Self::TwoOfFive => 2,
            Self::Four => 4,
        }
    }

    /// Rows and columns of the kernel.
    pub const fn kernel(self) -> usize {
        match self {
            Self::Two | Self::Four => 3,
            Self::TwoOfFive => 5,
        }
    }

    /// Rows and columns of inputs.
    pub const fn inputs(self) -> usize {
        self.outputs() + self.kernel() - 1
    }

    /// Whether it computes this convolution.
    pub fn fits(self, spec: &ConvSpec) -> bool {
        spec.kernel == [self.kernel(); 2]
            && spec.stride == [1, 1]
            && spec.dilation == [1, 1]
            && spec.groups == 1
    }

    /// Tiles along each axis of an output of this size.
    pub fn tiles(self, size: [usize; 2]) -> [usize; 2] {
        size.map(|length| length.div_ceil(self.outputs()))
    }

    /// Tiles that are transformed together, for an input of `depth` channels and an output of `size`: as
    /// many as half of a core's cache holds of `depth` elements for each place, but some in any case, for
    /// each round reads all weights. A small image's are one round.
    pub fn together(self, depth: usize, size: [usize; 2], blocking: Blocking) -> usize {
        let widest = blocking.tile;
        let places = self.inputs() * self.inputs();
        let least = (FEWEST / widest).max(1);
        let held = blocking.transformed() / (places * depth);
        let cached = (held / widest).clamp(least, least.max(4)) * widest;
        let [down, across] = self.tiles(size);
        match down * across {
            few if few <= FEW => cached.max(few),
            _ => cached,
        }
    }

    /// The border that its input needs for an output of this size: what is padded, and as much
    /// again as its last tiles reach over the edge.
    pub fn border(self, spec: &ConvSpec, output: [usize; 2]) -> Border {
        let [over_y, over_x] =
            std::array::from_fn(|i| self.tiles(output)[i] * self.outputs() - output[i]);
        Border {
            bottom: spec.padding.bottom + over_y,
            right: spec.padding.right + over_x,
            ..spec.padding
        }
    }
}

/// A convolution by Winograd's algorithm that knows where everything lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Winograd {
    tile: WinogradTile,
    spec: ConvSpec,
    x: Map,
    output: Output,
    /// The element of the packed weights where this layer's begin.
    weights: usize,
    /// Tiles that are transformed together.
    together: usize,
}

/// Tiles that are a round at least, and that are one round if they are all.
const FEWEST: usize = 24;
const FEW: usize = 28;

impl Winograd {
    /// The convolution `spec` of `x`, with its weights packed from element `weights` on. `x` has at
    /// least the [`border`](WinogradTile::border) of `tile`.
    pub fn new(
        tile: WinogradTile,
        spec: ConvSpec,
        x: Map,
        output: Output,
        weights: usize,
        blocking: Blocking,
    ) -> Self {
        let size = [output.y.height, output.y.width];
        let together = tile.together(x.blocks() * x.lanes, size, blocking);
        Self {
            tile,
            spec,
            x,
            output,
            weights,
            together,
        }
    }

    /// Elements of the packed weights of `spec` for maps in blocks of `lanes` channels.
    pub fn packed_len(tile: WinogradTile, spec: &ConvSpec, lanes: usize) -> usize {
        let places = tile.inputs() * tile.inputs();
        spec.channels_out.next_multiple_of(lanes) * (1 + places * spec.channels_in)
    }

    /// Elements of memory that each thread needs.
    pub fn scratch(&self) -> usize {
        self.offsets_place() + Offsets::len(self.x.blocks(), [1, 1])
    }

    fn places(&self) -> usize {
        self.tile.inputs() * self.tile.inputs()
    }

    /// From one place's transformed inputs to the next. An odd number of cache lines: the
    /// transforms write all places at once, which must not fall into the same cache set.
    fn input_place(&self) -> usize {
        (self.x.blocks() * self.together * self.x.lanes).next_multiple_of(32) + 16
    }

    /// Where the list of a tile's offsets begins.
    fn offsets_place(&self) -> usize {
        self.input_place() * self.places() + self.sums_len()
    }

    /// Two blocks of sums for every place and tile.
    fn sums_len(&self) -> usize {
        self.places() * 2 * self.together * self.output.y.lanes
    }

    /// Transforms and packs `weights`, `[out, in, height, width]`, and `bias`.
    ///
    /// The order is `[pair of output blocks, place, input channel, output block, lane]`, each pair
    /// after its bias.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        let lanes = self.output.y.lanes;
        let [inputs, kernel] = [self.tile.inputs(), self.tile.kernel()];
        let matrices = Matrices::of(self.tile);
        let places = self.places();
        let mut to = self.weights;
        let blocks = self.output.y.blocks();
        for block in (0..blocks).step_by(2) {
            let outs = (blocks - block).min(2) * lanes;
            let first = block * lanes;
            for (lane, packed) in packed[to..to + outs].iter_mut().enumerate() {
                *packed = bias
                    .and_then(|bias| bias.get(first + lane))
                    .copied()
                    .unwrap_or(0.0);
            }
            to += outs;
            for out in 0..outs {
                for channel in 0..self.spec.channels_in {
                    let mut place = to + channel * outs + out;
                    if first + out >= self.spec.channels_out {
                        for _ in 0..places {
                            packed[place] = 0.0;
                            place += self.spec.channels_in * outs;
                        }
                        continue;
                    }
                    let start = ((first + out) * self.spec.channels_in + channel) * kernel * kernel;
                    let g = &weights[start..start + kernel * kernel];
                    let mut half = [[0.0; 5]; 6];
                    for i in 0..inputs {
                        for x in 0..kernel {
                            half[i][x] = (0..kernel)
                                .map(|y| matrices.weight[i][y] * f64::from(g[y * kernel + x]))
                                .sum();
                        }
                    }
                    for row in &half[..inputs] {
                        for j in 0..inputs {
                            let value: f64 =
                                (0..kernel).map(|x| row[x] * matrices.weight[j][x]).sum();
                            packed[place] = value as f32;
                            place += self.spec.channels_in * outs;
                        }
                    }
                }
            }
            to += outs * places * self.spec.channels_in;
        }
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), Flaw> {
        let Self {
            tile,
            spec,
            x,
            output,
            weights,
            ..
        } = self;
        memory.map(x)?;
        memory.output(output, x)?;
        spec.check(x, &output.y)?;
        must(tile.fits(spec), "not a convolution of the tile's")?;
        let needed = tile.border(spec, [output.y.height, output.y.width]);
        must(needed.union(x.border) == x.border, "a border too small")?;
        must(
            *self == Self::new(*tile, *spec, *x, *output, *weights, memory.blocking),
            "not what Winograd's algorithm derives",
        )?;
        memory.weights(*weights, spec.most_packed(memory.lanes, self.places()))?;
        // Some lines more for each place than the inputs and sums.
        (x.blocks() * x.lanes)
            .checked_add(2 * x.lanes + 48)
            .and_then(|depth| depth.checked_mul(self.together)?.checked_mul(self.places()))
            .filter(|&len| len <= Memory::LARGEST)
            .map(|_| ())
            .ok_or(Flaw::Outside)
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The maps are within the arena, the packed weights within the weights, and the thread has
    /// [`scratch`](Self::scratch) elements of memory.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let Self {
            spec, x, output, ..
        } = self;
        let (x, output) = (&cx.here(x), &cx.output(output));
        let y = &output.y;
        let lanes = y.lanes;
        let places = self.places();
        let per_image = self.tile.tiles([y.height, y.width]);
        let tiles = cx.images * per_image[0] * per_image[1];
        let pairs = y.blocks().div_ceil(2);
        let depth = spec.channels_in as f64;

        let grid = Grid::new(
            cx.threads,
            [tiles, pairs],
            2.0 * places as f64 * depth,
            [
                // What a transform takes, as if it were memory.
                2.0 * places as f64 * 8.0 * x.blocks() as f64,
                2.0 * (places * lanes) as f64 * depth,
            ],
        );
        // What is transformed once serves all outputs; where it is not all, a piece transforms its own.
        let grid = match grid.parts() {
            [1, _] if tiles <= self.together => grid.cut(1, 1),
            [1, _] => grid.cut(1, usize::MAX),
            _ => grid.cut(0, FEWEST / 2),
        };

        unsafe { cx.zero_border(y) };
        let mut transformed = 0..0;
        let rounds = cx.share_grid(grid).flat_map(|[tiles, pairs]| {
            let parts = parts_of(tiles, self.together);
            parts.map(move |tiles| [tiles, pairs.clone()])
        });
        for [tiles, pairs] in rounds {
            if transformed != tiles {
                transformed = tiles.clone();
                let args = InputArgs {
                    arena: cx.arena,
                    x: *x,
                    padding: spec.padding,
                    per_image,
                    first: tiles.start,
                    count: tiles.len(),
                    to: cx.scratch,
                    place: self.input_place(),
                };
                unsafe { (cx.kernels.winograd_input.get(self.tile))(&args) };
            }
            let sums = unsafe { cx.scratch.add(self.input_place() * places) };
            let offsets = unsafe {
                let memory = cx.scratch.add(self.offsets_place());
                Offsets::pointwise(memory, x.blocks(), tiles.len() * lanes)
            };
            for pair in pairs {
                let blocks = (y.blocks() - 2 * pair).min(2);
                let before = 2 * pair * lanes * (1 + places * spec.channels_in);
                let [bias, weights] =
                    [0, blocks * lanes].map(|at| &cx.weights[self.weights + before + at..]);
                let args = SumsArgs {
                    arena: cx.arena,
                    output: *output,
                    per_image,
                    first: tiles.start,
                    count: tiles.len(),
                    block: 2 * pair,
                    blocks,
                    sums,
                    bias: bias.as_ptr(),
                };
                unsafe {
                    self.multiply(cx, offsets, tiles.len(), (weights, blocks), sums);
                    (cx.kernels.winograd_sums.get(self.tile))(&args);
                }
            }
        }
    }

    /// The products of `count` transformed tiles with the weights of some blocks of outputs, at each place.
    ///
    /// # Safety
    ///
    /// As [`run`](Self::run); the tiles were transformed.
    unsafe fn multiply(
        &self,
        cx: &Context,
        offsets: Offsets,
        count: usize,
        (weights, blocks): (&[f32], usize),
        sums: *mut f32,
    ) {
        let depth = self.spec.channels_in;
        let lanes = self.output.y.lanes;
        let place_weights = blocks * lanes * depth;
        let rows = Rows::new([1, count], cx.kernels.blocking.tile);
        let products = rows.per_row();
        let mut args = TileArgs {
            y_pixel: lanes,
            y_block: count * lanes,
            ..TileArgs::new(offsets, depth, lanes)
        };
        for place in 0..self.places() {
            let (panel, after) = weights[place * place_weights..].split_at(place_weights);
            let next = &after[..place_weights.min(after.len())];
            let ahead = Ahead::new(panel, next, products, depth, cx.kernels.steps);
            args.weights = panel.as_ptr();
            for strip in rows.strips(0..products) {
                let at = strip.column * lanes;
                unsafe {
                    args.x = cx.scratch.add(place * self.input_place() + at);
                    args.y = sums.add(place * 2 * count * lanes + at);
                    strip.compute(cx.kernels, blocks, &ahead, &mut args);
                }
            }
        }
    }
}
