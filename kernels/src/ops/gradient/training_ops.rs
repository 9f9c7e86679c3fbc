//! Gradients by the kernels of a backend.

// Burn has deprecated its ndarray backend; this crate supports it until Burn removes it.
#![allow(deprecated)]

use std::convert::Infallible;
use std::fmt::Debug;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Capture};
use burn::tensor::Shape;

use crate::cpu::{Activation, PoolWindow};
#[cfg(any(feature = "ndarray", feature = "flex"))]
use crate::ops::cpu::{HostBackend, training};
use crate::ops::definition::convolution::Layer;
use crate::ops::definition::layer_gradients::LayerGradients;

/// A backend that autodiff supports.
pub(in crate::ops) trait TrainingOps: Backend {
    /// Kernels that compute gradients on this backend; [`Infallible`] for a backend without kernels.
    type Kernels: TrainingKernels<Self>;

    /// The kernels for the gradient of an operation on `x`. `None` if autodiff differentiates the
    /// definition of the operation instead.
    fn kernels(x: &FloatTensor<Self>) -> Option<Self::Kernels>;
}

/// Kernels that compute gradients of operations on tensors of `B`.
///
/// Methods take `self`, so that the implementation for [`Infallible`], which has no values, needs no
/// bodies.
pub(in crate::ops) trait TrainingKernels<B: Backend>:
    Copy + Debug + Send + Sync + 'static
{
    /// Returns the output of a convolution; `None` if the kernels do not compute its gradients.
    fn convolution(self, x: &FloatTensor<B>, layer: &Layer<B>) -> Option<FloatTensor<B>>;

    /// Returns the `wanted` gradients of the input, weight and bias of a
    /// [`convolution`](Self::convolution) with output `y`, which is required if the layer has an
    /// activation.
    fn convolution_gradients(
        self,
        x: FloatTensor<B>,
        layer: &Layer<B>,
        y: Option<FloatTensor<B>>,
        gradient: FloatTensor<B>,
        wanted: [bool; 3],
    ) -> LayerGradients<B>;

    /// Returns the output of a fully connected layer; `None` if the kernels do not compute its
    /// gradients.
    fn linear(
        self,
        x: &FloatTensor<B>,
        weight: &FloatTensor<B>,
        bias: Option<&FloatTensor<B>>,
    ) -> Option<FloatTensor<B>>;

    /// Returns the `wanted` gradients of the input, weight and bias of a [`linear`](Self::linear) layer.
    fn linear_gradients(
        self,
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
        wanted: [bool; 3],
    ) -> LayerGradients<B>;

    /// Returns the gradients of the input, scale and shift of a batch norm; `values` are its scale, shift,
    /// mean and variance.
    fn batch_norm_gradients(
        self,
        x: FloatTensor<B>,
        values: [FloatTensor<B>; 4],
        epsilon: f64,
        activation: Activation,
        gradient: FloatTensor<B>,
    ) -> [FloatTensor<B>; 3];

    /// Returns the gradient of the input of a local response normalization with the hyperparameters
    /// `[alpha, beta, k]`; `None` if the kernels do not support the exponent `beta`.
    fn lrn_gradient(
        self,
        x: &FloatTensor<B>,
        gradient: &FloatTensor<B>,
        size: usize,
        factors: [f64; 3],
    ) -> Option<FloatTensor<B>>;

    /// Returns the gradient of the input of a ReLU with output `y`.
    fn relu_gradient(self, y: FloatTensor<B>, gradient: FloatTensor<B>) -> FloatTensor<B>;

    /// Returns the gradient of the input of a mean pool, whose shape is `shape`.
    fn mean_pool_gradient(
        self,
        shape: Shape,
        gradient: FloatTensor<B>,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> FloatTensor<B>;

    /// Returns the gradient of the input `x` of a max pool with output `y`.
    fn max_pool_gradient(
        self,
        x: FloatTensor<B>,
        y: FloatTensor<B>,
        window: &PoolWindow,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B>;
}

/// Kernels of a backend without kernels. No method can be called, since the type has no values.
impl<B: Backend> TrainingKernels<B> for Infallible {
    fn convolution(self, _: &FloatTensor<B>, _: &Layer<B>) -> Option<FloatTensor<B>> {
        match self {}
    }

    fn convolution_gradients(
        self,
        _: FloatTensor<B>,
        _: &Layer<B>,
        _: Option<FloatTensor<B>>,
        _: FloatTensor<B>,
        _: [bool; 3],
    ) -> LayerGradients<B> {
        match self {}
    }

    fn linear(
        self,
        _: &FloatTensor<B>,
        _: &FloatTensor<B>,
        _: Option<&FloatTensor<B>>,
    ) -> Option<FloatTensor<B>> {
        match self {}
    }

    fn linear_gradients(
        self,
        _: FloatTensor<B>,
        _: FloatTensor<B>,
        _: FloatTensor<B>,
        _: [bool; 3],
    ) -> LayerGradients<B> {
        match self {}
    }

    fn batch_norm_gradients(
        self,
        _: FloatTensor<B>,
        _: [FloatTensor<B>; 4],
        _: f64,
        _: Activation,
        _: FloatTensor<B>,
    ) -> [FloatTensor<B>; 3] {
        match self {}
    }

    fn lrn_gradient(
        self,
        _: &FloatTensor<B>,
        _: &FloatTensor<B>,
        _: usize,
        _: [f64; 3],
    ) -> Option<FloatTensor<B>> {
        match self {}
    }

    fn relu_gradient(self, _: FloatTensor<B>, _: FloatTensor<B>) -> FloatTensor<B> {
        match self {}
    }

    fn mean_pool_gradient(
        self,
        _: Shape,
        _: FloatTensor<B>,
        _: [usize; 2],
        _: [usize; 2],
    ) -> FloatTensor<B> {
        match self {}
    }

    fn max_pool_gradient(
        self,
        _: FloatTensor<B>,
        _: FloatTensor<B>,
        _: &PoolWindow,
        _: FloatTensor<B>,
    ) -> FloatTensor<B> {
        match self {}
    }
}

/// The CPU kernels of host backends.
#[cfg(any(feature = "ndarray", feature = "flex"))]
#[derive(Debug, Clone, Copy)]
pub(in crate::ops) struct CpuKernels;

#[cfg(any(feature = "ndarray", feature = "flex"))]
impl<B: HostBackend> TrainingKernels<B> for CpuKernels {
    fn convolution(self, x: &FloatTensor<B>, layer: &Layer<B>) -> Option<FloatTensor<B>> {
        training::convolution::<B>(x, layer)
    }

    fn convolution_gradients(
        self,
        x: FloatTensor<B>,
        layer: &Layer<B>,
        y: Option<FloatTensor<B>>,
        gradient: FloatTensor<B>,
        wanted: [bool; 3],
    ) -> LayerGradients<B> {
        training::convolution_gradients::<B>(x, layer, y, gradient, wanted)
    }

    fn linear(
        self,
        x: &FloatTensor<B>,
        weight: &FloatTensor<B>,
        bias: Option<&FloatTensor<B>>,
    ) -> Option<FloatTensor<B>> {
        training::fully_connected::<B>(x, weight, bias)
    }

    fn linear_gradients(
        self,
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
        wanted: [bool; 3],
    ) -> LayerGradients<B> {
        training::linear_gradients::<B>(x, weight, gradient, wanted)
    }

    fn batch_norm_gradients(
        self,
        x: FloatTensor<B>,
        values: [FloatTensor<B>; 4],
        epsilon: f64,
        activation: Activation,
        gradient: FloatTensor<B>,
    ) -> [FloatTensor<B>; 3] {
        training::batch_norm_gradients::<B>(x, values, epsilon, activation, gradient)
    }

    fn lrn_gradient(
        self,
        x: &FloatTensor<B>,
        gradient: &FloatTensor<B>,
        size: usize,
        factors: [f64; 3],
    ) -> Option<FloatTensor<B>> {
        let [alpha, beta, k] = factors;
        (beta == training::LRN_BETA).then(|| {
            let gradient = Some(gradient.clone());
            training::local_response_norm::<B>(x.clone(), gradient, size, [alpha, k])
        })
    }

    fn relu_gradient(self, y: FloatTensor<B>, gradient: FloatTensor<B>) -> FloatTensor<B> {
        training::relu_gradient::<B>(y, gradient)
    }

    fn mean_pool_gradient(
        self,
        shape: Shape,
        gradient: FloatTensor<B>,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> FloatTensor<B> {
        training::mean_pool_gradient::<B>(shape, gradient, kernel, stride)
    }

    fn max_pool_gradient(
        self,
        x: FloatTensor<B>,
        y: FloatTensor<B>,
        window: &PoolWindow,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B> {
        training::max_pool_gradient::<B>(x, y, window, gradient)
    }
}

#[cfg(feature = "ndarray")]
impl TrainingOps for burn::backend::NdArray {
    type Kernels = CpuKernels;

    fn kernels(x: &FloatTensor<Self>) -> Option<CpuKernels> {
        training::is_supported::<Self>(x).then_some(CpuKernels)
    }
}

#[cfg(feature = "flex")]
impl TrainingOps for burn::backend::Flex {
    type Kernels = CpuKernels;

    fn kernels(x: &FloatTensor<Self>) -> Option<CpuKernels> {
        training::is_supported::<Self>(x).then_some(CpuKernels)
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
impl TrainingOps for burn::backend::Cube {
    type Kernels = Infallible;

    fn kernels(_: &FloatTensor<Self>) -> Option<Infallible> {
        None
    }
}

impl TrainingOps for Capture {
    type Kernels = Infallible;

    fn kernels(_: &FloatTensor<Self>) -> Option<Infallible> {
        None
    }
}
