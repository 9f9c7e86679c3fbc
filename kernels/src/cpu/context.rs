//! What a thread has while it runs a step.

use std::ops::Range;

use super::kernels::Kernels;
use super::map::Map;
use super::output::Output;

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
}

impl Context<'_> {
    /// This thread's share of `units` equal units.
    pub fn share(&self, units: usize) -> Range<usize> {
        share(units, self.threads, self.thread)
    }

    /// This thread's share of the rows of `map`, as an image, a block and rows of it at a time.
    pub fn share_rows(
        &self,
        map: &Map,
    ) -> impl Iterator<Item = (usize, usize, Range<usize>)> + use<> {
        let (blocks, height) = (map.blocks(), map.height);
        let rows = self.share(self.images * blocks * height);
        (rows.start / height..rows.end.div_ceil(height)).map(move |plane| {
            let first = plane * height;
            let part = rows.start.max(first) - first..rows.end.min(first + height) - first;
            (plane / blocks, plane % blocks, part)
        })
    }

    /// `map` from this step's first image on.
    pub fn here(&self, map: &Map) -> Map {
        let first = if map.whole { self.first } else { 0 };
        Map {
            offset: map.offset + first * map.image,
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
        for unit in self.share(self.images * blocks) {
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
}

/// `0..units` in nearly equal parts, the longer ones first. Finding one takes no division, which would last as
/// long as the taps of a shallow tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    shorter: usize,
    longer: usize,
}

impl Parts {
    pub fn new(units: usize, parts: usize) -> Self {
        Self {
            shorter: units / parts,
            longer: units % parts,
        }
    }

    /// How many of these parts, from the first on, are as long as the first.
    pub fn alike(self, parts: Range<usize>) -> usize {
        match parts.start < self.longer {
            true => self.longer.min(parts.end) - parts.start,
            false => parts.len(),
        }
    }

    /// The parts of each length: where the first begins, how long each is, and how many.
    pub fn kinds(self, parts: usize) -> [(usize, usize, usize); 2] {
        let Self { shorter, longer } = self;
        [
            (0, shorter + 1, longer),
            (longer * (shorter + 1), shorter, parts - longer),
        ]
    }

    /// Part `part`.
    pub fn get(self, part: usize) -> Range<usize> {
        let start = part * self.shorter + part.min(self.longer);
        start..start + self.shorter + usize::from(part < self.longer)
    }
}

/// The cells of grids of rows and columns, one grid after the other: the grid, the row, the column. As
/// [`Parts`], without division.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells {
    next: [usize; 3],
    size: [usize; 2],
}

impl Cells {
    /// From cell `first` on.
    #[inline(always)]
    pub fn after(first: usize, size: [usize; 2]) -> Self {
        let [rows, columns] = size;
        let row = first / columns;
        Self {
            next: [row / rows, row % rows, first % columns],
            size,
        }
    }
}

impl Iterator for Cells {
    type Item = [usize; 3];

    #[inline(always)]
    fn next(&mut self) -> Option<[usize; 3]> {
        let cell = self.next;
        let [grid, row, column] = &mut self.next;
        *column += 1;
        if *column == self.size[1] {
            (*row, *column) = (*row + 1, 0);
        }
        if *row == self.size[0] {
            (*grid, *row) = (*grid + 1, 0);
        }
        Some(cell)
    }
}

/// Part `part` of `parts` nearly equal parts of `0..units`.
pub(crate) fn share(units: usize, parts: usize, part: usize) -> Range<usize> {
    Parts::new(units, parts).get(part)
}

/// How threads divide work with two axes, rows of `tiles` and columns of `groups`, so that the
/// busiest thread is done soonest: as many parts of each axis.
///
/// A thread takes `work` per tile and group, and must read `per_tile` elements for each of its
/// tiles and `per_group` for each of its groups.
pub(crate) fn grid(
    threads: usize,
    [tiles, groups]: [usize; 2],
    work: f64,
    [per_tile, per_group]: [f64; 2],
) -> [usize; 2] {
    (1..=threads)
        .filter(|parts| threads.is_multiple_of(*parts))
        .map(|parts| [parts, threads / parts])
        .min_by(|a, b| {
            let cost = |[t, g]: [usize; 2]| {
                let (tiles, groups) = (tiles.div_ceil(t) as f64, groups.div_ceil(g) as f64);
                tiles * groups * work + ELEMENT * (tiles * per_tile + groups * per_group)
            };
            cost(*a).total_cmp(&cost(*b))
        })
        .expect("one divides every number")
}

/// What it takes to bring an element from memory, where a vector multiply-add takes 1: 8 bytes a
/// cycle and core, as measured on a Zen 4.
const ELEMENT: f64 = 0.5;
