//! Software prefetch of weight panels and map rows.
//!
//! Packed weights are read in order, in panels that several tiles read again. The tiles of a panel
//! prefetch the next panel into L2, each an equal part, so that DRAM traffic is spread evenly over
//! the arithmetic. A panel that a single tile reads is prefetched into L1, one page ahead of its
//! use, since hardware prefetchers stop at page boundaries.

use super::simd::Simd;

/// Elements of a cache line.
pub(crate) const LINE: usize = 16;

/// Elements of a 4 KiB page.
pub(crate) const PAGE: usize = 1024;

/// Prefetches that a tile issues.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prefetch {
    from: *const f32,
    /// Lines per [`Simd::UNROLL`] taps: 0 to 4, 6 or 8.
    lines: usize,
    into: Cache,
    /// Tiles of the strip that prefetch, from the first on.
    tiles: usize,
}

/// Destination of a prefetch. The type has the width of the other fields: a narrower field would be
/// copied in two overlapping parts, and the next copy would stall on store forwarding once per
/// strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Cache {
    L1,
    L2,
}

/// Most lines of one prefetch.
const MOST: usize = 8;

impl Prefetch {
    pub const NOTHING: Self = Self {
        from: std::ptr::null(),
        lines: 0,
        into: Cache::L2,
        tiles: 0,
    };

    /// Must be called before tile number `tile` of a strip: stops after the last tile that
    /// prefetches.
    #[inline(always)]
    pub fn before(&mut self, tile: usize) {
        if tile == self.tiles {
            self.lines = 0;
        }
    }

    /// Prefetches the lines of the next [`Simd::UNROLL`] taps in each of `N` streams of weights,
    /// which are `stream` elements apart. Prefetching has no effect on invalid addresses.
    #[inline(always)]
    pub fn issue<S: Simd, const N: usize>(&mut self, s: S, stream: usize) {
        if self.lines == 0 {
            return;
        }
        {
            match self.into {
                Cache::L1 => self.issue_lines::<N>(stream, |at| s.prefetch_l1(at)),
                Cache::L2 => self.issue_lines::<N>(stream, |at| s.prefetch_l2(at)),
            }
        }
        self.from = self.from.wrapping_add(self.lines * LINE);
    }

    /// Unrolled by hand: the compiler's unrolling would spill the tile's registers.
    #[inline(always)]
    fn issue_lines<const N: usize>(&self, stream: usize, prefetch: impl Fn(*const f32)) {
        let line = |i: usize| {
            for from in (0..N).map(|n| n * stream) {
                prefetch(self.from.wrapping_add(from + i * LINE));
            }
        };
        line(0);
        if self.lines > 1 {
            line(1);
        }
        if self.lines > 2 {
            line(2);
        }
        if self.lines > 3 {
            line(3);
        }
        if self.lines > 4 {
            line(4);
            line(5);
        }
        if self.lines > 6 {
            line(6);
            line(7);
        }
    }
}

/// Prefetches `rows` rows of `columns` vectors into L1. Invalid addresses have no effect.
#[inline(always)]
pub(crate) fn prefetch_rows<S: Simd>(
    s: S,
    at: *const f32,
    row: usize,
    [rows, columns]: [usize; 2],
) {
    for y in 0..rows {
        for x in (0..columns * S::LANES).step_by(LINE) {
            s.prefetch_l1(at.wrapping_add(y * row + x));
        }
    }
}

/// Prefetches of all tiles that read one panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PrefetchPlan {
    /// Prefetch of the only tile that reads the panel.
    single: Prefetch,
    /// Start and cache lines of the next panel.
    next: *const f32,
    lines: usize,
    /// Lines of the next panel per [`Simd::UNROLL`] taps and per tile.
    lines_per_unroll: usize,
    lines_per_tile: usize,
}

impl PrefetchPlan {
    /// Plan for a panel that `tiles` tiles of `taps` taps read before they read `next`; a tile
    /// issues prefetches every `unroll` taps.
    #[inline]
    pub fn new(panel: &[f32], next: &[f32], tiles: usize, taps: usize, unroll: usize) -> Self {
        let steps = taps.div_ceil(unroll);
        let lines = next.len().div_ceil(LINE);
        let each = match tiles {
            1 => 0,
            _ => supported_lines(lines.div_ceil(tiles * steps)),
        };
        Self {
            single: Prefetch {
                from: panel.as_ptr().wrapping_add(PAGE),
                lines: supported_lines(panel.len().div_ceil(LINE * steps)),
                into: Cache::L1,
                tiles: 1,
            },
            next: next.as_ptr(),
            lines,
            lines_per_unroll: each,
            lines_per_tile: each * steps,
        }
    }

    /// The same rates for another panel and the next panel, neither longer than the first two.
    #[inline]
    pub fn over(self, panel: &[f32], next: &[f32]) -> Self {
        Self {
            single: Prefetch {
                from: panel.as_ptr().wrapping_add(PAGE),
                ..self.single
            },
            next: next.as_ptr(),
            lines: next.len().div_ceil(LINE),
            ..self
        }
    }

    /// Prefetches of the panel's tiles from number `tile` on.
    #[inline]
    pub fn from(&self, tile: usize) -> Prefetch {
        match (self.lines_per_unroll, tile) {
            (0, 0) => return self.single,
            (0, _) => return Prefetch::NOTHING,
            _ => {}
        }
        let prefetched = (tile * self.lines_per_tile).min(self.lines);
        Prefetch {
            from: self.next.wrapping_add(prefetched * LINE),
            lines: self.lines_per_unroll,
            into: Cache::L2,
            tiles: (self.lines - prefetched).div_ceil(self.lines_per_tile),
        }
    }
}

/// The smallest number of lines that [`Prefetch`] supports and is at least `lines`.
#[inline]
fn supported_lines(lines: usize) -> usize {
    match lines {
        0..=4 => lines,
        5..=6 => 6,
        _ => MOST,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tiles_prefetch_every_line_of_the_next_panel_once(
            next in 1_usize..5000,
            tiles in 2_usize..40,
            taps in 1_usize..600,
            step in prop_oneof![Just(4_usize), Just(8)],
            cut in 1_usize..40,
            longer in 0_usize..1000,
        ) {
            let next = vec![0.0; next];
            let (lines, steps) = (next.len().div_ceil(LINE), taps.div_ceil(step));
            let long = vec![0.0; next.len() + longer];
            let prefetch_plan = PrefetchPlan::new(&[0.0; 64], &long, tiles, taps, step).over(&[0.0; 64], &next);
            let line = |at: *const f32| (at.addr() - next.as_ptr().addr()) / size_of::<f32>() / LINE;
            let mut prefetched = 0;
            for strip in [0..cut.min(tiles), cut.min(tiles)..tiles] {
                let mut prefetch = prefetch_plan.from(strip.start);
                for tile in 0..strip.len() {
                    prefetch.before(tile);
                    if prefetch.lines > 0 {
                        prop_assert!(prefetched < lines && line(prefetch.from) == prefetched && prefetch.into == Cache::L2);
                        prefetched += prefetch.lines * steps;
                        prefetch.from = prefetch.from.wrapping_add(prefetch.lines * steps * LINE);
                    }
                }
            }
            prop_assert!(prefetched >= lines.min(tiles * steps * MOST));
            let single = PrefetchPlan::new(&next, &next, 1, taps, step).from(0);
            prop_assert_eq!(single.into, Cache::L1);
        }
    }
}
