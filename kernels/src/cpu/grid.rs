//! How threads divide work that has two axes, pixels and output channels.

use std::ops::Range;

use super::context::share;

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
