//! Cost model: the predicted time of a convolution by each algorithm, which decides the algorithm.
//!
//! A convolution multiplies, transforms tiles (Winograd only), and reads its packed weights once
//! for every group of pixels whose inputs stay in a core's cache. Weights come from the last-level
//! cache if it holds the weights of all layers, otherwise from DRAM. Arithmetic and reads overlap
//! partly.
//!
//! The rates of [`CostModel::FITTED`] are fitted to measurements; see `benchmarks/README.md`. Only ratios
//! between algorithms matter, so one set of rates serves all processors.

use super::algorithm::Algorithm;
use super::fully_connected::FullyConnected;
use crate::cpu::layout::ConvSpec;
use crate::cpu::micro::blocking::Blocking;
use crate::cpu::micro::simd::Isa;
use crate::cpu::micro::winograd::WinogradTile;

/// Rates and sizes of a machine that decide between algorithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostModel {
    /// Multiply-adds per second of a thread, whatever the length of vectors.
    pub fmas_per_second: f64,
    /// Seconds to transform a vector of Winograd tiles of 6x6 elements: with 16 lanes, and with
    /// fewer.
    pub transform_6x6_seconds: [f64; 2],
    /// Seconds to transform a vector of Winograd tiles of 4x4 elements: with 16 lanes, and with
    /// fewer.
    pub transform_4x4_seconds: [f64; 2],
    /// Seconds to unpack a vector of 24-bit weights: if the time of reading them hides most of it,
    /// and if it does not, because a core's cache holds the weights or vectors have fewer than 8
    /// lanes.
    pub unpack_seconds: [f64; 2],
    /// Bytes per second that all threads together read from DRAM.
    pub dram_bytes_per_second: f64,
    /// Bytes per second that all threads together read from the last-level cache.
    pub llc_bytes_per_second: f64,
    /// Bytes of DRAM traffic per byte of packed weights: packing reads the weights, and fetches and
    /// writes back the lines of the result.
    pub packing_traffic: f64,
    /// Bytes of a core's private cache.
    pub private_cache_bytes: usize,
    /// Bytes of the last-level cache.
    pub llc_bytes: usize,
    /// Fraction of the shorter of arithmetic and reads that the longer does not hide.
    pub exposed_fraction: f64,
}

impl CostModel {
    /// The rates that the compiler uses: a fit to the committed measurements; see
    /// `benchmarks/README.md`.
    pub const FITTED: Self = Self {
        fmas_per_second: 56e9,
        transform_6x6_seconds: [100e-9, 70e-9],
        transform_4x4_seconds: [28e-9, 80e-9],
        unpack_seconds: [0.2e-9, 0.5e-9],
        dram_bytes_per_second: 28e9,
        llc_bytes_per_second: 90e9,
        packing_traffic: 2.5,
        private_cache_bytes: 1 << 20,
        llc_bytes: 32 << 20,
        exposed_fraction: 0.8,
    };

    /// Threads that the model assumes, whatever a plan runs on: a choice that depended on the
    /// number of threads would make the last bits of results depend on it too.
    const THREADS: usize = 2;

    /// The fastest of each convolution's candidates, for convolutions that run one after the other.
    ///
    /// Weights come from DRAM if the last-level cache does not hold the packed weights of all
    /// convolutions.
    pub fn choose(
        &self,
        convolutions: &[(ConvWorkload, Vec<Algorithm>)],
    ) -> Vec<Option<Algorithm>> {
        let weights_from_dram = self.exceeds_llc(convolutions);
        (convolutions.iter())
            .map(|convolution| self.fastest_in_context(convolution, weights_from_dram))
            .collect()
    }

    /// Whether the packed weights of all `convolutions`, by the algorithms that are fastest with cached
    /// weights, exceed the last-level cache.
    pub fn exceeds_llc(&self, convolutions: &[(ConvWorkload, Vec<Algorithm>)]) -> bool {
        let packed: usize = (convolutions.iter())
            .map(|convolution| {
                let algorithm = self.fastest_in_context(convolution, false);
                algorithm.map_or(0, |algorithm| convolution.0.packed(algorithm))
            })
            .sum();
        4 * packed > self.llc_bytes
    }

    fn fastest_in_context(
        &self,
        (workload, candidates): &(ConvWorkload, Vec<Algorithm>),
        weights_from_dram: bool,
    ) -> Option<Algorithm> {
        let workload = ConvWorkload {
            weights_from_dram,
            ..*workload
        };
        self.fastest(&workload, candidates)
    }

    /// The fastest of `candidates`.
    pub fn fastest(&self, workload: &ConvWorkload, candidates: &[Algorithm]) -> Option<Algorithm> {
        candidates.iter().copied().min_by(|&a, &b| {
            self.seconds(workload, a)
                .total_cmp(&self.seconds(workload, b))
        })
    }

