//! Reorders between the caller's arrays and maps.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, ensure};
use crate::cpu::micro::reorder::Planes;

/// Reorders the caller's images, `[images, channels, height, width]`, into a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// Destination.
    pub y: Map,
}

/// Reorders a map into one of the caller's arrays, `[images, channels, height, width]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// Source.
    pub x: Map,
    /// Index of the output array.
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
            "the map does not have the shape of the input",
        )
    }

    unsafe fn run(&self, cx: &Context) {
        let y = &cx.at_micro_batch(&self.y);
        let area = y.height * y.width;
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            let first = block * y.lanes;
            let channels = (y.channels - first).min(y.lanes);
            let planes = (cx.first + image) * y.channels + first;
            for (row, pixels) in runs(y, rows) {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
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
                    // Lanes beyond the last channel.
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

/// Runs of adjacent pixels of these rows: first row and number of pixels.
fn runs(map: &Map, rows: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let rows_per_run = match map.is_dense() {
        true => rows.len().max(1),
        false => 1,
    };
    let pixels = rows_per_run * map.width;
    rows.step_by(rows_per_run).map(move |row| (row, pixels))
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
            "the map does not have the shape of the output",
        )
    }

    unsafe fn run(&self, cx: &Context) {
        let x = &cx.at_micro_batch(&self.x);
        let area = x.height * x.width;
        for (image, block, rows) in cx.claim_rows(x) {
            let first = block * x.lanes;
            let planes = (cx.first + image) * x.channels + first;
            for (row, pixels) in runs(x, rows) {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
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
