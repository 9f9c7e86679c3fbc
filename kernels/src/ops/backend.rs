//! The operations as an extension of Burn's backends.
//!
//! The default methods compute the operations with Burn's operations and are valid on every backend.

// Burn has deprecated its ndarray backend; this crate supports it until Burn removes it.
#![allow(deprecated)]

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Capture, backend_extension};

use super::capture;
#[cfg(any(feature = "ndarray", feature = "flex"))]
use super::cpu;
use super::definition::convolution::{self, Bias, Layer};
use super::definition::{
    add_relu, batch_norm, linear, local_response_norm, mean_pool, radial_basis, sgd_step,
};
use crate::cpu::Activation;
#[cfg(any(feature = "ndarray", feature = "flex"))]
use crate::cpu::PoolWindow;
#[cfg(all(feature = "autodiff", any(feature = "ndarray", feature = "flex")))]
use crate::cpu::gradient::SgdParams;

/// Operations that this crate adds to a backend of Burn. Shapes are those of the public functions of
/// [`ops`](crate::ops).
#[backend_extension(
    NdArray: cfg(feature = "ndarray"),
    Flex: cfg(feature = "flex"),
    Cube: cfg(any(feature = "wgpu", feature = "cuda")),
    Capture,
    Autodiff: cfg(feature = "autodiff")
)]
pub(super) trait KernelOps: Backend {
    /// Two-dimensional convolution, then batch norm, then an activation.
    fn convolution(
        x: FloatTensor<Self>,
        #[extension_type] layer: Layer<Self>,
    ) -> FloatTensor<Self> {
        convolution::forward::<Self>(x, layer)
    }

    /// ReLU of the sum of two tensors of the same shape.
    fn add_relu(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        add_relu::forward::<Self>(x, y)
    }

    /// Fully connected layer.
    fn fully_connected(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Bias<Self>,
    ) -> FloatTensor<Self> {
        linear::forward::<Self>(x, weight, bias)
    }

    /// Batch norm over the statistics of `x`, then an activation. Returns the output, and the mean and
    /// the biased variance of each channel.
    fn batch_norm_activation(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        activation: Activation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        batch_norm::forward::<Self>(x, gamma, beta, epsilon, activation)
    }

    /// Step of stochastic gradient descent. Returns the updated weights and velocity.
    fn sgd_step(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        rate: f64,
        momentum: f64,
        decay: f64,
        nesterov: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let step = [rate, momentum, decay];
        sgd_step::forward::<Self>(weight, gradient, velocity, step, nesterov)
    }

    /// Two-dimensional max pooling with the same padding on both sides of an axis.
    fn max_pooling(
        x: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        ceil: bool,
    ) -> FloatTensor<Self> {
        Self::max_pool2d(x, kernel, stride, padding, dilation, ceil)
    }

    /// Two-dimensional mean pooling without padding.
    fn mean_pooling(
        x: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> FloatTensor<Self> {
        mean_pool::forward::<Self>(x, kernel, stride)
    }

    /// Local response normalization.
    fn local_response_norm(
        x: FloatTensor<Self>,
        size: usize,
        alpha: f64,
        beta: f64,
        k: f64,
    ) -> FloatTensor<Self> {
        local_response_norm::forward::<Self>(x, size, alpha, beta, k)
    }

    /// Squared Euclidean distances from centers.
    fn radial_basis(x: FloatTensor<Self>, centers: FloatTensor<Self>) -> FloatTensor<Self> {
        radial_basis::forward::<Self>(x, centers)
    }
}

/// Implements [`KernelOps`] by the CPU kernels for a host backend.
#[cfg(any(feature = "ndarray", feature = "flex"))]
macro_rules! impl_for_cpu_backend {
    ($backend:ty) => {
        impl KernelOps for $backend {
            fn convolution(x: FloatTensor<Self>, layer: Layer<Self>) -> FloatTensor<Self> {
                cpu::convolution::<Self>(x, layer)
            }

            #[cfg(feature = "autodiff")]
            fn add_relu(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
                let is_supported = cpu::training::is_supported::<Self>(&x)
                    && cpu::training::is_supported::<Self>(&y);
                match is_supported {
                    true => cpu::training::add_relu::<Self>(x, y),
                    false => add_relu::forward::<Self>(x, y),
                }
            }

            #[cfg(feature = "autodiff")]
            fn batch_norm_activation(
                x: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                epsilon: f64,
                activation: Activation,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                if !cpu::training::is_supported::<Self>(&x) {
                    return batch_norm::forward::<Self>(x, gamma, beta, epsilon, activation);
                }
                cpu::training::batch_norm::<Self>(x, [gamma, beta], epsilon, activation)
            }

            #[cfg(feature = "autodiff")]
            fn sgd_step(
                weight: FloatTensor<Self>,
                gradient: FloatTensor<Self>,
                velocity: FloatTensor<Self>,
                rate: f64,
                momentum: f64,
                decay: f64,
                nesterov: bool,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                let step = [rate, momentum, decay];
                if !cpu::training::is_supported::<Self>(&weight) {
                    return sgd_step::forward::<Self>(weight, gradient, velocity, step, nesterov);
                }
                let [rate, momentum, decay] = step.map(|factor| factor as f32);
                let params = SgdParams {
                    rate,
                    momentum,
                    decay,
                    nesterov,
                };
                cpu::training::sgd_step::<Self>(weight, gradient, velocity, params)
            }

            #[cfg(feature = "autodiff")]
            fn mean_pooling(
                x: FloatTensor<Self>,
                kernel: [usize; 2],
                stride: [usize; 2],
            ) -> FloatTensor<Self> {
                match cpu::training::is_supported::<Self>(&x) {
                    true => cpu::training::mean_pool::<Self>(x, kernel, stride),
                    false => mean_pool::forward::<Self>(x, kernel, stride),
                }
            }

            #[cfg(feature = "autodiff")]
            fn local_response_norm(
                x: FloatTensor<Self>,
                size: usize,
                alpha: f64,
                beta: f64,
                k: f64,
            ) -> FloatTensor<Self> {
                if beta != cpu::training::LRN_BETA || !cpu::training::is_supported::<Self>(&x) {
                    return local_response_norm::forward::<Self>(x, size, alpha, beta, k);
                }
                cpu::training::local_response_norm::<Self>(x, None, size, [alpha, k])
            }

            fn max_pooling(
                x: FloatTensor<Self>,
                kernel: [usize; 2],
                stride: [usize; 2],
                padding: [usize; 2],
                dilation: [usize; 2],
                ceil: bool,
            ) -> FloatTensor<Self> {
                let window = PoolWindow {
                    kernel,
                    stride,
                    padding,
                    dilation,
                };
                cpu::pool::max_pool::<Self>(x, window, ceil)
            }
        }
    };
}

#[cfg(feature = "ndarray")]
impl_for_cpu_backend!(burn::backend::NdArray);

#[cfg(feature = "flex")]
impl_for_cpu_backend!(burn::backend::Flex);

#[cfg(any(feature = "wgpu", feature = "cuda"))]
impl KernelOps for burn::backend::Cube {}

impl KernelOps for Capture {
    fn local_response_norm(
        x: FloatTensor<Self>,
        size: usize,
        alpha: f64,
        beta: f64,
        k: f64,
    ) -> FloatTensor<Self> {
        capture::local_response_norm(x, size, alpha, beta, k)
    }

    fn radial_basis(x: FloatTensor<Self>, centers: FloatTensor<Self>) -> FloatTensor<Self> {
        capture::radial_basis(x, centers)
    }
}
