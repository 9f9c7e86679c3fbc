//! The operations under autodiff. Local response normalization has its own gradient on every backend; convolution,
//! batch norm and max pooling have theirs where the CPU kernels compute them ([`TrainingOps`]), and are
//! differentiated through their definitions elsewhere.

// Burn has deprecated its ndarray backend, which is first class here until Burn drops it.
#![allow(deprecated)]

mod add_relu;
mod batch_norm;
mod convolution;
mod linear;
mod local_response_norm;
mod max_pool;
mod mean_pool;

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Capture};
use burn::tensor::Shape;

use super::backend::KernelOps;
use super::convolution::{Bias, Layer};
#[cfg(any(feature = "ndarray", feature = "flex"))]
use super::cpu::training;
use crate::cpu::{Activation, PoolWindow};

/// The gradients of those of a layer's input, weight and bias that have one.
pub(super) struct LayerGradients<B: Backend> {
    pub x: Option<FloatTensor<B>>,
    pub weight: Option<FloatTensor<B>>,
    pub bias: Option<FloatTensor<B>>,
}

/// The gradients that a backend has kernels for: none by default.
pub(super) trait TrainingOps: Backend {
    /// Whether a batch norm or a max pool of this tensor has.
    fn is_supported(_x: &FloatTensor<Self>) -> bool {
        false
    }

    /// The convolution, if it has.
    fn training_convolution(
        _x: &FloatTensor<Self>,
        _layer: &Layer<Self>,
    ) -> Option<FloatTensor<Self>> {
        None
    }

    /// The gradients of what [`training_convolution`](Self::training_convolution) computed; `y` is its
    /// output, if there is an activation, and `wanted` are those of the input, the weight and the bias.
    fn convolution_gradients(
        _x: FloatTensor<Self>,
        _layer: &Layer<Self>,
        _y: Option<FloatTensor<Self>>,
        _gradient: FloatTensor<Self>,
        _wanted: [bool; 3],
    ) -> LayerGradients<Self> {
        unreachable!("no convolution was computed here")
    }

    /// The fully connected layer, if it has.
    fn training_linear(
        _x: &FloatTensor<Self>,
        _weight: &FloatTensor<Self>,
        _bias: Option<&FloatTensor<Self>>,
    ) -> Option<FloatTensor<Self>> {
        None
    }

    /// The gradients of what [`training_linear`](Self::training_linear) computed.
    fn linear_gradients(
        _x: FloatTensor<Self>,
        _weight: FloatTensor<Self>,
        _gradient: FloatTensor<Self>,
        _wanted: [bool; 3],
    ) -> LayerGradients<Self> {
        unreachable!("no layer was computed here")
    }

    /// The gradients of the input, the scale and the shift of a batch norm with this scale and shift, mean
    /// and variance.
    fn batch_norm_gradients(
        _x: FloatTensor<Self>,
        _values: [FloatTensor<Self>; 4],
        _epsilon: f64,
        _activation: Activation,
        _gradient: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3] {
        unreachable!("no batch norm was computed here")
    }

    /// The gradient of the input of a local response normalization, if it has.
    fn response_gradient(
        _x: &FloatTensor<Self>,
        _gradient: &FloatTensor<Self>,
        _size: usize,
        _factors: [f64; 3],
    ) -> Option<FloatTensor<Self>> {
        None
    }

    /// The gradient before a ReLU whose output is `y`.
    fn relu_gradient(_y: FloatTensor<Self>, _gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("no sum was computed here")
    }

    /// The gradient of the input, of this shape, of a mean pool.
    fn mean_pool_gradient(
        _shape: Shape,
        _gradient: FloatTensor<Self>,
        _kernel: [usize; 2],
        _stride: [usize; 2],
    ) -> FloatTensor<Self> {
        unreachable!("no pool was computed here")
    }

    /// The gradient of the input of a max pool to `y`.
    fn max_pool_gradient(
        _x: FloatTensor<Self>,
        _y: FloatTensor<Self>,
        _window: &PoolWindow,
        _gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        unreachable!("no pool was computed here")
    }
}

