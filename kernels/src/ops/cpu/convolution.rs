//! Convolution fused with batch norm and an activation, by the CPU kernels.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::cache::{self, CacheKey};
use super::execute::{run, threads};
use super::host::HostBackend;
use super::program::ConvGeometry;
use crate::ops::definition::convolution::{self, Layer};

/// As [`convolution::forward`], which computes the convolutions that the kernels do not support.
pub(in crate::ops) fn convolution<B: HostBackend>(
    x: FloatTensor<B>,
    layer: Layer<B>,
) -> FloatTensor<B> {
    let Some(geometry) = ConvGeometry::new(&x.shape().dims(), &layer) else {
        return convolution::forward::<B>(x, layer);
    };
    let Some(key) = CacheKey::new::<B>(&layer) else {
        return convolution::forward::<B>(x, layer);
    };
    let images = x.shape()[0];
    let x = B::into_contiguous(x);
    let Some(input) = B::as_f32_slice(&x) else {
        return convolution::forward::<B>(x, layer);
    };
    let [height, width] = geometry.spec.output(geometry.size);
    let shape = Shape::new([images, geometry.spec.channels_out, height, width]);
    let threads = threads(images * geometry.spec.multiply_adds([height, width]));
    let program = cache::program::<B>(key, geometry, layer);
    B::from_vec(run(&program, threads, input), shape)
}
