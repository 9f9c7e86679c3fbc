//! Between the caller's arrays and maps.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, ensure};
use crate::cpu::micro::reorder::Planes;

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

impl Operation for Import {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        memory.any_map(&self.y)?;
        ensure(
            self.y.values() == memory.input,
            "not the shape of the input",
        )
    }

    /// # Safety
    ///
    /// The map is within the arena, and the caller's array has as many elements.
    unsafe fn run(&self, cx: &Context) {
        let y = &cx.at_micro_batch(&self.y);
        let area = y.height * y.width;
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            let first = block * y.lanes;
            let channels = (y.channels - first).min(y.lanes);
            let planes = (cx.first + image) * y.channels + first;
            for (row, pixels) in runs(y, rows) {
                unsafe {
                    let from = cx.input.add(planes * area + row * y.width);
                    let to = cx.at(y.at(image, block, row, 0));
                    if y.lanes == 1 {
                        to.copy_from_nonoverlapping(from, pixels);
                        continue;
                    }
                    (cx.kernels.reorder_to_blocked)(&Planes {
                        planes: from,
                        plane: area,
                        block: to,
                        lanes: y.lanes,
                        channels,
                        pixels,
                    });
                    // Lanes after the last channel.
                    if channels < y.lanes {
                        for pixel in 0..pixels {
                            let rest = to.add(pixel * y.lanes + channels);
                            rest.write_bytes(0, y.lanes - channels);
                        }
                    }
                }
            }
        }
    }
}

/// Adjacent pixels of these rows: where they begin, and how many there are.
fn runs(map: &Map, rows: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let together = match map.is_dense() {
        true => rows.len().max(1),
        false => 1,
    };
    let pixels = together * map.width;
    rows.step_by(together).map(move |row| (row, pixels))
}

impl Operation for Export {
    fn accesses(&self) -> AccessSet {
        AccessSet::output(&self.x, self.output)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        memory.any_map(&self.x)?;
        let output = memory.outputs.get(self.output);
        ensure(
            output == Some(&self.x.values()),
            "not the shape of the output",
        )
    }

    /// # Safety
    ///
    /// As [`Import::run`].
    unsafe fn run(&self, cx: &Context) {
        let x = &cx.at_micro_batch(&self.x);
        let area = x.height * x.width;
        for (image, block, rows) in cx.claim_rows(x) {
            let first = block * x.lanes;
            let planes = (cx.first + image) * x.channels + first;
            for (row, pixels) in runs(x, rows) {
                unsafe {
                    let from = cx.at(x.at(image, block, row, 0)).cast_const();
                    let to = cx.outputs[self.output].add(planes * area + row * x.width);
                    if x.lanes == 1 {
                        to.copy_from_nonoverlapping(from, pixels);
                        continue;
                    }
                    (cx.kernels.reorder_to_planar)(&Planes {
                        planes: to,
                        plane: area,
                        block: from,
                        lanes: x.lanes,
                        channels: (x.channels - first).min(x.lanes),
                        pixels,
                    });
                }
            }
        }
    }
}
