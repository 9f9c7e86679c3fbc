//! Winograd's minimal filtering for 3x3 and 5x5 kernels of stride 1: fewer multiplications.
//!
//! `F(m x m, r x r)` computes tiles of `m x m` outputs from `a x a` inputs, `a = m + r - 1`, as
//! `A' [ (G g G') . (B' d B) ] A` (Lavin & Gray, "Fast Algorithms for Convolutional Neural
//! Networks", section 4): `a x a` products in place of `m x m x r x r`. Weights are transformed when they
//! are packed; a thread transforms the inputs of some tiles into its own memory, multiplies there
//! as a pointwise convolution would, once for each of the `a x a` places, and transforms the sums.
//!
//! Of what a thread reads while it multiplies, the transformed inputs of one place stay in its own cache, for
//! the products of some blocks of outputs follow each other before those of the next place; and each vector of
//! weights meets as many tiles as come in a round. With few of both, all places' inputs would come from the
//! last-level cache for every two blocks, and all weights for a handful of tiles.
//!
//! With `a = 6` the points of interpolation are 0, `+-sqrt(1/2)`, `+-sqrt(2)` and infinity. With
//! them all matrices stay small, and the result is as close as a direct sum; with the usual 0, 1, 2
//! it is twice as far. With `a = 4` they are 0, `+-1` and infinity.

mod matrices;
mod pack;
mod tiles;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{
    AccessSet, CheckError, Context, ConvSpec, Map, Memory, Offsets, Output, Rows, ensure,
};
use crate::cpu::micro::blocking::Blocking;
use crate::cpu::micro::prefetch::{LINE, PrefetchPlan};
use crate::cpu::micro::tile::TileArgs;
use crate::cpu::micro::winograd::{InputArgs, OutputArgs, TileOffsets, WinogradTile};
use crate::threads::Grid;
use crate::threads::partition::{GridCells, ranges_of_at_most};

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
    tiles_per_round: usize,
}

/// The fewest tiles of a round, and of a piece of a thread's share: either reads all weights.
pub(crate) const FEWEST: usize = 24;

/// The most tiles of a round.
pub(crate) const MOST: usize = 56;

/// Output channels whose products follow each other at each place.
const OUTPUTS: usize = 64;

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
        let tiles_per_round = tile.tiles_per_round(x.blocks() * x.lanes, size, blocking);
        Self {
            tile,
            spec,
            x,
            output,
            weights,
            tiles_per_round,
        }
    }

    /// Elements of the packed weights of `spec` for maps in blocks of `lanes` channels.
    pub fn packed_len(tile: WinogradTile, spec: &ConvSpec, lanes: usize) -> usize {
        let elements = tile.inputs() * tile.inputs();
        spec.channels_out.next_multiple_of(lanes) * (1 + elements * spec.channels_in)
    }

    fn elements(&self) -> usize {
        self.tile.inputs() * self.tile.inputs()
    }

    /// Pairs of output blocks whose products follow each other at each place.
    fn pairs(&self) -> usize {
        let y = &self.output.y;
        (OUTPUTS / (2 * y.lanes)).min(y.blocks().div_ceil(2))
    }

    /// From one place's transformed inputs to the next.
    fn input_element(&self) -> usize {
        padded_stride(self.x.blocks() * self.tiles_per_round * self.x.lanes)
    }

    /// From one place's sums to the next.
    fn sums_element(&self) -> usize {
        padded_stride(2 * self.pairs() * self.tiles_per_round * self.output.y.lanes)
    }

    /// Where the list of a tile's offsets begins.
    fn offsets_start(&self) -> usize {
        self.elements() * (self.input_element() + self.sums_element())
    }

    /// How threads divide tiles and pairs of output blocks.
    fn grid(&self, threads: usize, images: usize) -> Grid {
        let Self {
            spec, x, output, ..
        } = self;
        let y = &output.y;
        let elements = self.elements();
        let [down, across] = self.tile.tiles([y.height, y.width]);
        let tiles = images * down * across;
        let depth = spec.channels_in as f64;
        let grid = Grid::new(
            threads,
            [tiles, y.blocks().div_ceil(2)],
            2.0 * elements as f64 * depth,
            [
                // What a transform takes, as if it were memory.
                2.0 * elements as f64 * 8.0 * x.blocks() as f64,
                2.0 * (elements * y.lanes) as f64 * depth,
            ],
        );
        // What is transformed once serves all outputs; where it is not all, a piece transforms its own.
        match grid.parts() {
            [1, _] if tiles <= self.tiles_per_round => grid.with_chunks(1, 1),
            [1, _] => grid.with_chunks(1, usize::MAX),
            _ => grid.with_chunks(0, FEWEST),
        }
    }

    /// The products of `count` transformed tiles with the weights of some pairs of output blocks, at each place.
    ///
    /// # Safety
    ///
    /// As [`run`](Self::run); the tiles were transformed.
    unsafe fn multiply(
        &self,
        cx: &Context,
        offsets: Offsets,
        count: usize,
        pairs: Range<usize>,
        sums: *mut f32,
    ) {
        let y = &self.output.y;
        let lanes = y.lanes;
        let depth = self.spec.channels_in;
        let rows = Rows::new([1, count], cx.kernels.blocking.mr);
        let products = rows.per_row();
        // The first tile, those as wide, and those narrower.
        let mut strips = rows.strips(0..products);
        let strips: [_; 3] = std::array::from_fn(|_| strips.next());
        let mut args = TileArgs {
            y_pixel: lanes,
            y_block: count * lanes,
            ..offsets.tile(depth, lanes)
        };
        let first = pairs.start;
        let mut panels = (0..self.elements())
            .flat_map(|place| pairs.clone().map(move |pair| (place, pair)))
            .map(|(place, pair)| {
                let at = self.packed(pair);
                let start = at.weights + place * at.place;
                (place, pair, &cx.weights[start..start + at.outs * depth])
            })
            .peekable();
        let Some(&(.., longest)) = panels.peek() else {
            return;
        };
        let prefetch_plan = PrefetchPlan::new(longest, longest, products, depth, cx.kernels.unroll);
        while let Some((place, pair, panel)) = panels.next() {
            let next = panels.peek().map_or(&[][..], |&(.., next)| next);
            let prefetch_plan = prefetch_plan.over(panel, next);
            args.weights = panel.as_ptr();
            let blocks = (y.blocks() - 2 * pair).min(2);
            let from = place * self.input_element();
            let to = place * self.sums_element() + 2 * (pair - first) * count * lanes;
            for strip in strips.into_iter().flatten() {
                let at = strip.column * lanes;
                unsafe {
                    args.x = cx.scratch.add(from + at);
                    args.y = sums.add(to + at);
                    strip.compute(cx.kernels, blocks, &prefetch_plan, &mut args);
                }
            }
        }
    }
}

