//! Weights that tiles bring nearer while they multiply.
//!
//! All weights of a layer are read once, in order, in panels that tile after tile reads again. The first
//! tile of a panel brings its own weights into the nearest cache, a page before it comes to them, for there
//! hardware that follows a stream begins anew. The tiles after it divide the next panel among themselves, and
//! bring it into the core's larger cache: what comes from memory has their time to come in, not the first
//! tile's alone.

use super::simd::Simd;
use super::tile::STEPS;

/// Elements of a cache line.
const LINE: usize = 16;

/// Elements of a page.
pub(super) const PAGE: usize = 1024;

/// Cache lines that a tile asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Soon {
    from: *const f32,
    /// For every [`STEPS`] taps.
    lines: usize,
    /// Into the nearest cache.
    near: bool,
}

impl Soon {
    pub const NOTHING: Self = Self {
        from: std::ptr::null(),
        lines: 0,
        near: false,
    };

    /// Asks for those of the next [`STEPS`] taps. Nothing is read, whatever the addresses.
    #[inline(always)]
    pub unsafe fn bring<S: Simd>(&mut self) {
        for _ in 0..self.lines {
            unsafe {
                if self.near {
                    S::bring_near(self.from);
                } else {
                    S::bring(self.from);
                }
            }
            self.from = self.from.wrapping_add(LINE);
        }
    }
}

/// A panel of weights, and the tiles that read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ahead<'a> {
    pub panel: &'a [f32],
    /// The panel after it.
    pub next: &'a [f32],
    /// How many tiles read the panel, and of how many taps.
    pub tiles: usize,
    pub taps: usize,
}

impl Ahead<'_> {
    /// What the panel's tile `tile` asks for.
    pub fn of(&self, tile: usize) -> Soon {
        let steps = self.taps.div_ceil(STEPS);
        if tile == 0 {
            return Soon {
                from: self.panel.as_ptr().wrapping_add(PAGE),
                lines: self.panel.len().div_ceil(LINE * steps),
                near: true,
            };
        }
        let lines = self.next.len().div_ceil(LINE);
        let each = lines.div_ceil((self.tiles - 1) * steps);
        let first = (tile - 1) * steps * each;
        if first >= lines {
            return Soon::NOTHING;
        }
        Soon {
            from: self.next.as_ptr().wrapping_add(first * LINE),
            lines: each,
            near: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_tiles_after_the_first_ask_for_all_of_the_next_panel_once(
            next in 1_usize..5000,
            tiles in 2_usize..40,
            taps in 1_usize..600,
        ) {
            let next = vec![0.0; next];
            let ahead = Ahead { panel: &[0.0; 64], next: &next, tiles, taps };
            let line = |at: *const f32| (at.addr() - next.as_ptr().addr()) / size_of::<f32>() / LINE;
            let mut asked = 0;
            for soon in (1..tiles).map(|tile| ahead.of(tile)).filter(|soon| soon.lines > 0) {
                prop_assert!(!soon.near);
                prop_assert_eq!(line(soon.from), asked);
                asked += soon.lines * taps.div_ceil(STEPS);
            }
            prop_assert!(asked >= next.len().div_ceil(LINE));
            prop_assert!(ahead.of(0).near);
        }
    }
}
