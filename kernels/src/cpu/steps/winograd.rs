//! Winograd's minimal filtering for 3x3 and 5x5 kernels of stride 1, which needs fewer
//! multiplications than the definition.
//!
//! `F(m x m, r x r)` computes tiles of `m x m` outputs from `a x a` inputs, `a = m + r - 1`, as `A'
//! [ (G g G') . (B' d B) ] A` (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks",
//! 2016, section 4): `a x a` products instead of `m x m x r x r`. Weights are transformed when they
//! are packed. A thread transforms the inputs of a round of tiles into its scratch memory,
//! multiplies there as in a pointwise convolution, once for each of the `a x a` tile elements, and
//! transforms the sums.
//!
//! A round reuses both operands: the transformed inputs of a tile element stay in the core's cache
//! while 64 output channels are multiplied, and each weight vector serves all tiles of the round.
//! Small rounds with few outputs would read the inputs of all tile elements from the last-level
//! cache for every two blocks, and all weights for a handful of tiles.
//!
//! For `a = 6` the interpolation points are 0, `+-sqrt(1/2)`, `+-sqrt(2)` and infinity. These
//! points keep the entries of all matrices small, and the result is as accurate as a direct sum;
//! the usual points 0, `+-1`, `+-2` and infinity double the error. For `a = 4` the points are 0,
//! `+-1` and infinity.

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

/// A Winograd convolution with the offsets of its maps and weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Winograd {
    tile: WinogradTile,
    spec: ConvSpec,
    x: Map,
    output: Output,
    /// Offset of the layer in the packed weights.
    weights: usize,
    /// Tiles of a round.
    tiles_per_round: usize,
}

/// Fewest tiles of a round and of a chunk of a thread's range: each round and each chunk reads all
/// weights.
pub(crate) const MIN_TILES: usize = 24;

/// Most tiles of a round.
pub(crate) const MAX_TILES: usize = 56;