impl Operation for Winograd {
    fn accesses(&self) -> AccessSet {
        AccessSet::layer(&self.x, &self.output)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
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
        ensure(tile.fits(spec), "not a convolution of the tile's")?;
        let needed = tile.border(spec, [output.y.height, output.y.width]);
        ensure(needed.union(x.border) == x.border, "a border too small")?;
        ensure(
            *self == Self::new(*tile, *spec, *x, *output, *weights, memory.blocking),
            "not what Winograd's algorithm derives",
        )?;
        memory.weights(*weights, spec.most_packed(memory.lanes, self.elements()))?;
        // Some lines more for each place than the inputs and sums of all tiles.
        (x.blocks() * x.lanes)
            .checked_add(OUTPUTS.max(2 * x.lanes) + 96)
            .and_then(|depth| {
                depth
                    .checked_mul(self.tiles_per_round)?
                    .checked_mul(self.elements())
            })
            .filter(|&len| len <= Memory::LARGEST)
            .map(|_| ())
            .ok_or(CheckError::Outside)
    }

    fn scratch(&self) -> usize {
        self.offsets_start() + Offsets::len(self.x.blocks(), [1, 1])
    }

    /// # Safety
    ///
    /// The maps are within the arena, the packed weights within the weights, and the thread has
    /// [`scratch`](Self::scratch) elements of memory.
    unsafe fn run(&self, cx: &Context) {
        let (x, output) = (
            &cx.at_micro_batch(&self.x),
            &cx.output_at_micro_batch(&self.output),
        );
        let y = &output.y;
        let lanes = y.lanes;

        unsafe { cx.zero_border(y) };
        let mut transformed = 0..0;
        let mut tile_offsets = [TileOffsets::default(); MOST];
        let grid = self.grid(cx.threads, cx.images);
        let rounds = cx.claim_grid(grid).flat_map(|[tiles, pairs]| {
            let parts = ranges_of_at_most(tiles, self.tiles_per_round);
            parts.map(move |tiles| [tiles, pairs.clone()])
        });
        for [tiles, pairs] in rounds {
            if transformed != tiles {
                transformed = tiles.clone();
                let cells = GridCells::after(tiles.start, self.tile.tiles([y.height, y.width]));
                for (offsets, cell) in tile_offsets[..tiles.len()].iter_mut().zip(cells) {
                    *offsets = self.offsets_of(x, output, cell);
                }
                let args = InputArgs {
                    arena: cx.arena,
                    x_row: x.row,
                    x_block: x.block,
                    x_blocks: x.blocks(),
                    tiles: &raw const tile_offsets[..tiles.len()],
                    to: cx.scratch,
                    element: self.input_element(),
                };
                unsafe { (cx.kernels.winograd_input.get(self.tile))(&args) };
            }
            let sums = unsafe { cx.scratch.add(self.input_element() * self.elements()) };
            let offsets = unsafe {
                let memory = cx.scratch.add(self.offsets_start());
                Offsets::pointwise(memory, x.blocks(), tiles.len() * lanes)
            };
            for pairs in groups_of(pairs, self.pairs()) {
                unsafe { self.multiply(cx, offsets, tiles.len(), pairs.clone(), sums) };
                for (before, pair) in pairs.enumerate() {
                    let args = OutputArgs {
                        arena: cx.arena,
                        y_row: y.row,
                        y_block: y.block,
                        residual: output.residual.map(|map| [map.row, map.block]),
                        activation: output.activation,
                        tiles: &raw const tile_offsets[..tiles.len()],
                        block: 2 * pair,
                        blocks: (y.blocks() - 2 * pair).min(2),
                        sums: unsafe { sums.add(2 * before * tiles.len() * lanes) },
                        element: self.sums_element(),
                        bias: cx.weights[self.packed(pair).bias..].as_ptr(),
                    };
                    unsafe { (cx.kernels.winograd_output.get(self.tile))(&args) };
                }
            }
        }
    }
}

