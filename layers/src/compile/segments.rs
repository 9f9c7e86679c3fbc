//! How many images pass each step at a time.
//!
//! A batch that passed one layer after the other would leave the caches between any two of them where
//! maps are large, as those of first layers are. Weights would rather be read once for the batch, and
//! are many where maps are small. So a network is cut into segments: in each, as many images pass all
//! of its steps together as have their maps in the last-level cache, and a segment's images are not
//! fewer than those of one before it. A segment takes its images as soon as they have passed those before it, so
//! that a map from one to another holds as many as pass the later one together, not the batch.

use super::layout::spans;
use super::net::Net;

/// Bytes of maps that are to stay in the last-level cache, beside the weights that pass it.
const MAPS: usize = 4 << 20;

/// Images that pass each step together: the input's import, every layer, the outputs' export.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    micro_batch: Vec<usize>,
}

impl Segments {
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
        let mut micro_batch: Vec<usize> = (live.into_iter().rev())
            .map(|live| {
                while least > 1 && least * live > MAPS {
                    // All, or a power of two: see `ProgramStep::together`.
                    least = least.next_power_of_two() / 2;
                }
                least
            })
            .collect();
        micro_batch.reverse();
        Self { micro_batch }
    }

    /// Whether all of `images` pass all steps together.
    pub fn are_one(&self, images: usize) -> bool {
        self.micro_batch
            .iter()
            .all(|&micro_batch| micro_batch == images)
    }

    /// So many images at each step.
    #[cfg(test)]
    pub fn new(micro_batch: Vec<usize>) -> Self {
        Self { micro_batch }
    }

    /// Images that pass `step` together: 0 is the import, `n` the layer `n - 1`.
    pub fn micro_batch(&self, step: usize) -> usize {
        self.micro_batch[step]
    }
}
