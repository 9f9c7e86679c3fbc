//! Static partition of work into nearly equal ranges, and row-major iteration over grids.
//!
//! Neither divides per range or cell: a division would take as long as the taps of a shallow tile.

use std::ops::Range;

/// Partition of `0..units` into nearly equal ranges, the longer ones first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Partition {
    shorter: usize,
    longer: usize,
}

impl Partition {
    #[inline]
    pub fn new(units: usize, parts: usize) -> Self {
        Self {
            shorter: units / parts,
            longer: units % parts,
        }
    }

    /// Number of ranges from the start of `parts` on that are as long as its first.
    #[inline]
    pub fn alike(self, parts: Range<usize>) -> usize {
        match parts.start < self.longer {
            true => self.longer.min(parts.end) - parts.start,
            false => parts.len(),
        }
    }

    /// The ranges grouped by length: start of the first range, length of each, and their number.
    #[inline]
    pub fn kinds(self, parts: usize) -> [(usize, usize, usize); 2] {
        let Self { shorter, longer } = self;
        [
            (0, shorter + 1, longer),
            (longer * (shorter + 1), shorter, parts - longer),
        ]
    }

    /// Range number `part`.
    #[inline]
    pub fn get(self, part: usize) -> Range<usize> {
        let start = part * self.shorter + part.min(self.longer);
        start..start + self.shorter + usize::from(part < self.longer)
    }
}

/// Range number `part` of `0..units` in `parts` nearly equal ranges.
#[inline]
pub(crate) fn partition_range(units: usize, parts: usize, part: usize) -> Range<usize> {
    Partition::new(units, parts).get(part)
}

/// Partition of `units` into as few nearly equal ranges of at most `most` units as possible.
#[inline]
pub(crate) fn ranges_of_at_most(
    units: Range<usize>,
    most: usize,
) -> impl Iterator<Item = Range<usize>> {
    let count = units.len().div_ceil(most);
    (0..count).map(move |part| {
        let part = partition_range(units.len(), count, part);
        units.start + part.start..units.start + part.end
    })
}

/// Iterator over the cells `[grid, row, column]` of consecutive grids of `size` rows and columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GridCells {
    next: [usize; 3],
    size: [usize; 2],
}

impl GridCells {
    /// Starts at cell number `first`.
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

impl Iterator for GridCells {
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
