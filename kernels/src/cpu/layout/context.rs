//! What a thread has while it runs a step.

use std::ops::Range;

use super::map::Map;
use super::output::Output;
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::tile::TileArgs;
use crate::threads::partition::share;
use crate::threads::{Grid, StealableRanges};

/// One thread's view of a run. All threads of a run have the same but for `thread` and `scratch`.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The instruction set's code.
    pub kernels: &'static Kernels,
    /// The maps.
    pub arena: *mut f32,
    /// All packed weights.
    pub weights: &'a [f32],
    /// The caller's images.
    pub input: *const f32,
    /// The caller's outputs.
    pub outputs: &'a [*mut f32],
    /// This thread's own memory.
    pub scratch: *mut f32,
    /// Images that pass the step together, and which of the batch is their first.
    pub images: usize,
    pub first: usize,
    /// This thread's number.
    pub thread: usize,
    /// How many threads run the step.
    pub threads: usize,
    /// What is left of their shares, which each may take of when its own is done.
    pub shares: Option<&'a StealableRanges>,
}

/// Pixels of a block that are worth a piece of their own.
const LEAST_PIXELS: usize = 1024;

impl Context<'_> {
    /// This thread's part of `units` equal units that nobody else takes.
    pub fn part(&self, units: usize) -> Range<usize> {
        share(units, self.threads, self.thread)
    }

    /// Pieces of work that shares divide: each is some units, not fewer than `least` where there are, of the share
    /// `units`, with that share. This thread's come first, then what is left of others'.
    fn pieces(
        &self,
        least: usize,
        units: impl Fn(usize) -> Range<usize>,
    ) -> impl Iterator<Item = (usize, Range<usize>)> {
        let Self {
            thread,
            threads,
            shares,
            ..
        } = *self;
        let mut own = units(thread);
        let mut after = 0;
        std::iter::from_fn(move || {
            let Some(shares) = shares else {
                let all = std::mem::replace(&mut own, 0..0);
                return (!all.is_empty()).then_some((thread, all));
            };
            while after < threads {
                let share = (thread + after) % threads;
                let whole = units(share);
                if let Some(piece) = shares.claim(share, after == 0, whole.len(), least) {
                    return Some((share, whole.start + piece.start..whole.start + piece.end));
                }
                after += 1;
            }
            None
        })
    }

    /// Pieces of `units` equal units, of at least `least`.
    pub fn share(&self, units: usize, least: usize) -> impl Iterator<Item = Range<usize>> {
        let threads = self.threads;
        self.pieces(least, move |part| share(units, threads, part))
            .map(|(_, piece)| piece)
    }

    /// Pieces of work with two axes.
    pub fn share_grid(&self, grid: Grid) -> impl Iterator<Item = [Range<usize>; 2]> {
        self.pieces(grid.least(), move |part| grid.length(part))
            .map(move |(part, piece)| grid.piece(part, piece))
    }

    /// Pieces of the rows of `map`, as an image, a block and rows of it at a time.
    pub fn share_rows(&self, map: &Map) -> impl Iterator<Item = (usize, usize, Range<usize>)> {
        let (blocks, height) = (map.blocks(), map.height);
        let least = LEAST_PIXELS.div_ceil(map.width);
        self.share(self.images * blocks * height, least)
            .flat_map(move |rows| {
                (rows.start / height..rows.end.div_ceil(height)).map(move |plane| {
                    let first = plane * height;
                    let part = rows.start.max(first) - first..rows.end.min(first + height) - first;
                    (plane / blocks, plane % blocks, part)
                })
            })
    }

    /// `map` from this step's first image on.
    pub fn here(&self, map: &Map) -> Map {
        let place = self.first % map.slots;
        Map {
            offset: map.offset + place * map.image,
            ..*map
        }
    }

    /// `output` from this step's first image on.
    pub fn output(&self, output: &Output) -> Output {
        Output {
            y: self.here(&output.y),
            residual: output.residual.map(|map| self.here(&map)),
            activation: output.activation,
        }
    }

    /// The address of an element of the arena.
    ///
    /// # Safety
    ///
    /// `at` is within the arena.
    pub unsafe fn at(&self, at: usize) -> *mut f32 {
        unsafe { self.arena.add(at) }
    }

    /// Fills this thread's share of the zeros around the blocks of `map`. Whoever writes a map calls
    /// it, in the same step: the arena held something else before.
    ///
    /// # Safety
    ///
    /// `map` is within the arena and nobody reads it in this step.
    pub unsafe fn zero_border(&self, map: &Map) {
        let border = map.border;
        if border.is_empty() {
            return;
        }
        let blocks = map.blocks();
        for unit in self.part(self.images * blocks) {
            let first = map.offset + unit / blocks * map.image + unit % blocks * map.block;
            let last = first + map.extent();
            let zero = |from: usize, to: usize| unsafe {
                self.at(from).write_bytes(0, to - from);
            };
            zero(first, first + border.top * map.row);
            zero(last - border.bottom * map.row, last);
            for y in 0..map.height {
                let row = first + (border.top + y) * map.row;
                zero(row, row + border.left * map.lanes);
                zero(row + map.row - border.right * map.lanes, row + map.row);
            }
        }
    }

    /// Lets a tile write from pixel `column` of `row` on, from `block` on, of `image`; a dense map's
    /// column may be beyond its row.
    ///
    /// # Safety
    ///
    /// The maps are within the arena.
    pub unsafe fn set_output(
        &self,
        output: &Output,
        [image, block, row, column]: [usize; 4],
        args: &mut TileArgs,
    ) {
        let at = |map: &Map| unsafe { self.at(map.at(image, block, row, column)) };
        args.y = at(&output.y);
        args.y_pixel = output.y.lanes;
        args.y_block = output.y.block;
        if let Some(map) = &output.residual {
            args.residual = at(map);
            args.residual_pixel = map.lanes;
            args.residual_block = map.block;
        }
        args.activation = output.activation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::micro::simd::Isa;

    #[test]
    fn a_thread_takes_its_own_share_from_the_front_then_the_others_from_their_backs() {
        let shares = StealableRanges::new(3);
        let cx = Context {
            kernels: Kernels::get(Isa::Scalar),
            arena: std::ptr::null_mut(),
            weights: &[],
            input: std::ptr::null(),
            outputs: &[],
            scratch: std::ptr::null_mut(),
            images: 1,
            first: 0,
            thread: 1,
            threads: 3,
            shares: Some(&shares),
        };
        let pieces: Vec<_> = cx.share(30, 2).collect();
        let expected = [
            [10..15, 15..18, 18..20],
            [25..30, 22..25, 20..22],
            [5..10, 2..5, 0..2],
        ];
        assert_eq!(pieces, expected.concat());
    }
}
