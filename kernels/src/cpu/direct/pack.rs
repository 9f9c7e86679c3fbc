//! Packing in every step of training: as [`Direct::pack`], by several threads, of one group.

use super::super::gradient::Shared;
use super::super::kernels::Kernels;
use super::super::taps::Taps;
use super::super::transpose::Planes;
use super::{Direct, Group};
use crate::plan::crew;

impl Direct {
    /// Packs `taps` and `bias` on `threads` threads.
    ///
    /// # Panics
    ///
    /// When the taps are another convolution's, there are several groups, or `packed` is too short.
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
            "another convolution's weights, or no room for them"
        );
        if self.pixels == 2 {
            return self.pack_pairs(
                |out| bias.map_or(0.0, |bias| bias[out]),
                |out, channel, tap| taps.values[taps.pair(out, channel) + taps.tap(tap)],
                &mut packed[self.weights..],
            );
        }
        packed[self.unused()].fill(0.0);
        let packed = Shared::new(packed);
        crew(threads, &|crew| {
            for index in crew.share(self.groups.len()) {
                let group = &self.groups[index];
                let outs = group.blocks * lanes;
                // SAFETY: there is room for all groups, and this one is this thread's.
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

    unsafe fn pack_group(
        &self,
        kernels: &Kernels,
        taps: &Taps,
        group: &Group,
        outs: usize,
        to: *mut f32,
    ) {
        let first = group.block * self.output.y.lanes;
        let there = (self.spec.channels_out - first).min(outs);
        let channels = self.spec.channels_in;
        unsafe {
            if there < outs {
                to.write_bytes(0, channels * taps.taps * outs);
            }
            if taps.taps == 1 && taps.channel == 1 {
                // SAFETY: as many planes and pixels as there are weights and room.
                return (kernels.gather)(&Planes {
                    planes: taps.values[taps.pair(first, 0)..].as_ptr(),
                    plane: taps.out,
                    block: to,
                    lanes: outs,
                    channels: there,
                    pixels: channels,
                });
            }
            for block in (0..channels).step_by(self.x.lanes) {
                let count = (channels - block).min(self.x.lanes);
                let to = to.add(block * taps.taps * outs);
                for channel in 0..count {
                    if taps.taps == 1 && taps.out == 1 {
                        let from = &taps.values[taps.pair(first, block + channel)..][..there];
                        let to = to.add(channel * outs);
                        to.copy_from_nonoverlapping(from.as_ptr(), there);
                        continue;
                    }
                    for lane in 0..there {
                        let from = taps.pair(first + lane, block + channel);
                        let from = &taps.values[from..][..taps.taps];
                        for tap in 0..taps.taps {
                            let place = (tap * count + channel) * outs + lane;
                            *to.add(place) = from[taps.tap(tap)];
                        }
                    }
                }
            }
        }
    }
}
