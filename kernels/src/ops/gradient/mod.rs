//! The operations under autodiff.
//!
//! The gradient of local response normalization has a closed form on every backend. The gradients of the
//! other operations are computed by the CPU kernels if they support the tensor ([`training_ops`]);
//! otherwise autodiff differentiates the definitions of the operations.

mod add_relu;
mod autodiff;
mod batch_norm;
mod convolution;
mod linear;
mod local_response_norm;
mod max_pool;
mod mean_pool;
mod training_ops;
