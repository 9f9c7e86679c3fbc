//! Euclidean radial basis functions with a fixed centre per class.

use burn::module::Module;
use burn::tensor::Tensor;
use receptive_kernels::ops;

/// The squared distance of a vector from the centre of each class, `y_i = sum_j (x_j - w_ij)^2`
/// (Gradient-Based Learning Applied to Document Recognition, section II.B, equation 7).
///
/// The centres are constants. They move with the module between devices, but they are not
/// parameters: optimisers, parameter counts and weight files ignore them.
#[derive(Module, Debug)]
pub struct RadialBasis {
    /// The centres, `[classes, width]`.
    pub centers: Tensor<2>,
}

impl RadialBasis {
    /// Computes the squared distances: `[batch, width]` to `[batch, classes]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        ops::radial_basis(x, self.centers.clone())
    }
}
