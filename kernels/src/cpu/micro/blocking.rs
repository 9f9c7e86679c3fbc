//! Block sizes of the algorithms, in the sense of BLIS.

/// Block sizes that keep data near the multipliers, in the sense of BLIS (Van Zee & van de Geijn,
/// "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", 2015).
///
/// A convolution is a matrix product of `m` output pixels by `n` output channels over `k` taps of
/// input channels. The micro-kernel computes `mr` by `nr`, where `nr` is two blocks of channels. A
/// panel of `kc` by `nr` weights stays in L1 (or L2) while tile after tile reads it; `mc` by `kc`
/// inputs stay in L2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocking {
    /// Pixels of the largest tile of two blocks of outputs: as many accumulators as registers.
    pub mr: usize,
    /// Pixels of the largest tile of one block of outputs.
    pub mr_single: usize,
    /// `kc` times `nr`: elements of a weight panel that successive tiles read from the nearest
    /// cache.
    pub kc_nr: usize,
    /// `mc` times `kc`: elements of a core's private caches that an algorithm may use.
    pub mc_kc: usize,
}

impl Blocking {
    /// Elements of Winograd's transformed inputs of one round. They fit in the last-level cache
    /// beside the streamed weights.
    pub const WINOGRAD_ROUND_ELEMENTS: usize = 1 << 20;

    /// Pixels of the largest tile of `blocks` blocks of outputs.
    #[inline]
    pub fn widest(self, blocks: usize) -> usize {
        match blocks {
            1 => self.mr_single,
            _ => self.mr,
        }
    }

    /// Number of ranges into which `depth` input channels, in blocks of `step`, are divided so that
    /// the weights of a range for two blocks of `lanes` outputs are about one panel (`kc`
    /// blocking). The products of one range after the other are accumulated.
    #[inline]
    pub fn parts(self, depth: usize, step: usize, taps: usize, lanes: usize) -> usize {
        let blocks = (self.kc_nr / (2 * lanes * taps) / step).max(1);
        depth.div_ceil(step).div_ceil(blocks)
    }

    /// Elements of a direct convolution's input whose tiles are computed before those of the next
    /// (`mc` blocking). The elements of one depth block fill three eighths of a core's private
    /// caches.
    #[inline]
    pub fn chunk(self, parts: usize) -> usize {
        3 * self.mc_kc / 8 * parts
    }

    /// Elements that a thread buffers between the two convolutions of a separable step. The buffer
    /// leaves space in the core's private caches for the streamed weights. All weights of the
    /// second convolution are read once per buffer.
    #[inline]
    pub fn between(self) -> usize {
        7 * self.mc_kc / 16
    }
}
