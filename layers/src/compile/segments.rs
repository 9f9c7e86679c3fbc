//! Depth-first execution of a batch: the number of images that run through each step at a time.
//!
//! Layer-by-layer execution of a whole batch evicts large feature maps, such as the maps of the
//! first layers, from the cache between two layers. Weights, in contrast, should be read once per
//! batch, and deep layers have many weights and small maps. The steps are therefore cut into
//! segments. Each segment has a micro-batch: the largest number of images whose maps fit in the
//! last-level cache, never smaller than the micro-batch of an earlier segment. A segment runs as
//! soon as the earlier segments have computed one micro-batch for it, so a map between two segments
//! stores the later segment's micro-batch instead of the whole batch.

use super::liveness::live_ranges;
use super::net::Net;

/// Bytes of feature maps that should stay in the last-level cache, beside the streamed weights.
const MAX_LIVE_BYTES: usize = 4 << 20;

/// The micro-batch of every step: the import, the layers, and the export.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    micro_batch: Vec<usize>,
}

impl Segments {
    /// Cuts `net` into segments for batches of `images`, with blocks of `lanes` channels.
    pub fn from_net(net: &Net, lanes: usize, images: usize) -> Self {
        let mut live_bytes = vec![0; net.layers.len() + 2];
        for (map, range) in live_ranges(net, lanes).into_iter().enumerate() {
            let bytes = 4 * net.maps[map].iter().product::<usize>();
            let steps = range.map_or(&mut [][..], |(first, last)| &mut live_bytes[first..=last]);
            for live in steps {
                *live += bytes;
            }
        }
        let mut size = images;
        let mut micro_batch: Vec<usize> = (live_bytes.into_iter().rev())
            .map(|live| {
                while size > 1 && size * live > MAX_LIVE_BYTES {
                    // The whole batch or a power of two: see `ProgramStep::micro_batch`.
                    size = size.next_power_of_two() / 2;
                }
                size
            })
            .collect();
        micro_batch.reverse();
        Self { micro_batch }
    }

    /// Whether one segment of micro-batch `images` holds all steps.
    pub fn are_one(&self, images: usize) -> bool {
        self.micro_batch
            .iter()
            .all(|&micro_batch| micro_batch == images)
    }

    /// Creates segments from the micro-batch of every step.
    #[cfg(test)]
    pub fn new(micro_batch: Vec<usize>) -> Self {
        Self { micro_batch }
    }

    /// Returns the micro-batch of `step`: 0 is the import, `n` the layer `n - 1`.
    pub fn micro_batch(&self, step: usize) -> usize {
        self.micro_batch[step]
    }
}
