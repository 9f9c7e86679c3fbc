//! One thread's view of the execution of a step.

use std::ops::Range;

use super::accesses::AccessSet;
use super::map::Map;
use super::output::Output;
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::tile::TileArgs;
use crate::threads::partition::partition_range;
use crate::threads::{Grid, StealableRanges};

/// One thread's view of the execution of a step. Only `thread` and `scratch` differ between
/// threads.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Micro-kernels of the instruction set.
    pub kernels: &'static Kernels,
    /// First element of the arena, which holds all maps.
    pub arena: *mut f32,
    /// Packed weights of all steps.
    pub weights: &'a [f32],
    /// The caller's batch of images.
    pub input: *const f32,
    /// The caller's output arrays.
    pub outputs: &'a [*mut f32],
    /// Scratch memory of this thread.
    pub scratch: *mut f32,
    /// Images of the micro-batch.
    pub images: usize,
    /// Index in the batch of the micro-batch's first image.
    pub first: usize,
    /// Index of this thread.
    pub thread: usize,
    /// Threads that execute the step.
    pub threads: usize,
    /// Work-stealing state of the step; `None` if every thread computes its own range only.
    pub stealable: Option<&'a StealableRanges>,
}

/// Pixels of the smallest chunk of a step that computes rows.
const MIN_CHUNK_PIXELS: usize = 1024;

