//! Division of work that has two axes, pixels and output channels, among threads.

use std::ops::Range;

use super::partition::partition_range;

/// Static partition of a grid of units, with the axis along which the work of a thread can be
/// stolen.
///
/// Axis 0 counts tiles of pixels, axis 1 groups of output channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    /// Units along each axis.
    units: [usize; 2],
    /// Ranges along each axis; their product is the number of threads.
    parts: [usize; 2],
    /// Axis along which the work of a thread is split into chunks.
    chunked_axis: usize,
    /// Units of the smallest chunk along each axis.
    min_chunk: [usize; 2],
}

impl Grid {
    /// The partition of `units` among `threads` that minimizes the time of the busiest thread.
    ///
    /// `work` is the number of vector multiply-adds of one unit; `read` the number of elements that
    /// a thread reads for each of its units along either axis, whatever it computes along the
    /// other.
    #[inline]
    pub fn new(threads: usize, units: [usize; 2], work: f64, read: [f64; 2]) -> Self {
        let per_thread =
            |parts: [usize; 2]| [0, 1].map(|axis| units[axis].div_ceil(parts[axis]) as f64);
        let parts = (1..=threads)
            .filter(|parts| threads.is_multiple_of(*parts))
            .map(|parts| [parts, threads / parts])
            .min_by(|a, b| {
                let cost = |parts| {
                    let [tiles, groups] = per_thread(parts);
                    let reads = SHARED_INPUT_COST * tiles * read[0] + groups * read[1];
                    tiles * groups * work + DRAM_FMAS_PER_ELEMENT * reads
                };
                cost(*a).total_cmp(&cost(*b))
            })
            .expect("1 divides every number of threads");
        // A chunk reads the data of the other axis again, which must not take longer than its
        // arithmetic.
        let per_thread = per_thread(parts);
        let read = [OWN_INPUT_COST * read[0], read[1]];
        let min_chunk = [1, 0].map(|other| {
            let worth = MIN_CHUNK_FMAS / (per_thread[other] * work);
            worth
                .max(LLC_FMAS_PER_ELEMENT * read[other] / work)
                .ceil()
                .max(1.0) as usize
        });
        let chunks = [0, 1].map(|axis| per_thread[axis] / min_chunk[axis] as f64);
        let chunked_axis = match chunks.map(|chunks| chunks >= ENOUGH_CHUNKS) {
            [true, true] => usize::from(per_thread[0] * read[0] < per_thread[1] * read[1]),
            _ => usize::from(chunks[1] > chunks[0]),
        };
        Self {
            units,
            parts,
            chunked_axis,
            min_chunk,
        }
    }

    /// The same partition, with chunks along `axis`.
    #[inline]
    pub fn chunked_along(self, axis: usize) -> Self {
        Self {
            chunked_axis: axis,
            ..self
        }
    }

    /// The same partition, with chunks of at least `min_chunk` units along `axis`.
    #[inline]
    pub fn with_chunks(mut self, axis: usize, min_chunk: usize) -> Self {
        self.min_chunk[axis] = min_chunk;
        self.chunked_along(axis)
    }

    /// Ranges along each axis.
    #[inline]
    pub fn parts(self) -> [usize; 2] {
        self.parts
    }

    /// Units of the smallest chunk.
    #[inline]
    pub fn min_chunk(self) -> usize {
        self.min_chunk[self.chunked_axis]
    }

    /// Units of `thread` along the chunked axis.
    #[inline]
    pub fn chunked_range(self, thread: usize) -> Range<usize> {
        self.ranges(thread)[self.chunked_axis].clone()
    }

    /// Units along both axes of `chunk`, a subrange of the [chunked range](Self::chunked_range) of
    /// `thread`.
    #[inline]
    pub fn chunk(self, thread: usize, chunk: Range<usize>) -> [Range<usize>; 2] {
        let mut both = self.ranges(thread);
        both[self.chunked_axis] = chunk;
        both
    }

    #[inline]
    fn ranges(self, thread: usize) -> [Range<usize>; 2] {
        let [across, down] = self.parts;
        [
            partition_range(self.units[0], across, thread % across),
            partition_range(self.units[1], down, thread / across),
        ]
    }
}

/// Vector multiply-adds in the time that an element takes from DRAM: 8 bytes per cycle and core
/// (Zen 4).
const DRAM_FMAS_PER_ELEMENT: f64 = 0.5;

/// Cost of reading an input element that another core has just written, relative to a prefetched
/// weight.
const SHARED_INPUT_COST: f64 = 6.0;

/// Cost of reading an input element that this core has written, relative to a prefetched weight.
const OWN_INPUT_COST: f64 = 2.0;

/// Vector multiply-adds in the time that an element takes from the last-level cache when a prefetch
/// comes late.
const LLC_FMAS_PER_ELEMENT: f64 = 1.5;

/// Vector multiply-adds of the smallest chunk: some microseconds.
const MIN_CHUNK_FMAS: f64 = 16384.0;

/// Chunks per thread that balance load well; more gain nothing.
const ENOUGH_CHUNKS: f64 = 8.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_unit_belongs_to_one_thread(
            threads in 1_usize..9,
            units in prop::array::uniform2(1_usize..40),
            work in 1.0..1e5,
            read in prop::array::uniform2(1.0..1e4),
            axis in 0_usize..2,
        ) {
            let grid = Grid::new(threads, units, work, read).chunked_along(axis);
            prop_assert_eq!(grid.parts().iter().product::<usize>(), threads);
            prop_assert!(grid.min_chunk() >= 1);
            let mut done = vec![0; units[0] * units[1]];
            for part in 0..threads {
                let [tiles, groups] = grid.chunk(part, grid.chunked_range(part));
                for tile in tiles {
                    groups.clone().for_each(|group| done[tile * units[1] + group] += 1);
                }
            }
            prop_assert!(done.iter().all(|&times| times == 1));
        }
    }

    /// Two threads divide the rows of MobileNet's middle layers, since each would otherwise compute
    /// the whole depthwise convolution, and the outputs of ResNet-50's last stage, since each would
    /// otherwise read all weights.
    #[test]
    fn the_axis_with_the_duplicated_work_is_divided() {
        let (width, channels, blocks) = (14.0, 512.0, 64.0);
        let read = [4.0 * width * blocks * 9.0, 2.0 * 8.0 * channels];
        let middle = Grid::new(2, [14, 32], 2.0 * width * channels, read);
        assert_eq!(middle.parts(), [2, 1]);
        let (pixels, channels) = (49.0 / 9.0, 512.0);
        let read = [pixels * channels, 2.0 * 8.0 * channels];
        let last = Grid::new(2, [9, 128], 2.0 * pixels * channels, read);
        assert_eq!(last.parts(), [1, 2]);
    }
}
