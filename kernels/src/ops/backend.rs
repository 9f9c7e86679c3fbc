//! The operations as an extension of Burn's backends: one default body, right on all of them.

// Burn has deprecated its ndarray backend, which is first class here until Burn drops it.
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

/// What this crate adds to a backend of Burn. Shapes as in the public functions.
#[backend_extension(
    NdArray: cfg(feature = "ndarray"),
    Flex: cfg(feature = "flex"),
    Cube: cfg(any(feature = "wgpu", feature = "cuda")),
    Capture,
    Autodiff: cfg(feature = "autodiff")
)]
pub(super) trait KernelOps: Backend {
    /// Two-dimensional convolution, norm, activation.
    fn convolution(
        x: FloatTensor<Self>,
        #[extension_type] layer: Layer<Self>,
    ) -> FloatTensor<Self> {
        convolution::forward::<Self>(x, layer)
    }

    /// The ReLU of a sum of two maps of one shape.
    fn add_relu(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        add_relu::forward::<Self>(x, y)
    }

    /// A fully connected layer.
    fn fully_connected(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Bias<Self>,
    ) -> FloatTensor<Self> {
        linear::forward::<Self>(x, weight, bias)
    }

    /// Batch norm over the input's own statistics, then the activation: the result, the mean and the
    /// variance (biased) of each channel.
    fn batch_norm_activation(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        activation: Activation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        batch_norm::forward::<Self>(x, gamma, beta, epsilon, activation)
    }

    /// A step of gradient descent: the weights and their velocity after it.
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

    /// Two-dimensional max pooling whose padding is the same on both sides.
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

    /// Squared Euclidean distances to centers.
    fn radial_basis(x: FloatTensor<Self>, centers: FloatTensor<Self>) -> FloatTensor<Self> {
        radial_basis::forward::<Self>(x, centers)
    }
}

/// A backend whose tensors the CPU kernels read.
#[cfg(any(feature = "ndarray", feature = "flex"))]
macro_rules! impl_for_cpu_backend {
    ($backend:ty) => {
        impl KernelOps for $backend {
            fn convolution(x: FloatTensor<Self>, layer: Layer<Self>) -> FloatTensor<Self> {
                cpu::convolution::<Self>(x, layer)
            }

            #[cfg(feature = "autodiff")]
            fn add_relu(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
                let both = cpu::training::is_supported::<Self>(&x)
                    && cpu::training::is_supported::<Self>(&y);
                match both {
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
                let descent = SgdParams {
                    rate,
                    momentum,
                    decay,
                    nesterov,
                };
                cpu::training::gradient_descent::<Self>(weight, gradient, velocity, descent)
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
                if beta != cpu::training::BETA || !cpu::training::is_supported::<Self>(&x) {
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
