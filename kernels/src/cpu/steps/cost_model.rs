//! How long a convolution takes, as far as that decides between algorithms.
//!
//! Measured on a Zen 4 server core with 512-bit vectors, and on a Zen 3 one whose vectors of 256 bits
//! are multiplied two at a time; what matters on other machines is the ratios.
//!
//! A convolution multiplies, transforms tiles (Winograd alone) and reads its packed weights, once for
//! every group of pixels whose inputs stay in a core's cache. Weights that the last-level cache holds,
//! with those of all other layers, come from there; others come from memory. Arithmetic and reading
//! overlap, but not entirely.

use super::algorithm::Algorithm;
use super::fully_connected::FullyConnected;
use crate::cpu::layout::ConvSpec;
use crate::cpu::micro::blocking::Blocking;
use crate::cpu::micro::simd::Isa;
use crate::cpu::micro::winograd::WinogradTile;

/// Multiply-adds of a thread per second, whatever the length of a vector.
const MULTIPLY_ADDS: f64 = 56e9;
/// Seconds to transform a tile of 6x6 inputs or outputs, and of 4x4: of vectors of 16 elements, and
/// of shorter ones.
const LARGE_TRANSFORM: [f64; 2] = [100e-9, 70e-9];
const SMALL_TRANSFORM: [f64; 2] = [28e-9, 20e-9];
/// Seconds to unpack a vector of weights: where waiting for them hides most of it; and where it does not, for a core's
/// own cache holds them, or they are vectors of less than 8 elements, which take as many instructions (by reckoning).
const UNPACK: [f64; 2] = [0.2e-9, 0.5e-9];
/// Bytes that all threads together read per second from memory, and from the last-level cache.
const MEMORY: f64 = 28e9;
const CACHE: f64 = 90e9;
/// Bytes of packed weights that all threads together write per second: each is fetched and written back, and
/// what it is made of is read, at the rate of memory.
const PACKED: f64 = MEMORY / 2.5;
/// Bytes of a core's own cache.
const CORE_BYTES: usize = 1 << 20;
/// Bytes of the last-level cache.
const CACHE_BYTES: usize = 32 << 20;
/// Threads, whatever a plan runs on: a choice that followed their number would make the result's last
/// bits follow it too.
const THREADS: usize = 2;
/// How much of the shorter of arithmetic and reading the longer does not hide.
const EXPOSED: f64 = 0.8;

/// A convolution where it stands.
#[derive(Debug, Clone, Copy)]
pub struct ConvWorkload {
    /// What is computed.
    pub spec: ConvSpec,
    /// Height and width.
    pub output: [usize; 2],
    /// Those that pass it together.
    pub images: usize,
    /// Channels of a block.
    pub lanes: usize,
    /// How work is cut.
    pub blocking: Blocking,
    /// Whether the other layers' weights push this one's out of the last-level cache.
    pub weights_from_dram: bool,
    /// Whether the weights are packed for this run alone.
    pub packs_per_run: bool,
}

impl ConvWorkload {
    /// One image whose output is `output`, on `isa`, with weights that stay in the last-level cache.
    ///
    /// # Panics
    ///
    /// Where this machine lacks `isa`.
    pub fn new(spec: ConvSpec, output: [usize; 2], isa: Isa) -> Self {
        Self {
            spec,
            output,
            images: 1,
            lanes: isa.lanes(),
            blocking: isa.blocking(),
            weights_from_dram: false,
            packs_per_run: false,
        }
    }

    /// Elements of the weights that `algorithm` packs.
    pub fn packed(&self, algorithm: Algorithm) -> usize {
        let Self { spec, lanes, .. } = self;
        let elements = match algorithm {
            Algorithm::Direct | Algorithm::Depthwise => spec.kernel[0] * spec.kernel[1],
            Algorithm::Winograd(tile) => tile.inputs() * tile.inputs(),
            Algorithm::FullyConnected => return FullyConnected::packed_len(spec, *lanes),
        };
        spec.channels_out.next_multiple_of(*lanes) * (spec.channels_in / spec.groups) * elements
    }

    /// Whether so many elements of packed weights are more than the last-level cache holds, so that each layer's
    /// come from memory again.
    pub fn exceeds_cache(weights: usize) -> bool {
        4 * weights > CACHE_BYTES
    }

