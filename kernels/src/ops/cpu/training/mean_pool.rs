//! Mean pools.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::memory::floats;
use crate::cpu::gradient::Means;
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::Host;

fn means(size: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Means {
    Means {
        kernel,
        stride,
        size,
        windows: std::array::from_fn(|axis| (size[axis] - kernel[axis]) / stride[axis] + 1),
    }
}

/// The mean of each window of `x`.
pub(in crate::ops) fn mean_pool<B: Host>(
    x: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
) -> FloatTensor<B> {
    let x = B::contiguous(x);
    let [images, channels, height, width] = x.shape().dims();
    let means = means([height, width], kernel, stride);
    let values = floats::<B>(&x);
    let made = means.of(threads(values.len()), values);
    let [rows, columns] = means.windows;
    B::tensor(made, Shape::new([images, channels, rows, columns]))
}

/// The gradient of its input, which is of this shape.
pub(in crate::ops) fn mean_pool_gradient<B: Host>(
    shape: Shape,
    gradient: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
) -> FloatTensor<B> {
    let gradient = B::contiguous(gradient);
    let means = means([shape[2], shape[3]], kernel, stride);
    let threads = threads(shape.num_elements());
    B::tensor(means.gradient(threads, floats::<B>(&gradient)), shape)
}
