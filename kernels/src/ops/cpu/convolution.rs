//! Convolution with its norm and activation by the CPU kernels.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::cache;
use super::execute::{run, threads};
use super::host::Host;
use super::program::Geometry;
use crate::ops::definition::convolution::{self, Layer};

/// As [`convolution::forward`], which runs what the kernels do not.
pub(in crate::ops) fn convolution<B: Host>(x: FloatTensor<B>, layer: Layer<B>) -> FloatTensor<B> {
    let Some(geometry) = Geometry::new(&x.shape().dims(), &layer) else {
        return convolution::forward::<B>(x, layer);
    };
    let Some(key) = cache::Key::new::<B>(&layer) else {
        return convolution::forward::<B>(x, layer);
    };
    let images = x.shape()[0];
    let x = B::contiguous(x);
    let Some(input) = B::floats(&x) else {
        return convolution::forward::<B>(x, layer);
    };
    let [height, width] = geometry.spec.output(geometry.size);
    let shape = Shape::new([images, geometry.spec.channels_out, height, width]);
    let threads = threads(images * geometry.spec.multiply_adds([height, width]));
    let plan = cache::plan::<B>(key, geometry, layer);
    B::tensor(run(&plan, threads, input), shape)
}
