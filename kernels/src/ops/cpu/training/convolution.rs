//! Convolution whose weights are packed for one run, and its gradients.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::elementwise::activation_gradient;
use super::memory::{f32_slice, with_memory};
use crate::cpu::gradient::{bias_gradient, dilate_input, weight_gradient};
use crate::cpu::{Activation, Taps};
use crate::ops::cpu::execute::{run, threads};
use crate::ops::cpu::host::HostBackend;
use crate::ops::cpu::program::ConvGeometry;
use crate::ops::definition::convolution::{Bias, Layer};
use crate::ops::definition::layer_gradients::LayerGradients;
use crate::plan::PackedProgram;

/// The geometry of a layer without norm; `None` if the kernels do not compute its gradients.
fn geometry<B: HostBackend>(x: &FloatTensor<B>, layer: &Layer<B>) -> Option<ConvGeometry> {
    let geometry = ConvGeometry::new(&x.shape().dims(), layer)?.flatten_full_kernel();
    let spec = &geometry.spec;
    let has_activation_gradient = matches!(
        geometry.activation,
        Activation::Identity | Activation::Relu | Activation::Clamp { .. } | Activation::Tanh
    );
    (has_activation_gradient && (spec.groups == 1 || spec.is_depthwise()))
        .then_some(geometry)
        .filter(|geometry| geometry.of_input_gradient().is_some())
}

/// Returns the convolution with its bias and activation; `None` if the kernels do not compute its
/// gradients.
pub(in crate::ops) fn convolution<B: HostBackend>(
    x: &FloatTensor<B>,
    layer: &Layer<B>,
) -> Option<FloatTensor<B>> {
    let geometry = geometry::<B>(x, layer)?;
    let x = B::into_contiguous(x.clone());
    let weight = B::into_contiguous(layer.weight.clone());
    let (input, weights) = (B::as_f32_slice(&x)?, B::as_f32_slice(&weight)?);
    let bias = match &layer.bias {
        Bias::Each(bias) => Some(B::into_contiguous(bias.clone())),
        Bias::Absent => None,
    };
    let biases = match &bias {
        Some(bias) => Some(B::as_f32_slice(bias)?),
        None => None,
    };
    let [height, width] = geometry.spec.output(geometry.size);
    let shape = Shape::new([x.shape()[0], geometry.spec.channels_out, height, width]);
    let taps = Taps::new(&geometry.spec, weights);
    let output = pack_and_run(&geometry, &taps, biases, input);
    Some(B::from_vec(output, shape))
}

/// Packs the weights of a convolution for one run, and returns its output.
fn pack_and_run(
    geometry: &ConvGeometry,
    taps: &Taps,
    biases: Option<&[f32]>,
    input: &[f32],
) -> Vec<f32> {
    let [channels, height, width] = [
        geometry.spec.channels_in,
        geometry.size[0],
        geometry.size[1],
    ];
    let images = input.len() / (channels * height * width);
    let output = geometry.spec.output(geometry.size);
    let threads = threads(images * geometry.spec.multiply_adds(output));
    with_memory(|memory| {
        let program: PackedProgram = geometry.pack_program(images, threads, taps, biases, memory);
        let output = run(&program, threads, input);
        (output, program.into_weights().unwrap_or_default())
    })
}

/// Returns the `wanted` gradients of the input, weight and bias of a [`convolution`]. `y` is its
/// output, which is required if the layer has an activation.
pub(in crate::ops) fn convolution_gradients<B: HostBackend>(
    x: FloatTensor<B>,
    layer: &Layer<B>,
    y: Option<FloatTensor<B>>,
    gradient: FloatTensor<B>,
    wanted: [bool; 3],
) -> LayerGradients<B> {
    let geometry = geometry::<B>(&x, layer).expect("checked in the forward pass");
    let spec = &geometry.spec;
    let x = B::into_contiguous(x);
    let weight = B::into_contiguous(layer.weight.clone());
    let gradient = B::into_contiguous(gradient);
    let f32_slice = f32_slice::<B>;
    let (input, weights) = (f32_slice(&x), f32_slice(&weight));
    let output = spec.output(geometry.size);
    let area = output[0] * output[1];
    let y = y.map(B::into_contiguous);
    let before_activation = y
        .as_ref()
        .map(|y| activation_gradient(geometry.activation, f32_slice(y), f32_slice(&gradient)));
    let gradient = before_activation.as_deref().unwrap_or(f32_slice(&gradient));
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
            let backward = geometry
                .of_input_gradient()
                .expect("checked in the forward pass");
            if spec.kernel == [1, 1] && spec.padding.is_empty() {
                // A strided pointwise convolution reads one pixel per output pixel. The
                // gradient is computed for these pixels; all other pixels have the gradient 0.
                let read_pixels = ConvGeometry {
                    size: output,
                    ..backward.without_padding()
                };
                let values = pack_and_run(&read_pixels, &taps, None, gradient);
                let values =
                    dilate_input(threads, values.into(), output, spec.stride, geometry.size);
                return B::from_vec(values.into_owned(), x.shape());
            }
            let gradient =
                dilate_input(threads, gradient.into(), output, spec.stride, backward.size);
            let values = pack_and_run(&backward, &taps, None, &gradient);
            B::from_vec(values, x.shape())
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
            B::from_vec(values, weight.shape())
        }),
        bias: want_bias.then(|| {
            let values = bias_gradient(threads, spec.channels_out, area, gradient);
            B::from_vec(values, Shape::new([spec.channels_out]))
        }),
    }
}
