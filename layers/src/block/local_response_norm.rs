//! Local response normalization, as AlexNet's paper defines it.

use burn::module::Module;
use burn::tensor::Tensor;
use receptive_kernels::ops;

/// `b_i = a_i / (k + alpha * sum_j a_j^2)^beta` over `size` neighbouring channels, `j` from
/// `i - size/2` to `i + size/2` within range (ImageNet Classification with Deep CNNs, section 3.3).
///
/// `alpha` multiplies the sum, not the mean: PyTorch's and Burn's own layers divide it by `size`.
#[derive(Module, Debug)]
pub struct LocalResponseNorm {
    /// Channels in the window, odd.
    pub size: usize,
    /// Multiplies the sum of squares.
    pub alpha: f64,
    /// The exponent.
    pub beta: f64,
    /// Added to the scaled sum.
    pub k: f64,
}

impl Default for LocalResponseNorm {
    /// The paper's: 5 channels, alpha 1e-4, beta 0.75, k 2.
    fn default() -> Self {
        Self {
            size: 5,
            alpha: 1e-4,
            beta: 0.75,
            k: 2.0,
        }
    }
}

impl LocalResponseNorm {
    /// `[batch, channels, height, width]`, shape kept.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        ops::local_response_norm(x, self.size, self.alpha, self.beta, self.k)
    }
}