/// `units`, of one group of `size` units after the other.
fn groups_of(units: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = units.start;
    std::iter::from_fn(move || {
        let end = units.end.min((start / size + 1) * size);
        let group = start..end;
        start = end;
        (!group.is_empty()).then_some(group)
    })
}

/// At least `len` elements, an odd number of cache lines: the transforms read or write all places at once, which
/// must not fall into the same cache set.
fn padded_stride(len: usize) -> usize {
    len.next_multiple_of(2 * LINE) + LINE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::{Activation, Border};
    use crate::threads::StealableRanges;

    /// Two threads read all weights of a layer of ResNet's third stage, each once.
    #[test]
    fn a_thread_s_part_of_a_small_image_is_one_piece() {
        let border = Border {
            top: 1,
            bottom: 1,
            left: 1,
            right: 1,
        };
        let spec = ConvSpec {
            channels_in: 256,
            channels_out: 256,
            kernel: [3, 3],
            stride: [1, 1],
            padding: border,
            dilation: [1, 1],
            groups: 1,
        };
        let x = Map::new([256, 14, 14], border, 8, 0);
        let output = Output {
            y: Map::new([256, 14, 14], Border::default(), 8, x.elements()),
            residual: None,
            activation: Activation::Identity,
        };
        let blocking = Blocking {
            mr: 6,
            mr_single: 12,
            kc_nr: 16 << 10,
            mc_kc: 256 << 10,
        };
        let tile = WinogradTile::Two;
        let grid = Winograd::new(tile, spec, x, output, 0, blocking).grid(2, 1);
        assert_eq!(grid.parts(), [2, 1]);
        for part in 0..2 {
            let tiles = grid.chunked_range(part);
            let piece = StealableRanges::new(1).claim(0, true, tiles.len(), grid.min_chunk());
            assert_eq!(piece, Some(0..tiles.len()));
        }
    }

    proptest! {
        #[test]
        fn groups_are_all_units_in_order(
            start in 0_usize..50,
            len in 0_usize..50,
            size in 1_usize..9,
        ) {
            let groups: Vec<_> = groups_of(start..start + len, size).collect();
            let units: Vec<usize> = groups.iter().cloned().flatten().collect();
            prop_assert_eq!(units, (start..start + len).collect::<Vec<_>>());
            for group in groups {
                prop_assert_eq!(group.start / size, (group.end - 1) / size);
            }
        }

        #[test]
        fn places_are_an_odd_number_of_lines_apart(len in 0_usize..10_000) {
            let padded_stride = padded_stride(len);
            prop_assert!(padded_stride >= len && padded_stride < len + 3 * LINE);
            prop_assert!(padded_stride.is_multiple_of(LINE) && !padded_stride.is_multiple_of(2 * LINE));
        }
    }
}
