//! Weights that tiles bring nearer while they multiply, and parts of maps that other kernels do.
//!
//! Packed weights are read in order, in panels that tile after tile reads again. The tiles of a panel divide the
//! next one among themselves, and bring it into the core's larger cache: as evenly as can be, so that memory is
//! never at rest and never asked for more at once than it gives. A tile that reads its panel alone brings it into
//! the nearest cache, a page before it comes there, for at a page's end hardware that follows a stream begins anew.

use super::simd::Simd;

/// Elements of a cache line.
pub(crate) const LINE: usize = 16;

/// Elements of a page.
pub(crate) const PAGE: usize = 1024;

/// Cache lines that a tile asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prefetch {
    from: *const f32,
    /// For every [`Simd::STEPS`] taps: up to 4, or 6 or 8.
    lines: usize,
    into: Cache,
    /// How many tiles of a strip ask, from the first on.
    tiles: usize,
}

/// Where lines are brought. As wide as what is beside it: the rest would be copied in two pieces that overlap, and
/// a copy of the copy would wait for them, once for every strip of tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Cache {
    Nearest,
    Larger,
}

/// Lines that can be asked for at once.
const MOST: usize = 8;

impl Prefetch {
    pub const NOTHING: Self = Self {
        from: std::ptr::null(),
        lines: 0,
        into: Cache::Larger,
        tiles: 0,
    };

    /// Before tile `tile` of a strip.
    #[inline(always)]
    pub fn before(&mut self, tile: usize) {
        if tile == self.tiles {
            self.lines = 0;
        }
    }

    /// Asks for those of the next [`Simd::STEPS`] taps, in each of `N` streams of weights, so far from one to the
    /// next. Nothing is read, whatever the addresses.
    #[inline(always)]
    pub fn bring<S: Simd, const N: usize>(&mut self, s: S, stream: usize) {
        if self.lines == 0 {
            return;
        }
        {
            match self.into {
                Cache::Nearest => self.issue_lines::<N>(stream, |at| s.prefetch_l1(at)),
                Cache::Larger => self.issue_lines::<N>(stream, |at| s.prefetch_l2(at)),
            }
        }
        self.from = self.from.wrapping_add(self.lines * LINE);
    }

    /// Written out: a loop would be unrolled at the cost of the tile's registers.
    #[inline(always)]
    fn issue_lines<const N: usize>(&self, stream: usize, bring: impl Fn(*const f32)) {
        let line = |i: usize| {
            for from in (0..N).map(|n| n * stream) {
                bring(self.from.wrapping_add(from + i * LINE));
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

/// Brings `rows` rows of `columns` vectors nearer. Nothing is read, whatever the addresses.
#[inline(always)]
pub(crate) fn bring<S: Simd>(s: S, at: *const f32, row: usize, [rows, columns]: [usize; 2]) {
    for y in 0..rows {
        for x in (0..columns * S::LANES).step_by(LINE) {
            s.prefetch_l1(at.wrapping_add(y * row + x));
        }
    }
}

/// What each of the tiles of a panel asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PrefetchPlan {
    /// For the first tile, where it is the only one or nothing is next.
    alone: Prefetch,
    /// Where the next panel begins, and how many cache lines it has.
    next: *const f32,
    lines: usize,
    /// Of those lines, what each of several tiles asks for: for every [`Simd::STEPS`] taps, and in all.
    each: usize,
    share: usize,
}

impl PrefetchPlan {
    /// Of a panel that `tiles` tiles of `taps` taps read, before that of `next`; a tile asks once every `step`
    /// taps.
    pub fn new(panel: &[f32], next: &[f32], tiles: usize, taps: usize, step: usize) -> Self {
        let steps = taps.div_ceil(step);
        let lines = next.len().div_ceil(LINE);
        let each = match tiles {
            1 => 0,
            _ => at_once(lines.div_ceil(tiles * steps)),
        };
        Self {
            alone: Prefetch {
                from: panel.as_ptr().wrapping_add(PAGE),
                lines: at_once(panel.len().div_ceil(LINE * steps)),
                into: Cache::Nearest,
                tiles: 1,
            },
            next: next.as_ptr(),
            lines,
            each,
            share: each * steps,
        }
    }

    /// The same pace for another panel and the one after it, neither longer than those.
    pub fn over(self, panel: &[f32], next: &[f32]) -> Self {
        Self {
            alone: Prefetch {
                from: panel.as_ptr().wrapping_add(PAGE),
                ..self.alone
            },
            next: next.as_ptr(),
            lines: next.len().div_ceil(LINE),
            ..self
        }
    }

    /// What the panel's tiles from `tile` on ask for.
    pub fn from(&self, tile: usize) -> Prefetch {
        match (self.each, tile) {
            (0, 0) => return self.alone,
            (0, _) => return Prefetch::NOTHING,
            _ => {}
        }
        let asked = (tile * self.share).min(self.lines);
        Prefetch {
            from: self.next.wrapping_add(asked * LINE),
            lines: self.each,
            into: Cache::Larger,
            tiles: (self.lines - asked).div_ceil(self.share),
        }
    }
}

/// The next number of lines that [`Prefetch`] can ask for.
fn at_once(lines: usize) -> usize {
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
        fn several_tiles_ask_for_all_of_the_next_panel_once(
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
            let mut asked = 0;
            for strip in [0..cut.min(tiles), cut.min(tiles)..tiles] {
                let mut prefetch = prefetch_plan.from(strip.start);
                for tile in 0..strip.len() {
                    prefetch.before(tile);
                    if prefetch.lines > 0 {
                        prop_assert!(asked < lines && line(prefetch.from) == asked && prefetch.into == Cache::Larger);
                        asked += prefetch.lines * steps;
                        prefetch.from = prefetch.from.wrapping_add(prefetch.lines * steps * LINE);
                    }
                }
            }
            prop_assert!(asked >= lines.min(tiles * steps * MOST));
            let alone = PrefetchPlan::new(&next, &next, 1, taps, step).from(0);
            prop_assert_eq!(alone.into, Cache::Nearest);
        }
    }
}
