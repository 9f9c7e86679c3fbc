//! The operations as an extension of Burn's backends: one default body, right on all of them.

// Burn has deprecated its ndarray backend, which is first class here until Burn drops it.
#![allow(deprecated)]

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Capture, backend_extension};

use super::convolution::{self, Layer};
#[cfg(any(feature = "ndarray", feature = "flex"))]
use super::cpu;
use super::{local_response_norm, radial_basis};
#[cfg(any(feature = "ndarray", feature = "flex"))]
use crate::cpu::PoolWindow;

/// What this crate adds to a backend of Burn. Shapes as in the public functions.
#[backend_extension(
    NdArray: cfg(feature = "ndarray"),
    Flex: cfg(feature = "flex"),
    Cube: cfg(any(feature = "wgpu", feature = "cuda")),
    Capture,
    Autodiff: cfg(feature = "train")
)]
pub(super) trait KernelOps: Backend {
    /// Two-dimensional convolution, norm, activation.
    fn convolution(
        x: FloatTensor<Self>,
        #[extension_type] layer: Layer<Self>,
    ) -> FloatTensor<Self> {
        convolution::forward::<Self>(x, layer)
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
macro_rules! on_the_processor {
    ($backend:ty) => {
        impl KernelOps for $backend {
            fn convolution(x: FloatTensor<Self>, layer: Layer<Self>) -> FloatTensor<Self> {
                cpu::convolution::<Self>(x, layer)
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
on_the_processor!(burn::backend::NdArray);

#[cfg(feature = "flex")]
on_the_processor!(burn::backend::Flex);

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
        super::capture::local_response_norm(x, size, alpha, beta, k)
    }

    fn radial_basis(x: FloatTensor<Self>, centers: FloatTensor<Self>) -> FloatTensor<Self> {
        super::capture::radial_basis(x, centers)
    }
}