/// Output channels that are multiplied before the next tile element.
const OUTPUTS_PER_ELEMENT: usize = 64;

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

    /// Pairs of output blocks that are multiplied before the next tile element.
    fn pairs(&self) -> usize {
        let y = &self.output.y;
        (OUTPUTS_PER_ELEMENT / (2 * y.lanes)).min(y.blocks().div_ceil(2))
    }

    /// Stride from the transformed inputs of one tile element to those of the next.
    fn input_element(&self) -> usize {
        padded_stride(self.x.blocks() * self.tiles_per_round * self.x.lanes)
    }

    /// Stride from the sums of one tile element to those of the next.
    fn sums_element(&self) -> usize {
        padded_stride(2 * self.pairs() * self.tiles_per_round * self.output.y.lanes)
    }

    /// Offset of the offset list in the scratch memory.
    fn offsets_start(&self) -> usize {
        self.elements() * (self.input_element() + self.sums_element())
    }

    /// Division of tiles and pairs of output blocks among threads.
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
                // The time of a transform in units of DRAM reads.
                2.0 * elements as f64 * 8.0 * x.blocks() as f64,
                2.0 * (elements * y.lanes) as f64 * depth,
            ],
        );
        // If one round has all tiles, its transformed inputs serve all outputs; otherwise each
        // chunk transforms its own.
        match grid.parts() {
            [1, _] if tiles <= self.tiles_per_round => grid.with_chunks(1, 1),
            [1, _] => grid.with_chunks(1, usize::MAX),
            _ => grid.with_chunks(0, MIN_TILES),
        }
    }

    /// Multiplies `count` transformed tiles with the weights of some pairs of output blocks, for
    /// each tile element.
    ///
    /// # Safety
    ///
    /// As [`run`](Operation::run); the tiles were transformed.
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
        // The first tile, the other tiles of its width, and the narrower tiles.
        let mut strips = rows.strips(0..products);
        let strips: [_; 3] = std::array::from_fn(|_| strips.next());
        let mut args = TileArgs {
            y_pixel: lanes,
            y_block: count * lanes,
            ..offsets.tile(depth, lanes)
        };
        let first = pairs.start;
        let mut panels = (0..self.elements())
            .flat_map(|element| pairs.clone().map(move |pair| (element, pair)))
            .map(|(element, pair)| {
                let at = self.packed(pair);
                let start = at.weights + element * at.element;
                (element, pair, &cx.weights[start..start + at.outs * depth])
            })
            .peekable();
        let Some(&(.., longest)) = panels.peek() else {
            return;
        };
        let prefetch_plan = PrefetchPlan::new(longest, longest, products, depth, cx.kernels.unroll);
        while let Some((element, pair, panel)) = panels.next() {
            let next = panels.peek().map_or(&[][..], |&(.., next)| next);
            let prefetch_plan = prefetch_plan.over(panel, next);
            args.weights = panel.as_ptr();
            let blocks = (y.blocks() - 2 * pair).min(2);
            let from = element * self.input_element();
            let to = element * self.sums_element() + 2 * (pair - first) * count * lanes;
            for strip in strips.into_iter().flatten() {
                let at = strip.column * lanes;
                // SAFETY: the elements belong to checked maps and packed weights, and this thread
                // alone writes them.
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
        ensure(tile.fits(spec), "the convolution does not fit the tile")?;
        let needed = tile.border(spec, [output.y.height, output.y.width]);
        ensure(
            needed.union(x.border) == x.border,
            "the border of the input is too small",
        )?;
        ensure(
            *self == Self::new(*tile, *spec, *x, *output, *weights, memory.blocking),
            "derived fields differ from those of Winograd's algorithm",
        )?;
        memory.weights(*weights, spec.most_packed(memory.lanes, self.elements()))?;
        // The strides exceed the inputs and sums of all tiles by a few cache lines.
        (x.blocks() * x.lanes)
            .checked_add(OUTPUTS_PER_ELEMENT.max(2 * x.lanes) + 96)
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

    unsafe fn run(&self, cx: &Context) {
        let (x, output) = (
            &cx.at_micro_batch(&self.x),
            &cx.output_at_micro_batch(&self.output),
        );
        let y = &output.y;
        let lanes = y.lanes;

        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        let mut transformed = 0..0;
        let mut tile_offsets = [TileOffsets::default(); MAX_TILES];
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
                // SAFETY: the elements belong to checked maps and packed weights, and this thread
                // alone writes them.
                unsafe { (cx.kernels.winograd_input.get(self.tile))(&args) };
            }
            // SAFETY: the sums follow the transformed inputs in this thread's scratch memory.
            let sums = unsafe { cx.scratch.add(self.input_element() * self.elements()) };
            // SAFETY: the list fits this thread's scratch memory, which nothing else accesses
            // meanwhile.
            let offsets = unsafe {
                let memory = cx.scratch.add(self.offsets_start());
                Offsets::pointwise(memory, x.blocks(), tiles.len() * lanes)
            };
            for pairs in groups_of(pairs, self.pairs()) {
                // SAFETY: as the caller guarantees.
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
                        // SAFETY: the sums of this pair are within those of the group.
                        sums: unsafe { sums.add(2 * before * tiles.len() * lanes) },
                        element: self.sums_element(),
                        bias: cx.weights[self.packed(pair).bias..].as_ptr(),
                    };
                    // SAFETY: the elements belong to checked maps and packed weights, and this
                    // thread alone writes them.
                    unsafe { (cx.kernels.winograd_output.get(self.tile))(&args) };
                }
            }
        }
    }
}

/// Splits `units` at multiples of `size`.
fn groups_of(units: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = units.start;
    std::iter::from_fn(move || {
        let end = units.end.min((start / size + 1) * size);
        let group = start..end;
        start = end;
        (!group.is_empty()).then_some(group)
    })
}

/// A stride of at least `len` elements that is an odd number of cache lines: transforms access all
/// tile elements at once, and the elements must not fall into the same cache set.
fn padded_stride(len: usize) -> usize {
    len.next_multiple_of(2 * LINE) + LINE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::{Activation, Border};
    use crate::threads::StealableRanges;

    /// Two threads read all weights of a layer of ResNet's third stage once each.
    #[test]
    fn a_thread_s_range_of_a_small_image_is_one_chunk() {
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
        fn strides_are_an_odd_number_of_cache_lines(len in 0_usize..10_000) {
            let padded_stride = padded_stride(len);
            prop_assert!(padded_stride >= len && padded_stride < len + 3 * LINE);
            prop_assert!(padded_stride.is_multiple_of(LINE) && !padded_stride.is_multiple_of(2 * LINE));
        }
    }
}
