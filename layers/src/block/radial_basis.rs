//! Euclidean radial basis functions: one fixed centre for each class.

use burn::module::Module;
use burn::tensor::Tensor;
use receptive_kernels::ops;

/// `y_i = sum_j (x_j - w_ij)^2`: how far a vector is from each class's centre (Gradient-Based
/// Learning Applied to Document Recognition, section II.B, eq. 7).
///
/// The centres are constants: they move with the module from device to device, but no optimiser,
/// no parameter count and no weight file sees them.
#[derive(Module, Debug)]
pub struct RadialBasis {
    /// The centres, `[classes, width]`.
    pub centers: Tensor<2>,
}

impl RadialBasis {
    /// `[batch, width]` to `[batch, classes]`: squared distances, the smaller the closer.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        ops::radial_basis(x, self.centers.clone())
    }
}
