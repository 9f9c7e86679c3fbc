//! How work is cut so that what is read again and again stays near.

/// What an instruction set, and the machines that have it, hold near their multipliers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocking {
    /// Pixels of the widest tile of two blocks of outputs: as many sums as the registers hold.
    pub mr: usize,
    /// Pixels of the widest tile of one block.
    pub mr_single: usize,
    /// Elements of weights that tile after tile reads from the nearest cache.
    pub kc_nr: usize,
    /// Elements of a core's own caches that an algorithm may count on.
    pub mc_kc: usize,
}

impl Blocking {
    /// Elements of Winograd's transformed inputs that are made together: what the last-level cache has room for
    /// beside the weights that go by.
    pub const TRANSFORMED: usize = 1 << 20;

    /// Pixels of the widest tile of one block of outputs, or of two.
    pub fn widest(self, blocks: usize) -> usize {
        match blocks {
            1 => self.mr_single,
            _ => self.mr,
        }
    }

    /// Partition in which `depth` channels of input, in blocks of `step`, are summed one after the other, so that
    /// the weights of two blocks of `lanes` outputs for each part are a panel or little more.
    pub fn parts(self, depth: usize, step: usize, taps: usize, lanes: usize) -> usize {
        let blocks = (self.kc_nr / (2 * lanes * taps) / step).max(1);
        depth.div_ceil(step).div_ceil(blocks)
    }

    /// Elements of a direct convolution's input that are one chunk, whose tiles are computed before the next
    /// chunk's: of a core's cache, three eighths hold the part of them that is read.
    pub fn chunk(self, parts: usize) -> usize {
        3 * self.mc_kc / 8 * parts
    }

    /// Elements that a thread keeps of the map between a step's two convolutions: what leaves room for the
    /// weights that go by. The fewer, the more often all weights of the second are read.
    pub fn between(self) -> usize {
        7 * self.mc_kc / 16
    }
}
