//! Packing of weights: once for inference, or by several threads for one run of a convolution of
//! one group in training.

use std::ops::Range;

use super::{Direct, OutputGroup};
use crate::cpu::layout::Taps;
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::reorder::Planes;
use crate::threads::{Shared, run_team};

impl Direct {
    /// Packs `weights`, `[out, in / groups, height, width]`, and `bias`.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        let lanes = self.output.y.lanes;
        let step = self.x.lanes;
        let spec = &self.spec;
        let taps = spec.kernel[0] * spec.kernel[1];
        let group_in = spec.channels_in / spec.groups;
        if self.pixels == 2 {
            return self.pack_pairs(&Taps::new(spec, weights), bias, packed);
        }
        for group in &self.groups {
            let mut to = self.weights + group.weights;
            let outs = group.block * lanes..(group.block + group.blocks) * lanes;
            for out in outs.clone() {
                packed[to] = bias.and_then(|bias| bias.get(out)).copied().unwrap_or(0.0);
                to += 1;
            }
            let first = group.first * step;
            for block in (first..first + group.channels).step_by(step) {
                let channels = block..(block + step).min(first + group.channels);
                for tap in 0..taps {
                    for channel in channels.clone() {
                        for (lane, out) in outs.clone().enumerate() {
                            packed[to + lane] = if spec.groups == 1 && out < spec.channels_out {
                                weights[(out * group_in + channel) * taps + tap]
                            } else {
                                spec.weight(weights, out, channel, tap)
                            };
                        }
                        to += outs.len();
                    }
                }
            }
        }
        packed[self.unused()].fill(0.0);
    }

    /// As [`pack`](Self::pack), from `taps`, on `threads` threads.
    ///
    /// # Panics
    ///
    /// When the taps are not this convolution's, there are several groups, or `packed` is too
    /// short.
    pub(crate) fn pack_once(
        &self,
        threads: usize,
        kernels: &Kernels,
        taps: &Taps,
        bias: Option<&[f32]>,
        packed: &mut [f32],
    ) {
        let lanes = self.output.y.lanes;
        let len = Self::packed_len(&self.spec, self.x.lanes, lanes);
        assert!(
            self.spec.groups == 1
                && taps.values.len() == self.spec.weights()
                && packed.len() >= self.weights + len,
            "the taps are not this convolution's, or `packed` is too short"
        );
        if self.pixels == 2 {
            return self.pack_pairs(taps, bias, packed);
        }
        packed[self.unused()].fill(0.0);
        let packed = Shared::new(packed);
        run_team(threads, &|part| {
            for index in part.static_range(self.groups.len()) {
                let group = &self.groups[index];
                let outs = group.blocks * lanes;
                // SAFETY: `packed` has elements for all groups, and this thread alone writes this
                // one.
                unsafe {
                    let to = packed.at(self.weights + group.weights);
                    for lane in 0..outs {
                        let bias = bias.and_then(|bias| bias.get(group.block * lanes + lane));
                        *to.add(lane) = bias.copied().unwrap_or(0.0);
                    }
                    self.pack_group(kernels, taps, group, outs, to.add(outs));
                }
            }
        });
    }

    /// Elements that are needed only if two pixels share a vector.
    fn unused(&self) -> Range<usize> {
        let lanes = self.output.y.lanes;
        let used = self
            .groups
            .last()
            .map_or(0, |last| last.weights + last.len(self.kernel(), lanes));
        self.weights + used..self.weights + Self::packed_len(&self.spec, self.x.lanes, lanes)
    }

    /// Packs weights and biases for two pixels per vector: the kernel of the second pixel is
    /// shifted by the stride.
    fn pack_pairs(&self, taps: &Taps, bias: Option<&[f32]>, packed: &mut [f32]) {
        let Self { spec, x, .. } = self;
        let lanes = self.output.y.lanes;
        let [rows, columns] = self.kernel();
        let half = lanes / 2;
        let outs = |pixel: usize| (0..spec.channels_out).map(move |out| (out, pixel * half + out));
        let (biases, mut rest) = packed[self.weights..].split_at_mut(lanes);
        biases.fill(0.0);
        for (out, lane) in (0..2).flat_map(outs) {
            biases[lane] = bias.and_then(|bias| bias.get(out)).copied().unwrap_or(0.0);
        }
        for block in (0..spec.channels_in).step_by(x.lanes) {
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |c| (row, c))) {
                for channel in block..(block + x.lanes).min(spec.channels_in) {
                    let (vector, after) = rest.split_at_mut(lanes);
                    rest = after;
                    vector.fill(0.0);
                    for pixel in 0..2 {
                        let column = column.wrapping_sub(pixel * spec.stride[1]);
                        if column < spec.kernel[1] {
                            for (out, lane) in outs(pixel) {
                                let tap = taps.tap(row * spec.kernel[1] + column);
                                vector[lane] = taps.values[taps.pair(out, channel) + tap];
                            }
                        }
                    }
                }
            }
        }
    }

    unsafe fn pack_group(
        &self,
        kernels: &Kernels,
        taps: &Taps,
        group: &OutputGroup,
        outs: usize,
        to: *mut f32,
    ) {
        let first = group.block * self.output.y.lanes;
        let present = (self.spec.channels_out - first).min(outs);
        let channels = self.spec.channels_in;
        // SAFETY: the elements belong to checked maps, and this thread alone writes them.
        unsafe {
            if present < outs {
                to.write_bytes(0, channels * taps.taps * outs);
            }
            if taps.taps == 1 && taps.channel == 1 {
                // SAFETY: there are as many planes and pixels as weights, and `to` has room for
                // all.
                return (kernels.reorder_to_blocked)(&Planes {
                    planes: taps.values[taps.pair(first, 0)..].as_ptr(),
                    plane: taps.out,
                    block: to,
                    lanes: outs,
                    channels: present,
                    pixels: channels,
                });
            }
            for block in (0..channels).step_by(self.x.lanes) {
                let count = (channels - block).min(self.x.lanes);
                let to = to.add(block * taps.taps * outs);
                for channel in 0..count {
                    if taps.taps == 1 && taps.out == 1 {
                        let from = &taps.values[taps.pair(first, block + channel)..][..present];
                        let to = to.add(channel * outs);
                        to.copy_from_nonoverlapping(from.as_ptr(), present);
                        continue;
                    }
                    for lane in 0..present {
                        let from = taps.pair(first + lane, block + channel);
                        let from = &taps.values[from..][..taps.taps];
                        for tap in 0..taps.taps {
                            let index = (tap * count + channel) * outs + lane;
                            *to.add(index) = from[taps.tap(tap)];
                        }
                    }
                }
            }
        }
    }
}
