//! Random weights, for benchmarks of networks without trained weights.

/// A random number generator whose numbers depend only on the seed and the index of the value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    seed: u64,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns the generator of the value with the index `index`.
    pub fn at(self, index: usize) -> Self {
        Self {
            seed: splitmix64(self.seed ^ splitmix64(index as u64)),
        }
    }

    fn bits(self, len: usize) -> impl Iterator<Item = u64> {
        (0..len as u64).map(move |i| splitmix64(self.seed.wrapping_add(i)))
    }

    /// Returns `len` numbers of mean 0 and variance `2 / fan_in` (He et al., Delving Deep into
    /// Rectifiers, eq. 10). A sum of four uniform numbers approximates the normal distribution.
    pub fn he(self, len: usize, fan_in: usize) -> Vec<f32> {
        // The sum of four uniform numbers in [0, 1) has the variance 1/3.
        let scale = (6.0 / fan_in.max(1) as f64).sqrt() as f32 / 65536.0;
        self.bits(len)
            .map(|bits| {
                let sum: u64 = (0..4).map(|i| bits >> (16 * i) & 0xffff).sum();
                (sum as f32 - 131_070.0) * scale
            })
            .collect()
    }

    /// Returns `len` uniform numbers in `[low, high)`.
    pub fn between(self, len: usize, low: f32, high: f32) -> Vec<f32> {
        self.bits(len)
            .map(|bits| low + (high - low) * ((bits >> 40) as f32 / 16_777_216.0))
            .collect()
    }
}

/// Returns the output of the splitmix64 generator in state `x`.
fn splitmix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn he_has_its_mean_and_variance() {
        let drawn = Draw::new(1).at(2).he(1 << 16, 50);
        let mean = drawn.iter().sum::<f32>() / drawn.len() as f32;
        let square = drawn.iter().map(|x| x * x).sum::<f32>() / drawn.len() as f32;
        assert!(mean.abs() < 0.003, "{mean}");
        assert!((square / 0.04 - 1.0).abs() < 0.02, "{square}");
    }
}
