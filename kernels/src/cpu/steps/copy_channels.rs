//! Copies a map into channels of another map of the same height and width; borders and lanes may
//! differ. Concatenates maps that cannot be computed in place, and converts layouts.
//!
//! In a block that several copies share, each writes its own lanes and the border. The copy of the
//! last channel also zeroes the lanes after it.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};

/// Copies a map into channels of another map of the same height and width; their borders and lanes
/// may differ. The step concatenates maps that cannot be computed in place, and converts the layout
/// of a map.
///
/// If several copies write to one block, each copy writes only its own lanes, and the border. The
/// copy that writes the last channel also zeroes the lanes after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CopyChannels {
    x: Map,
    y: Map,
    first_channel: usize,
}

impl CopyChannels {
    /// Copies `x` into the channels of `y` from `first_channel` on.
    pub fn new(x: Map, y: Map, first_channel: usize) -> Self {
        Self {
            x,
            y,
            first_channel,
        }
    }

    /// Blocks of `y` that the copy writes.
    fn written(&self) -> Map {
        let first = self.first_channel / self.y.lanes * self.y.lanes;
        let channels = self.first_channel + self.x.channels - first;
        self.y.slice(first, channels)
    }
}

impl Operation for CopyChannels {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.written())
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            x,
            y,
            first_channel,
        } = self;
        memory.any_map(x)?;
        memory.any_map(y)?;
        let end = first_channel.checked_add(x.channels);
        ensure(
            [x.height, x.width] == [y.height, y.width] && end.is_some_and(|end| end <= y.channels),
            "a map does not fit into the map that it is copied to",
        )?;
        disjoint(x, &self.written())
    }

    unsafe fn run(&self, cx: &Context) {
        let x = cx.at_micro_batch(&self.x);
        let y = cx.at_micro_batch(&self.written());
        let skipped = self.first_channel % y.lanes;
        let ends = self.first_channel + x.channels == self.y.channels;
        let same = x.lanes == y.lanes && skipped == 0;
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(&y) };
        for (image, block, rows) in cx.claim_rows(&y) {
            let last = y.channels.min((block + 1) * y.lanes);
            let whole = same && last == (block + 1) * y.lanes;
            for row in rows {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    if whole {
                        let from = cx.at(x.at(image, block, row, 0));
                        to.copy_from_nonoverlapping(from, y.width * y.lanes);
                        continue;
                    }
                    for channel in (block * y.lanes).max(skipped)..last {
                        let to = to.add(channel % y.lanes);
                        let channel = channel - skipped;
                        let from = x.at(image, channel / x.lanes, row, 0) + channel % x.lanes;
                        let from = cx.at(from);
                        for pixel in 0..y.width {
                            *to.add(pixel * y.lanes) = *from.add(pixel * x.lanes);
                        }
                    }
                    if ends && last < (block + 1) * y.lanes {
                        let lanes = last % y.lanes;
                        for pixel in 0..y.width {
                            let rest = to.add(pixel * y.lanes + lanes);
                            rest.write_bytes(0, y.lanes - lanes);
                        }
                    }
                }
            }
        }
    }
}
