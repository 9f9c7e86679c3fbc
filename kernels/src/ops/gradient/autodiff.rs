//! Implementation of the operations for autodiff over every backend.

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;

use super::training_ops::TrainingOps;
use super::{add_relu, batch_norm, convolution, linear, local_response_norm, max_pool, mean_pool};
use crate::cpu::{Activation, PoolWindow};
use crate::ops::backend::KernelOps;
use crate::ops::definition::convolution::{Bias, Layer};

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
        match B::kernels(x.primitive()) {
            Some(kernels) => mean_pool::forward::<B, C>(kernels, x, kernel, stride),
            None => <Self as ModuleOps<Self>>::avg_pool2d(x, kernel, stride, [0, 0], true, false),
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
        let Some(kernels) = B::kernels(x.primitive()) else {
            return <Self as ModuleOps<Self>>::max_pool2d(
                x, kernel, stride, padding, dilation, ceil,
            );
        };
        let window = PoolWindow {
            kernel,
            stride,
            padding,
            dilation,
        };
        max_pool::forward::<B, C>(kernels, x, window, ceil)
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