    /// Seconds that one run takes.
    pub fn seconds(&self, algorithm: Algorithm) -> f64 {
        let Self { spec, lanes, .. } = self;
        let vectors = spec.channels_out.div_ceil(*lanes);
        let seconds = |products: usize| (products * lanes) as f64 / MULTIPLY_ADDS;
        let pixels = self.images * self.output[0] * self.output[1];
        let taps = spec.kernel[0] * spec.kernel[1];
        let depth = spec.channels_in / spec.groups;
        let (arithmetic, passes) = match algorithm {
            Algorithm::Direct | Algorithm::Depthwise => {
                let multiplied = seconds(pixels * vectors * depth * taps);
                let seen: usize = (0..2).map(|i| spec.stride[i].min(spec.kernel[i])).product();
                let parts = self.blocking.parts(depth, *lanes, taps, *lanes);
                let passes = pixels * spec.channels_in * seen / self.blocking.chunk(parts) + 1;
                (multiplied, passes)
            }
            // Every image unpacks all of them.
            Algorithm::FullyConnected => {
                let weights = vectors * depth * taps;
                let hidden = *lanes >= 8 && 4 * weights * lanes > CORE_BYTES;
                let unpacked = (self.images * weights) as f64 * UNPACK[usize::from(!hidden)];
                (seconds(self.images * weights) + unpacked, self.images)
            }
            Algorithm::Winograd(tile) => {
                let [rows, columns] = tile.tiles(self.output);
                let tiles = self.images * rows * columns;
                let elements = tile.inputs() * tile.inputs();
                let multiplied = seconds(tiles * elements * vectors * depth);
                let transform = match tile {
                    WinogradTile::Two => SMALL_TRANSFORM,
                    WinogradTile::Four | WinogradTile::TwoOfFive => LARGE_TRANSFORM,
                };
                let transformed = (tiles * (depth.div_ceil(*lanes) + vectors)) as f64
                    * transform[usize::from(*lanes < 16)];
                let tiles_per_round = tile.tiles_per_round(depth, self.output, self.blocking);
                let passes = tiles.div_ceil(tiles_per_round);
                (multiplied + transformed, passes)
            }
        };
        let weights = self.packed(algorithm);
        let arithmetic = arithmetic / THREADS as f64;
        let reading = self.reading(4 * weights, passes);
        let packing = match self.packs_per_run {
            true => (4 * weights) as f64 / PACKED,
            false => 0.0,
        };
        packing + arithmetic.max(reading) + EXPOSED * arithmetic.min(reading)
    }

    /// Seconds to read `bytes` of weights `passes` times.
    fn reading(&self, bytes: usize, passes: usize) -> f64 {
        let all = (bytes * passes) as f64;
        // What the cache cannot hold comes from memory every time.
        let missed = bytes.saturating_sub(CACHE_BYTES);
        let first = if self.weights_from_dram {
            bytes
        } else {
            missed
        };
        let from_memory = (first + (passes - 1) * missed) as f64;
        from_memory / MEMORY + (all - from_memory) / CACHE
    }

    /// The fastest of `candidates`.
    pub fn fastest(&self, candidates: &[Algorithm]) -> Option<Algorithm> {
        candidates
            .iter()
            .copied()
            .min_by(|&a, &b| self.seconds(a).total_cmp(&self.seconds(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{Border, Direct, Winograd};

    const TWO: Algorithm = Algorithm::Winograd(WinogradTile::Two);
    const FOUR: Algorithm = Algorithm::Winograd(WinogradTile::Four);

    fn workload(channels: usize, size: usize, weights_from_dram: bool) -> ConvWorkload {
        ConvWorkload {
            spec: ConvSpec {
                channels_in: channels,
                channels_out: channels,
                kernel: [3, 3],
                stride: [1, 1],
                padding: Border {
                    top: 1,
                    bottom: 1,
                    left: 1,
                    right: 1,
                },
                dilation: [1, 1],
                groups: 1,
            },
            output: [size, size],
            images: 1,
            lanes: 16,
            blocking: Blocking {
                mr: 14,
                mr_single: 14,
                kc_nr: 40 << 10,
                mc_kc: 256 << 10,
            },
            weights_from_dram,
            packs_per_run: false,
        }
    }

    #[test]
    fn weights_are_as_many_as_are_packed() {
        let workload = workload(40, 14, false);
        let (spec, lanes) = (&workload.spec, workload.lanes);
        let biases = 48;
        assert_eq!(
            workload.packed(Algorithm::Direct) + biases,
            Direct::packed_len(spec, lanes, lanes)
        );
        assert_eq!(
            workload.packed(FOUR) + biases,
            Winograd::packed_len(WinogradTile::Four, spec, lanes)
        );
    }

    /// Billions of the definition's operations per second, by the clock and by the model.
    #[test]
    fn the_model_is_near_what_was_measured() {
        for (channels, size, measured) in [
            (64, 224, [610.0, 385.0, 222.0]),
            (64, 56, [728.0, 435.0, 229.0]),
            (128, 28, [764.0, 451.0, 233.0]),
            (256, 56, [778.0, 476.0, 227.0]),
            (512, 28, [758.0, 460.0, 224.0]),
            (256, 14, [609.0, 470.0, 226.0]),
            (512, 14, [591.0, 474.0, 226.0]),
        ] {
            let workload = workload(channels, size, false);
            let operations = 2.0 * workload.spec.multiply_adds(workload.output) as f64;
            for (algorithm, measured) in [FOUR, TWO, Algorithm::Direct].into_iter().zip(measured) {
                let modelled = operations / workload.seconds(algorithm) / 1e9;
                let ratio = modelled / measured;
                assert!(
                    (0.65..1.35).contains(&ratio),
                    "{channels}@{size} {}: {modelled:.0} for {measured}",
                    algorithm.name()
                );
            }
        }
    }

    #[test]
    fn weights_from_memory_make_small_tiles_worth_while() {
        let fastest = |channels, size, weights_from_dram| {
            workload(channels, size, weights_from_dram).fastest(&[Algorithm::Direct, TWO, FOUR])
        };
        assert_eq!(fastest(64, 56, true), Some(FOUR));
        assert_eq!(fastest(256, 14, false), Some(FOUR));
        assert_eq!(fastest(512, 7, true), Some(TWO));
        let batch = ConvWorkload {
            images: 16,
            ..workload(512, 14, true)
        };
        let direct = batch.seconds(Algorithm::Direct);
        assert!(batch.seconds(TWO) < direct);
        assert_eq!(
            workload(4, 5, false).fastest(&[Algorithm::Direct]),
            Some(Algorithm::Direct)
        );
    }
}
