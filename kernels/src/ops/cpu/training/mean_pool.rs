//! Mean pooling and its gradient.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::memory::f32_slice;
use crate::cpu::gradient::PlanarMeanPool;
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::HostBackend;

fn planar_mean_pool(size: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> PlanarMeanPool {
    PlanarMeanPool {
        kernel,
        stride,
        size,
        windows: std::array::from_fn(|axis| (size[axis] - kernel[axis]) / stride[axis] + 1),
    }
}

/// Returns the mean of each window of `x`.
pub(in crate::ops) fn mean_pool<B: HostBackend>(
    x: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
) -> FloatTensor<B> {
    let x = B::into_contiguous(x);
    let [images, channels, height, width] = x.shape().dims();
    let pool = planar_mean_pool([height, width], kernel, stride);
    let values = f32_slice::<B>(&x);
    let y = pool.forward(threads(values.len()), values);
    let [rows, columns] = pool.windows;
    B::from_vec(y, Shape::new([images, channels, rows, columns]))
}

/// Returns the gradient of the input of [`mean_pool`], whose shape is `shape`.
pub(in crate::ops) fn mean_pool_gradient<B: HostBackend>(
    shape: Shape,
    gradient: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
) -> FloatTensor<B> {
    let gradient = B::into_contiguous(gradient);
    let pool = planar_mean_pool([shape[2], shape[3]], kernel, stride);
    let threads = threads(shape.num_elements());
    B::from_vec(pool.backward(threads, f32_slice::<B>(&gradient)), shape)
}
