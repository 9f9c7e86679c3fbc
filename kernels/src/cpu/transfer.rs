//! Between the caller's arrays and maps.

use serde::{Deserialize, Serialize};

use super::check::{Flaw, Memory, must};
use super::context::Context;
use super::map::Map;

/// Copies the caller's images, `[images, channels, height, width]`, into a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// Where to.
    pub y: Map,
}

/// Copies a map to the caller's array, `[images, channels, height, width]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// Where from.
    pub x: Map,
    /// Which of the caller's arrays.
    pub output: usize,
}

impl Import {
    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), Flaw> {
        memory.any_map(&self.y)?;
        must(
            self.y.values() == memory.input,
            "not the shape of the input",
        )
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The map is within the arena, and the caller's array has as many elements.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let y = &self.y;
        unsafe {
            cx.zero_border(y);
            for unit in cx.share(cx.images * y.channels) {
                let (image, channel) = (unit / y.channels, unit % y.channels);
                for row in 0..y.height {
                    let from = cx.input.add((unit * y.height + row) * y.width);
                    let to = cx.at(y.at(image, channel / y.lanes, row, 0) + channel % y.lanes);
                    // Lanes after the last channel.
                    let rest = if channel + 1 == y.channels {
                        y.blocks() * y.lanes - y.channels
                    } else {
                        0
                    };
                    if y.lanes == 1 {
                        to.copy_from_nonoverlapping(from, y.width);
                    } else {
                        for x in 0..y.width {
                            *to.add(x * y.lanes) = *from.add(x);
                            to.add(x * y.lanes + 1).write_bytes(0, rest);
                        }
                    }
                }
            }
        }
    }
}

impl Export {
    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), Flaw> {
        memory.any_map(&self.x)?;
        let output = memory.outputs.get(self.output);
        must(
            output == Some(&self.x.values()),
            "not the shape of the output",
        )
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// As [`Import::run`].
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let x = &self.x;
        for unit in cx.share(cx.images * x.channels) {
            let (image, channel) = (unit / x.channels, unit % x.channels);
            for row in 0..x.height {
                unsafe {
                    let to = cx.outputs[self.output].add((unit * x.height + row) * x.width);
                    let from = cx.at(x.at(image, channel / x.lanes, row, 0) + channel % x.lanes);
                    for column in 0..x.width {
                        *to.add(column) = *from.add(column * x.lanes);
                    }
                }
            }
        }
    }
}
