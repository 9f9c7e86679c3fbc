//! Local response normalization, as defined in AlexNet's paper.

use burn::module::Module;
use burn::tensor::Tensor;
use receptive_kernels::ops;

/// Local response normalization: `b_i = a_i / (k + alpha * sum_j a_j^2)^beta`, where `j` runs over
/// the channels from `i - size/2` to `i + size/2` that exist (ImageNet Classification with Deep
/// Convolutional Neural Networks, section 3.3).
///
/// `alpha` multiplies the sum of squares. PyTorch's and Burn's own layers divide `alpha` by `size`.
#[derive(Module, Debug)]
pub struct LocalResponseNorm {
    /// Number of channels in the window, odd.
    pub size: usize,
    /// Factor of the sum of squares.
    pub alpha: f64,
    /// Exponent of the denominator.
    pub beta: f64,
    /// Constant added to the scaled sum.
    pub k: f64,
}

impl Default for LocalResponseNorm {
    /// Returns the paper's constants: 5 channels, alpha 1e-4, beta 0.75, k 2.
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
    /// Normalizes maps `[batch, channels, height, width]`; the result has the same shape.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        ops::local_response_norm(x, self.size, self.alpha, self.beta, self.k)
    }
}
