//! Convolutions whose weights are packed for one run, and their gradients.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::elementwise::masked;
use super::memory::{floats, with_memory};
use crate::cpu::gradient::{bias_gradient, dilate_input, weight_gradient};
use crate::cpu::{Activation, Taps};
use crate::ops::cpu::execute::{run, threads};
use crate::ops::cpu::host::Host;
use crate::ops::cpu::program::Geometry;
use crate::ops::definition::convolution::{Bias, Layer};
use crate::ops::definition::layer_gradients::LayerGradients;
use crate::plan::PackedProgram;

/// The geometry of a layer without a norm that is computed here.
fn geometry<B: Host>(x: &FloatTensor<B>, layer: &Layer<B>) -> Option<Geometry> {
    let geometry = Geometry::new(&x.shape().dims(), layer)?.of_one_pixel();
    let spec = &geometry.spec;
    let known = matches!(
        geometry.activation,
        Activation::Identity | Activation::Relu | Activation::Clamp { .. } | Activation::Tanh
    );
    (known && (spec.groups == 1 || spec.is_depthwise()))
        .then_some(geometry)
        .filter(|geometry| geometry.of_input_gradient().is_some())
}

/// The convolution, its bias and its activation; `None` where gradients are not computed here.
pub(in crate::ops) fn convolution<B: Host>(
    x: &FloatTensor<B>,
    layer: &Layer<B>,
) -> Option<FloatTensor<B>> {
    let geometry = geometry::<B>(x, layer)?;
    let x = B::contiguous(x.clone());
    let weight = B::contiguous(layer.weight.clone());
    let (input, weights) = (B::floats(&x)?, B::floats(&weight)?);
    let bias = match &layer.bias {
        Bias::Each(bias) => Some(B::contiguous(bias.clone())),
        Bias::Absent => None,
    };
    let biases = match &bias {
        Some(bias) => Some(B::floats(bias)?),
        None => None,
    };
    let [height, width] = geometry.spec.output(geometry.size);
    let shape = Shape::new([x.shape()[0], geometry.spec.channels_out, height, width]);
    let taps = Taps::new(&geometry.spec, weights);
    Some(B::tensor(run_once(&geometry, &taps, biases, input), shape))
}

/// The output of a convolution whose weights serve once.
fn run_once(geometry: &Geometry, taps: &Taps, biases: Option<&[f32]>, input: &[f32]) -> Vec<f32> {
    let [channels, height, width] = [
        geometry.spec.channels_in,
        geometry.size[0],
        geometry.size[1],
    ];
    let images = input.len() / (channels * height * width);
    let output = geometry.spec.output(geometry.size);
    let threads = threads(images * geometry.spec.multiply_adds(output));
    with_memory(|memory| {
        let plan: PackedProgram = geometry.load_once(images, threads, taps, biases, memory);
        let output = run(&plan, threads, input);
        (output, plan.into_weights().unwrap_or_default())
    })
}

/// The gradients of a convolution that [`convolution`] computed, of those of its input, weight and bias that
/// are `wanted`; `y` is its output.
pub(in crate::ops) fn convolution_gradients<B: Host>(
    x: FloatTensor<B>,
    layer: &Layer<B>,
    y: Option<FloatTensor<B>>,
    gradient: FloatTensor<B>,
    wanted: [bool; 3],
) -> LayerGradients<B> {
    let geometry = geometry::<B>(&x, layer).expect("computed here");
    let spec = &geometry.spec;
    let x = B::contiguous(x);
    let weight = B::contiguous(layer.weight.clone());
    let gradient = B::contiguous(gradient);
    let floats = floats::<B>;
    let (input, weights) = (floats(&x), floats(&weight));
    let output = spec.output(geometry.size);
    let area = output[0] * output[1];
    let y = y.map(B::contiguous);
    let masked = (y.as_ref()).map(|y| masked(geometry.activation, floats(y), floats(&gradient)));
    let gradient = masked.as_deref().unwrap_or(floats(&gradient));
    let images = x.shape()[0];
    let threads = threads(images * spec.multiply_adds(output));
    let [want_x, want_weight, want_bias] = wanted;
    LayerGradients {
        x: want_x.then(|| {
            let taps = Taps::new(spec, weights);
            let taps = match spec.is_depthwise() {
                true => Taps {
                    reversed: true,
                    ..taps
                },
                false => taps.transposed(),
            };
            let back = geometry.of_input_gradient().expect("computed here");
            if spec.kernel == [1, 1] && spec.padding.is_empty() {
                // Pixels between those that are seen have none.
                let seen = Geometry {
                    size: output,
                    ..back.unpadded()
                };
                let made = run_once(&seen, &taps, None, gradient);
                let made = dilate_input(threads, made.into(), output, spec.stride, geometry.size);
                return B::tensor(made.into_owned(), x.shape());
            }
            let gradient = dilate_input(threads, gradient.into(), output, spec.stride, back.size);
            let gradient = &*gradient;
            B::tensor(run_once(&back, &taps, None, gradient), x.shape())
        }),
        weight: want_weight.then(|| {
            let values = with_memory(|mut memory| {
                let arrays = [input, gradient];
                let values = weight_gradient(
                    geometry.isa,
                    threads,
                    spec,
                    geometry.size,
                    arrays,
                    &mut memory,
                );
                (values, memory)
            });
            B::tensor(values, weight.shape())
        }),
        bias: want_bias.then(|| {
            let values = bias_gradient(threads, spec.channels_out, area, gradient);
            B::tensor(values, Shape::new([spec.channels_out]))
        }),
    }
}
