//! How many images pass each step at a time.
//!
//! A batch that passed one layer after the other would leave the caches between any two of them where
//! maps are large, as those of first layers are. Weights would rather be read once for the batch, and
//! are many where maps are small. So a network is cut into stretches: in each, as many images pass all
//! of its steps together as have their maps in the last-level cache, and a stretch's images are not
//! fewer than those of one before it.

use std::ops::RangeInclusive;

use super::layout::spans;
use super::net::Net;

/// Bytes of maps that are to stay in the last-level cache, beside the weights that pass it.
const MAPS: usize = 4 << 20;

/// Images that pass each step together: the input's import, every layer, the outputs' export.
#[derive(Debug, Clone)]
pub(super) struct Stretches {
    together: Vec<usize>,
}

impl Stretches {
    /// Those of `net` for batches of `images`, in blocks of `lanes` channels.
    pub fn of(net: &Net, lanes: usize, images: usize) -> Self {
        let mut live = vec![0; net.layers.len() + 2];
        for (map, span) in spans(net, lanes).into_iter().enumerate() {
            let bytes = 4 * net.maps[map].iter().product::<usize>();
            for live in span.map_or(&mut [][..], |(first, last)| &mut live[first..=last]) {
                *live += bytes;
            }
        }
        let mut least = images;
        let mut together: Vec<usize> = (live.into_iter().rev())
            .map(|live| {
                while least > 1 && least * live > MAPS {
                    least = least.div_ceil(2);
                }
                least
            })
            .collect();
        together.reverse();
        Self { together }
    }

    /// Whether all of `images` pass all steps together.
    pub fn are_one(&self, images: usize) -> bool {
        self.together.iter().all(|&together| together == images)
    }

    /// So many images at each step.
    #[cfg(test)]
    pub fn new(together: Vec<usize>) -> Self {
        Self { together }
    }

    /// Images that pass `step` together: 0 is the import, `n` the layer `n - 1`.
    pub fn together(&self, step: usize) -> usize {
        self.together[step]
    }

    /// The steps of the stretch in which `step` is.
    pub fn around(&self, step: usize) -> RangeInclusive<usize> {
        let other = |&other: &usize| self.together[other] != self.together[step];
        let first = (0..step).rfind(other).map_or(0, |before| before + 1);
        let after = (step..self.together.len()).find(other);
        first..=after.unwrap_or(self.together.len()) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_what_is_around_a_step() {
        let stretches = Stretches::new(vec![1, 1, 2, 4, 4, 4]);
        for (step, stretch) in [(0, 0..=1), (1, 0..=1), (2, 2..=2), (3, 3..=5), (5, 3..=5)] {
            assert_eq!(stretches.around(step), stretch);
        }
    }
}
