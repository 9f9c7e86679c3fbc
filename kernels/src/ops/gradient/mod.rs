//! The operations under autodiff. Local response normalization has its own gradient on every backend; convolution,
//! batch norm and max pooling have theirs where the CPU kernels compute them ([`training_ops`]), and are
//! differentiated through their definitions elsewhere.

mod add_relu;
mod autodiff;
mod batch_norm;
mod convolution;
mod linear;
mod local_response_norm;
mod max_pool;
mod mean_pool;
mod training_ops;