/// A backend whose tensors the CPU kernels read.
#[cfg(any(feature = "ndarray", feature = "flex"))]
macro_rules! on_the_processor {
    ($backend:ty) => {
        impl TrainingOps for $backend {
            fn is_supported(x: &FloatTensor<Self>) -> bool {
                training::is_supported::<Self>(x)
            }

            fn training_convolution(
                x: &FloatTensor<Self>,
                layer: &Layer<Self>,
            ) -> Option<FloatTensor<Self>> {
                training::convolution::<Self>(x, layer)
            }

            fn convolution_gradients(
                x: FloatTensor<Self>,
                layer: &Layer<Self>,
                y: Option<FloatTensor<Self>>,
                gradient: FloatTensor<Self>,
                wanted: [bool; 3],
            ) -> LayerGradients<Self> {
                training::convolution_gradients::<Self>(x, layer, y, gradient, wanted)
            }

            fn training_linear(
                x: &FloatTensor<Self>,
                weight: &FloatTensor<Self>,
                bias: Option<&FloatTensor<Self>>,
            ) -> Option<FloatTensor<Self>> {
                training::fully_connected::<Self>(x, weight, bias)
            }

            fn linear_gradients(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                gradient: FloatTensor<Self>,
                wanted: [bool; 3],
            ) -> LayerGradients<Self> {
                training::linear_gradients::<Self>(x, weight, gradient, wanted)
            }

            fn batch_norm_gradients(
                x: FloatTensor<Self>,
                values: [FloatTensor<Self>; 4],
                epsilon: f64,
                activation: Activation,
                gradient: FloatTensor<Self>,
            ) -> [FloatTensor<Self>; 3] {
                training::batch_norm_gradients::<Self>(x, values, epsilon, activation, gradient)
            }

            fn response_gradient(
                x: &FloatTensor<Self>,
                gradient: &FloatTensor<Self>,
                size: usize,
                [alpha, beta, k]: [f64; 3],
            ) -> Option<FloatTensor<Self>> {
                let here = beta == training::BETA && training::is_supported::<Self>(x);
                here.then(|| {
                    let gradient = Some(gradient.clone());
                    training::response::<Self>(x.clone(), gradient, size, [alpha, k])
                })
            }

            fn relu_gradient(
                y: FloatTensor<Self>,
                gradient: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                training::relu_gradient::<Self>(y, gradient)
            }

            fn mean_pool_gradient(
                shape: Shape,
                gradient: FloatTensor<Self>,
                kernel: [usize; 2],
                stride: [usize; 2],
            ) -> FloatTensor<Self> {
                training::mean_pool_gradient::<Self>(shape, gradient, kernel, stride)
            }

            fn max_pool_gradient(
                x: FloatTensor<Self>,
                y: FloatTensor<Self>,
                window: &PoolWindow,
                gradient: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                training::max_pool_gradients::<Self>(x, y, window, gradient)
            }
        }
    };
}

#[cfg(feature = "ndarray")]
on_the_processor!(burn::backend::NdArray);

#[cfg(feature = "flex")]
on_the_processor!(burn::backend::Flex);

#[cfg(any(feature = "wgpu", feature = "cuda"))]
impl TrainingOps for burn::backend::Cube {}

impl TrainingOps for Capture {}

impl<B: KernelOps + TrainingOps, C: CheckpointStrategy> KernelOps for Autodiff<B, C> {
    fn convolution(x: FloatTensor<Self>, layer: Layer<Self>) -> FloatTensor<Self> {
        convolution::forward::<B, C>(x, layer)
    }

    fn add_relu(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        add_relu::forward::<B, C>(x, y)
    }

    fn fully_connected(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Bias<Self>,
    ) -> FloatTensor<Self> {
        linear::forward::<B, C>(x, weight, bias)
    }

    fn batch_norm_activation(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        activation: Activation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        batch_norm::forward::<B, C>(x, gamma, beta, epsilon, activation).into()
    }

    fn mean_pooling(
        x: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> FloatTensor<Self> {
        match B::is_supported(x.primitive()) {
            true => mean_pool::forward::<B, C>(x, kernel, stride),
            false => <Self as ModuleOps<Self>>::avg_pool2d(x, kernel, stride, [0, 0], true, false),
        }
    }

    fn max_pooling(
        x: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        ceil: bool,
    ) -> FloatTensor<Self> {
        if !B::is_supported(x.primitive()) {
            return <Self as ModuleOps<Self>>::max_pool2d(
                x, kernel, stride, padding, dilation, ceil,
            );
        }
        let window = PoolWindow {
            kernel,
            stride,
            padding,
            dilation,
        };
        max_pool::forward::<B, C>(x, window, ceil)
    }

    fn local_response_norm(
        x: FloatTensor<Self>,
        size: usize,
        alpha: f64,
        beta: f64,
        k: f64,
    ) -> FloatTensor<Self> {
        local_response_norm::forward::<B, C>(x, size, alpha, beta, k)
    }
}
