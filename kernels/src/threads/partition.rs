//! Static partition of work: nearly equal ranges, and cells of grids, found without division.

use std::ops::Range;

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

/// Part `part` of `parts` nearly equal parts of `0..units`.
pub(crate) fn share(units: usize, parts: usize, part: usize) -> Range<usize> {
    Parts::new(units, parts).get(part)
}

/// Nearly equal parts of `units`, of `most` each at most.
pub(crate) fn parts_of(units: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let count = units.len().div_ceil(most);
    (0..count).map(move |part| {
        let part = share(units.len(), count, part);
        units.start + part.start..units.start + part.end
    })
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
