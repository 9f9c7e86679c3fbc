//! Transform and packing of weights: in `f64` once for inference, or in `f32` by several threads
//! for one run in training.

use super::Winograd;
use super::matrices::Matrices;
use crate::cpu::layout::Taps;
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::winograd::WeightArgs;
use crate::threads::{Shared, TeamPart, run_team};

impl Winograd {
    /// Transforms and packs `weights`, `[out, in, height, width]`, and `bias`, as `[group of output
    /// blocks, tile element, pair of output blocks, input channel, output block, lane]`, each group
    /// after its bias. This is the order in which a run reads them.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        let lanes = self.output.y.lanes;
        let [inputs, kernel] = [self.tile.inputs(), self.tile.kernel()];
        let matrices = Matrices::of(self.tile);
        let channels = self.spec.channels_in;
        for pair in 0..self.output.y.blocks().div_ceil(2) {
            let at = self.packed(pair);
            let first = 2 * pair * lanes;
            for (lane, packed) in packed[at.bias..][..at.outs].iter_mut().enumerate() {
                *packed = bias
                    .and_then(|bias| bias.get(first + lane))
                    .copied()
                    .unwrap_or(0.0);
            }
            for out in 0..at.outs {
                for channel in 0..channels {
                    let mut offset = at.weights + channel * at.outs + out;
                    if first + out >= self.spec.channels_out {
                        for _ in 0..self.elements() {
                            packed[offset] = 0.0;
                            offset += at.element;
                        }
                        continue;
                    }
                    let start = ((first + out) * channels + channel) * kernel * kernel;
                    let g = &weights[start..start + kernel * kernel];
                    let mut half = [[0.0; 5]; 6];
                    for i in 0..inputs {
                        for x in 0..kernel {
                            half[i][x] = (0..kernel)
                                .map(|y| matrices.weight[i][y] * f64::from(g[y * kernel + x]))
                                .sum();
                        }
                    }
                    for row in &half[..inputs] {
                        for j in 0..inputs {
                            let value: f64 =
                                (0..kernel).map(|x| row[x] * matrices.weight[j][x]).sum();
                            packed[offset] = value as f32;
                            offset += at.element;
                        }
                    }
                }
            }
        }
    }

    /// Offsets of a pair of output blocks in the packed weights.
    pub(crate) fn packed(&self, pair: usize) -> PackedPair {
        let y = &self.output.y;
        let group = pair / self.pairs() * self.pairs();
        let outs = |from: usize, pairs: usize| (y.blocks() - 2 * from).min(2 * pairs) * y.lanes;
        let [first, before] = [group, pair - group].map(|pairs| 2 * pairs * y.lanes);
        let start = self.weights + first * (1 + self.elements() * self.spec.channels_in);
        let all = outs(group, self.pairs());
        PackedPair {
            bias: start + before,
            weights: start + all + before * self.spec.channels_in,
            element: all * self.spec.channels_in,
            outs: outs(pair, 1),
        }
    }

    /// Transforms and packs `taps` and `bias` on `threads` threads.
    ///
    /// # Panics
    ///
    /// When the taps are not this convolution's, or `packed` is too short.
    pub(crate) fn pack_once(
        &self,
        threads: usize,
        kernels: &Kernels,
        taps: &Taps,
        bias: Option<&[f32]>,
        packed: &mut [f32],
    ) {
        let len = Self::packed_len(self.tile, &self.spec, self.output.y.lanes);
        assert!(
            taps.values.len() == self.spec.weights() && packed.len() >= self.weights + len,
            "the taps are not this convolution's, or `packed` is too short"
        );
        let packed = Shared::new(packed);
        run_team(threads, &|part| {
            self.pack_range(part, kernels, taps, bias, packed)
        });
    }

    fn pack_range(
        &self,
        part: TeamPart,
        kernels: &Kernels,
        taps: &Taps,
        bias: Option<&[f32]>,
        packed: Shared,
    ) {
        let lanes = self.output.y.lanes;
        let matrices = Matrices::of(self.tile);
        let matrix = matrices.weight.map(|row| row.map(|entry| entry as f32));
        let blocks = self.output.y.blocks();
        let depth = self.spec.channels_in;
        for pair in part.static_range(blocks.div_ceil(2)) {
            let at = self.packed(pair);
            let first = 2 * pair * lanes;
            // SAFETY: `packed` has elements for all pairs, this thread alone writes this pair, and
            // `taps` holds the weights that are read.
            unsafe {
                for lane in 0..at.outs {
                    let bias = bias.and_then(|bias| bias.get(first + lane));
                    *packed.at(at.bias + lane) = bias.copied().unwrap_or(0.0);
                }
                for block in (0..at.outs).step_by(lanes) {
                    let left = self.spec.channels_out.saturating_sub(first + block);
                    (kernels.winograd_weights.get(self.tile))(&WeightArgs {
                        values: match left {
                            0 => std::ptr::null(),
                            _ => taps.values[taps.pair(first + block, 0)..].as_ptr(),
                        },
                        out: taps.out,
                        channel: taps.channel,
                        reversed: taps.reversed,
                        outs: left.min(lanes),
                        channels: depth,
                        matrix,
                        to: packed.at(at.weights + block),
                        to_channel: at.outs,
                        to_element: at.element,
                    });
                }
            }
        }
    }
}

/// Offsets of a pair of output blocks in the packed weights.
pub(crate) struct PackedPair {
    /// Offset of the bias, and of the weights of the first tile element.
    pub bias: usize,
    pub weights: usize,
    /// Stride from the weights of one tile element to those of the next.
    pub element: usize,
    /// Output channels of the pair.
    pub outs: usize,
}
