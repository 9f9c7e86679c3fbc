//! How threads divide work that has two axes, pixels and output channels.

use std::ops::Range;

use super::partition::share;

/// Tiles by groups, a part of both for each thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    units: [usize; 2],
    /// Parts of each axis.
    parts: [usize; 2],
    /// The axis along which a thread's share is cut into pieces.
    cut: usize,
    /// Units of each axis that are worth a piece.
    least: [usize; 2],
}

impl Grid {
    /// The division of `units` that is done soonest by the busiest thread.
    ///
    /// A thread takes `work` per tile and group, and must read so many elements for each of its tiles and for
    /// each of its groups.
    pub fn new(threads: usize, units: [usize; 2], work: f64, read: [f64; 2]) -> Self {
        let share = |parts: [usize; 2]| [0, 1].map(|axis| units[axis].div_ceil(parts[axis]) as f64);
        let parts = (1..=threads)
            .filter(|parts| threads.is_multiple_of(*parts))
            .map(|parts| [parts, threads / parts])
            .min_by(|a, b| {
                let cost = |parts| {
                    let [tiles, groups] = share(parts);
                    tiles * groups * work + ELEMENT * (FAR * tiles * read[0] + groups * read[1])
                };
                cost(*a).total_cmp(&cost(*b))
            })
            .expect("one divides every number");
        // Every piece reads again what the other axis needs, which must not take longer than the piece.
        let share = share(parts);
        let read = [WAITED_FOR * read[0], read[1]];
        let least = [1, 0].map(|other| {
            let worth = WORTHWHILE / (share[other] * work);
            worth.max(AGAIN * read[other] / work).ceil().max(1.0) as usize
        });
        let pieces = [0, 1].map(|axis| share[axis] / least[axis] as f64);
        let cut = match pieces.map(|pieces| pieces >= ENOUGH) {
            [true, true] => usize::from(share[0] * read[0] < share[1] * read[1]),
            _ => usize::from(pieces[1] > pieces[0]),
        };
        Self {
            units,
            parts,
            cut,
            least,
        }
    }

    /// The same, its shares in pieces along this axis.
    pub fn along(self, cut: usize) -> Self {
        Self { cut, ..self }
    }

    /// The same, its shares in pieces of at least so many units along one axis.
    pub fn cut(mut self, cut: usize, least: usize) -> Self {
        self.least[cut] = least;
        self.along(cut)
    }

    /// Parts of each axis.
    pub fn parts(self) -> [usize; 2] {
        self.parts
    }

    /// Units that are worth a piece.
    pub fn least(self) -> usize {
        self.least[self.cut]
    }

    /// Of thread `part`'s share, the units that are cut into pieces.
    pub fn length(self, part: usize) -> Range<usize> {
        self.part(part)[self.cut].clone()
    }

    /// Of thread `part`'s share, a piece of its [length](Self::length).
    pub fn piece(self, part: usize, piece: Range<usize>) -> [Range<usize>; 2] {
        let mut both = self.part(part);
        both[self.cut] = piece;
        both
    }

    fn part(self, part: usize) -> [Range<usize>; 2] {
        let [across, down] = self.parts;
        [
            share(self.units[0], across, part % across),
            share(self.units[1], down, part / across),
        ]
    }
}

/// What it takes to bring an element from memory, where a vector multiply-add takes 1: 8 bytes a
/// cycle and core, as measured on a Zen 4.
const ELEMENT: f64 = 0.5;

/// What it takes to read inputs, where weights, which are asked for in time, take 1: those that another core has just
/// written, as half of them are where threads divide the groups; and those of one's own again.
const FAR: f64 = 6.0;

const WAITED_FOR: f64 = 2.0;

/// What it takes to bring an element again, where a vector multiply-add takes 1, from the last-level cache with
/// little time to ask for it.
const AGAIN: f64 = 1.5;

/// Vector multiply-adds that are worth a piece: some microseconds.
const WORTHWHILE: f64 = 16384.0;

/// Pieces that make a share fine enough.
const ENOUGH: f64 = 8.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_tile_of_each_group_is_one_thread_s(
            threads in 1_usize..9,
            units in prop::array::uniform2(1_usize..40),
            work in 1.0..1e5,
            read in prop::array::uniform2(1.0..1e4),
            cut in 0_usize..2,
        ) {
            let grid = Grid::new(threads, units, work, read).along(cut);
            prop_assert_eq!(grid.parts().iter().product::<usize>(), threads);
            prop_assert!(grid.least() >= 1);
            let mut done = vec![0; units[0] * units[1]];
            for part in 0..threads {
                let [tiles, groups] = grid.piece(part, grid.length(part));
                for tile in tiles {
                    groups.clone().for_each(|group| done[tile * units[1] + group] += 1);
                }
            }
            prop_assert!(done.iter().all(|&times| times == 1));
        }
    }

    /// Two threads divide the rows of MobileNet's middle, whose depthwise part both would compute otherwise, and the
    /// outputs of ResNet-50's last stage, whose weights both would read.
    #[test]
    fn what_would_be_done_twice_is_divided() {
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
