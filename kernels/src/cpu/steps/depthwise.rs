//! Depthwise convolution: one kernel per channel, of any size, stride and dilation.
//!
//! Bias and taps of a block are vectors with a lane per channel. The taps of a 3x3 kernel stay in
//! registers for all rows of a block.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, ConvSpec, Map, Memory, Output, ensure};
use crate::cpu::micro::activation::Activation;
use crate::cpu::micro::depthwise::DepthwiseArgs;

/// A depthwise convolution with the offsets of its maps and weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Depthwise {
    spec: ConvSpec,
    x: Map,
    output: Output,
    /// Offset of the layer in the packed weights.
    weights: usize,
}

impl Depthwise {
    /// The convolution `spec` of `x`, with its weights packed from element `weights` on. `x` has at
    /// least the border that `spec` pads by. All maps are in blocks of a vector's lanes.
    pub fn new(spec: ConvSpec, x: Map, output: Output, weights: usize) -> Self {
        Self {
            spec,
            x,
            output,
            weights,
        }
    }

    /// Elements of the packed weights of `spec` for maps in blocks of `lanes` channels.
    pub fn packed_len(spec: &ConvSpec, lanes: usize) -> usize {
        spec.channels_out.div_ceil(lanes) * block_len(spec, lanes)
    }

    /// Packs `weights`, `[channels, 1, height, width]`, and `bias` as `[block, bias and taps,
    /// lane]`.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        let lanes = self.output.y.lanes;
        let taps = self.spec.kernel[0] * self.spec.kernel[1];
        let packed = &mut packed[self.weights..][..Self::packed_len(&self.spec, lanes)];
        for (block, packed) in packed.chunks_exact_mut((1 + taps) * lanes).enumerate() {
            for lane in 0..lanes {
                let channel = block * lanes + lane;
                packed[lane] = bias
                    .and_then(|bias| bias.get(channel))
                    .copied()
                    .unwrap_or(0.0);
                for tap in 0..taps {
                    let weight = weights.get(channel * taps + tap);
                    packed[(1 + tap) * lanes + lane] = weight.copied().unwrap_or(0.0);
                }
            }
        }
    }

    /// Checks that `spec` is depthwise and that its packed weights lie within `memory`.
    pub(crate) fn check_weights(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self { spec, weights, .. } = self;
        ensure(
            [spec.channels_in, spec.channels_out] == [spec.groups; 2],
            "the convolution is not depthwise",
        )?;
        let taps = spec.kernel[0].checked_mul(spec.kernel[1]);
        let one = ConvSpec {
            channels_in: 1,
            ..*spec
        };
        let len = taps.and_then(|taps| one.most_packed(memory.lanes, taps));
        memory.weights(*weights, len)
    }

    /// Computes rows of a block and writes them from address `to.0` on, `to.1` elements apart. Adds
    /// the residual, which has the same layout, unless it is null.
    ///
    /// # Safety
    ///
    /// As [`run`](Operation::run); `to` and `residual` point to as many rows.
    pub(crate) unsafe fn rows(
        &self,
        cx: &Context,
        [image, block]: [usize; 2],
        rows: Range<usize>,
        to: (*mut f32, usize),
        residual: (*const f32, usize),
    ) {
        let Self {
            spec, x, output, ..
        } = self;
        let x = &cx.at_micro_batch(x);
        let weights = &cx.weights[self.weights + block * block_len(spec, x.lanes)..];
        // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
        // writes them.
        unsafe {
            (cx.kernels
                .depthwise
                .get(spec.kernel, spec.dilation[1], spec.stride[1]))(&DepthwiseArgs {
                x: cx.at(first_tap(spec, x, image, block, rows.start)),
                x_row: spec.stride[0] * x.row,
                x_pixel: spec.stride[1] * x.lanes,
                kernel: spec.kernel,
                x_tap: [spec.dilation[0] * x.row, spec.dilation[1] * x.lanes],
                x_block: x.block,
                weights: weights.as_ptr(),
                y: to.0,
                y_row: to.1,
                rows: rows.len(),
                width: output.y.width,
                residual: residual.0,
                residual_row: residual.1,
                activation: output.activation,
            });
        }
    }

    /// Convolution, input map, activation, and offset of the packed weights.
    pub(crate) fn parts(&self) -> (&ConvSpec, &Map, Activation, usize) {
        (&self.spec, &self.x, self.output.activation, self.weights)
    }

    /// Multiply-adds of an output element.
    pub(crate) fn taps(&self) -> usize {
        self.spec.kernel[0] * self.spec.kernel[1]
    }
}

impl Operation for Depthwise {
    fn accesses(&self) -> AccessSet {
        AccessSet::layer(&self.x, &self.output)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            spec, x, output, ..
        } = self;
        memory.map(x)?;
        memory.output(output, x)?;
        spec.check(x, &output.y)?;
        self.check_weights(memory)
    }

    unsafe fn run(&self, cx: &Context) {
        let Output { y, residual, .. } = &cx.output_at_micro_batch(&self.output);
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            // SAFETY: the elements belong to checked maps, and this thread alone writes them.
            let at = |map: &Map| unsafe { cx.at(map.at(image, block, rows.start, 0)) };
            let to = (at(y), y.row);
            let residual = residual.map_or((std::ptr::null(), 0), |map| {
                (at(&map).cast_const(), map.row)
            });
            // SAFETY: as the caller guarantees.
            unsafe { self.rows(cx, [image, block], rows, to, residual) };
        }
    }
}

/// Elements of the packed weights of one block.
fn block_len(spec: &ConvSpec, lanes: usize) -> usize {
    (1 + spec.kernel[0] * spec.kernel[1]) * lanes
}

/// Offset in the arena of the first window of an output row.
fn first_tap(spec: &ConvSpec, x: &Map, image: usize, block: usize, row: usize) -> usize {
    let padding = spec.padding.top * x.row + spec.padding.left * x.lanes;
    x.at(image, block, row * spec.stride[0], 0) - padding
}