impl Context<'_> {
    /// Iterator over the chunks that this thread claims, each with the thread that owns it: first
    /// of its own range, then of the other threads' ranges. `units` is the range of a thread; a
    /// chunk has at least `min_chunk` units, or all that are left.
    #[inline]
    fn claim(
        &self,
        min_chunk: usize,
        units: impl Fn(usize) -> Range<usize>,
    ) -> impl Iterator<Item = (usize, Range<usize>)> {
        let Self {
            thread,
            threads,
            stealable,
            ..
        } = *self;
        let mut own = units(thread);
        let mut distance = 0;
        std::iter::from_fn(move || {
            let Some(stealable) = stealable else {
                let all = std::mem::replace(&mut own, 0..0);
                return (!all.is_empty()).then_some((thread, all));
            };
            while distance < threads {
                let owner = (thread + distance) % threads;
                let whole = units(owner);
                if let Some(chunk) = stealable.claim(owner, distance == 0, whole.len(), min_chunk) {
                    return Some((owner, whole.start + chunk.start..whole.start + chunk.end));
                }
                distance += 1;
            }
            None
        })
    }

    /// Claims chunks of `0..units` of at least `min_chunk` units.
    #[inline]
    pub fn claim_ranges(
        &self,
        units: usize,
        min_chunk: usize,
    ) -> impl Iterator<Item = Range<usize>> {
        let threads = self.threads;
        self.claim(min_chunk, move |thread| {
            partition_range(units, threads, thread)
        })
        .map(|(_, chunk)| chunk)
    }

    /// Claims chunks of work with two axes.
    #[inline]
    pub fn claim_grid(&self, grid: Grid) -> impl Iterator<Item = [Range<usize>; 2]> {
        self.claim(grid.min_chunk(), move |thread| grid.chunked_range(thread))
            .map(move |(owner, chunk)| grid.chunk(owner, chunk))
    }

    /// Claims rows of `map` as `(image, block, rows)`.
    #[inline]
    pub fn claim_rows(&self, map: &Map) -> impl Iterator<Item = (usize, usize, Range<usize>)> {
        let (blocks, height) = (map.blocks(), map.height);
        let min_chunk = MIN_CHUNK_PIXELS.div_ceil(map.width);
        self.claim_ranges(self.images * blocks * height, min_chunk)
            .flat_map(move |rows| {
                (rows.start / height..rows.end.div_ceil(height)).map(move |plane| {
                    let first = plane * height;
                    let part = rows.start.max(first) - first..rows.end.min(first + height) - first;
                    (plane / blocks, plane % blocks, part)
                })
            })
    }

    /// `map` with its offset at the first image of the micro-batch.
    #[inline]
    pub fn at_micro_batch(&self, map: &Map) -> Map {
        let slot = self.first % map.slots;
        Map {
            offset: map.offset + slot * map.image,
            ..*map
        }
    }

    /// `output` with its maps' offsets at the first image of the micro-batch.
    #[inline]
    pub fn output_at_micro_batch(&self, output: &Output) -> Output {
        Output {
            y: self.at_micro_batch(&output.y),
            residual: output.residual.map(|map| self.at_micro_batch(&map)),
            activation: output.activation,
        }
    }

    /// Address of an element of the arena.
    ///
    /// # Safety
    ///
    /// `offset` is within the arena.
    #[inline]
    pub unsafe fn at(&self, offset: usize) -> *mut f32 {
        // SAFETY: the caller guarantees that the offset is within the arena.
        unsafe { self.arena.add(offset) }
    }

    /// Zeroes this thread's static range of the borders of `map`, unless another thread has claimed
    /// it. Every step that writes a map calls it, since the memory held another map before.
    ///
    /// # Safety
    ///
    /// `map` is within the arena, and no thread reads it in this step.
    #[inline]
    pub unsafe fn zero_border(&self, map: &Map) {
        let thread = self.thread;
        if (self.stealable).is_none_or(|stealable| stealable.claim_border(thread)) {
            // SAFETY: as the caller guarantees.
            unsafe { self.zero_border_of(thread, map) };
        }
    }

    /// Zeroes the borders of `accesses().written_map()` in the ranges of the threads that have not
    /// claimed them: threads that have not come to this step yet.
    ///
    /// # Safety
    ///
    /// As [`zero_border`](Self::zero_border).
    #[inline]
    pub unsafe fn steal_borders(&self, accesses: impl Fn() -> AccessSet) {
        let Some(stealable) = self.stealable else {
            return;
        };
        for owner in (0..self.threads).filter(|owner| stealable.claim_border(*owner)) {
            if let Some(map) = accesses().written_map() {
                // SAFETY: as the caller guarantees.
                unsafe { self.zero_border_of(owner, &self.at_micro_batch(map)) };
            }
        }
    }

    /// Zeroes the static range of `thread` of the borders of `map`.
    ///
    /// # Safety
    ///
    /// As [`zero_border`](Self::zero_border), and no other thread zeroes this range.
    #[inline]
    unsafe fn zero_border_of(&self, thread: usize, map: &Map) {
        let border = map.border;
        if border.is_empty() {
            return;
        }
        let blocks = map.blocks();
        for unit in partition_range(self.images * blocks, self.threads, thread) {
            let first = map.offset + unit / blocks * map.image + unit % blocks * map.block;
            let last = first + map.extent();
            // SAFETY: the range is part of a block of the map, which this thread alone writes.
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

    /// Makes a tile write to `output` from pixel `column` of row `row` on, of output block `block`
    /// of image `image`. In a dense map `column` may exceed the width.
    ///
    /// # Safety
    ///
    /// The maps of `output` are within the arena.
    #[inline]
    pub unsafe fn set_output(
        &self,
        output: &Output,
        [image, block, row, column]: [usize; 4],
        args: &mut TileArgs,
    ) {
        // SAFETY: the pixel is within a map, which is within the arena.
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
    fn a_thread_claims_from_the_front_of_its_range_then_steals_from_the_backs_of_others() {
        let ranges = StealableRanges::new(3);
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
            stealable: Some(&ranges),
        };
        let chunks: Vec<_> = cx.claim_ranges(30, 2).collect();
        let expected = [
            [10..15, 15..18, 18..20],
            [25..30, 22..25, 20..22],
            [5..10, 2..5, 0..2],
        ];
        assert_eq!(chunks, expected.concat());
    }
}