    /// Predicted seconds of `workload` by `algorithm`.
    pub fn seconds(&self, workload: &ConvWorkload, algorithm: Algorithm) -> f64 {
        let ConvWorkload {
            spec,
            output,
            images,
            lanes,
            blocking,
            packs_per_run,
            ..
        } = *workload;
        let vectors = spec.channels_out.div_ceil(lanes);
        let seconds = |products: usize| (products * lanes) as f64 / self.fmas_per_second;
        let pixels = images * output[0] * output[1];
        let taps = spec.kernel[0] * spec.kernel[1];
        let depth = spec.channels_in / spec.groups;
        let (arithmetic, passes) = match algorithm {
            Algorithm::Direct | Algorithm::Depthwise => {
                let multiplied = seconds(pixels * vectors * depth * taps);
                let read: usize = (0..2).map(|i| spec.stride[i].min(spec.kernel[i])).product();
                let parts = blocking.parts(depth, lanes, taps, lanes);
                let passes = pixels * spec.channels_in * read / blocking.chunk(parts) + 1;
                (multiplied, passes)
            }
            // Every image unpacks all weights.
            Algorithm::FullyConnected => {
                let weights = vectors * depth * taps;
                let hidden = lanes >= 8 && 4 * weights * lanes > self.private_cache_bytes;
                let unpack_seconds = self.unpack_seconds[usize::from(!hidden)];
                let unpacked = (images * weights) as f64 * unpack_seconds;
                (seconds(images * weights) + unpacked, images)
            }
            Algorithm::Winograd(tile) => {
                let [rows, columns] = tile.tiles(output);
                let tiles = images * rows * columns;
                let elements = tile.inputs() * tile.inputs();
                let multiplied = seconds(tiles * elements * vectors * depth);
                let transform = match tile {
                    WinogradTile::Two => self.transform_4x4_seconds,
                    WinogradTile::Four | WinogradTile::TwoOfFive => self.transform_6x6_seconds,
                };
                let transformed = (tiles * (depth.div_ceil(lanes) + vectors)) as f64
                    * transform[usize::from(lanes < 16)];
                let round = tile.tiles_per_round(depth, output, blocking);
                let passes = tiles.div_ceil(round);
                (multiplied + transformed, passes)
            }
        };
        let weights = workload.packed(algorithm);
        let arithmetic = arithmetic / Self::THREADS as f64;
        let reading = self.reading(workload, 4 * weights, passes);
        let packing = match packs_per_run {
            true => (4 * weights) as f64 / (self.dram_bytes_per_second / self.packing_traffic),
            false => 0.0,
        };
        packing + arithmetic.max(reading) + self.exposed_fraction * arithmetic.min(reading)
    }

    /// Seconds to read `bytes` of weights `passes` times.
    fn reading(&self, workload: &ConvWorkload, bytes: usize, passes: usize) -> f64 {
        let all = (bytes * passes) as f64;
        // The bytes that exceed the cache are read from DRAM in every pass.
        let missed = bytes.saturating_sub(self.llc_bytes);
        let first = if workload.weights_from_dram {
            bytes
        } else {
            missed
        };
        let from_dram = (first + (passes - 1) * missed) as f64;
        from_dram / self.dram_bytes_per_second + (all - from_dram) / self.llc_bytes_per_second
    }
}

/// A convolution in its context.
#[derive(Debug, Clone, Copy)]
pub struct ConvWorkload {
    /// Convolution.
    pub spec: ConvSpec,
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Images of the micro-batch.
    pub images: usize,
    /// Channels of a block.
    pub lanes: usize,
    /// Block sizes of the instruction set.
    pub blocking: Blocking,
    /// Whether the weights of other layers evict this layer's from the last-level cache.
    pub weights_from_dram: bool,
    /// Whether the weights are packed for one run, as in training.
    pub packs_per_run: bool,
}

impl ConvWorkload {
    /// One image with an output of `output` on `isa`, with weights that stay in the last-level
    /// cache.
    ///
    /// # Panics
    ///
    /// When the processor lacks `isa`.
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

    /// Predicted seconds of one run by `algorithm`, with the [fitted](CostModel::FITTED) rates.
    pub fn seconds(&self, algorithm: Algorithm) -> f64 {
        CostModel::FITTED.seconds(self, algorithm)
    }

    /// The fastest of `candidates`, with the [fitted](CostModel::FITTED) rates.
    pub fn fastest(&self, candidates: &[Algorithm]) -> Option<Algorithm> {
        CostModel::FITTED.fastest(self, candidates)
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
    fn predicted_weights_are_those_that_are_packed() {
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

    /// Effective GFLOP/s of the direct algorithm: predicted, and measured on Zen 4 (AVX-512, two
    /// threads).
    #[test]
    fn predictions_are_near_measurements() {
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
    fn weights_from_dram_make_small_tiles_faster() {
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
