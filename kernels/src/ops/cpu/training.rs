//! The operations of training: with weights that serve once, and their gradients.

mod linear;
mod mean_pool;
mod response;
#[cfg(all(test, feature = "flex"))]
mod tests;

use std::cell::RefCell;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Shape};

use super::program::{Geometry, isa};
use super::{Host, run, threads};
use crate::cpu::gradient::{
    Norm, SgdParams, bias_gradient, dilate_input, elementwise, max_pool_gradient, normalise,
    normalise_gradient, sgd_step, weight_gradient,
};
use crate::cpu::{Activation, Buffer, PoolWindow, Taps};
use crate::ops::convolution::{Bias, Layer};
use crate::ops::gradient::LayerGradients;
use crate::plan::PackedProgram;
pub(in crate::ops) use linear::{fully_connected, linear_gradients};
pub(in crate::ops) use mean_pool::{mean_pool, mean_pool_gradient};
pub(in crate::ops) use response::{BETA, response};

/// Elements of memory that a thread keeps for its next operation.
const KEPT: usize = 16 << 20;

thread_local! {
    /// Packed weights, and the maps and sums of a weight's gradient.
    static MEMORY: RefCell<Buffer> = RefCell::default();
}

/// The memory, larger if need be, given back afterwards.
fn with_memory<R>(work: impl FnOnce(Buffer) -> (R, Buffer)) -> R {
    MEMORY.with_borrow_mut(|kept| {
        let (result, memory) = work(std::mem::take(kept));
        if memory.len() <= KEPT {
            *kept = memory;
        }
        result
    })
}

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

/// The elements of a contiguous tensor that was of `f32` in the forward pass.
fn floats<B: Host>(tensor: &FloatTensor<B>) -> &[f32] {
    B::floats(tensor).expect("computed here")
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

/// The gradient before the activation whose output is `y`.
fn masked(activation: Activation, y: &[f32], gradient: &[f32]) -> Vec<f32> {
    let threads = threads(y.len() * PASSES);
    let pair = [y, gradient];
    match activation {
        Activation::Relu => elementwise(threads, pair, |y, g| if y > 0.0 { g } else { 0.0 }),
        Activation::Clamp { low, high } => elementwise(threads, pair, |y, g| {
            let open = y > low && y < high;
            if open { g } else { 0.0 }
        }),
        Activation::Tanh => elementwise(threads, pair, |y, g| g * (1.0 - y * y)),
        _ => gradient.to_vec(),
    }
}

/// Whether this tensor's batch norm, pools and steps of descent are computed here.
pub(in crate::ops) fn is_supported<B: Host>(x: &FloatTensor<B>) -> bool {
    x.dtype() == DType::F32 && x.shape().num_elements() > 0 && isa().is_some()
}

/// Batch norm over the statistics of `x`, `[images, channels, height, width]`, and the activation.
pub(in crate::ops) fn batch_norm<B: Host>(
    x: FloatTensor<B>,
    [gamma, beta]: [FloatTensor<B>; 2],
    epsilon: f64,
    activation: Activation,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let [x, gamma, beta] = [x, gamma, beta].map(B::contiguous);
    let shape = x.shape();
    let values = B::floats(&x).expect("checked before");
    let norm = Norm {
        gamma: B::floats(&gamma).expect("as the input"),
        beta: B::floats(&beta).expect("as the input"),
        epsilon,
        activation,
    };
    let isa = isa().expect("checked before");
    let area = shape[2] * shape[3];
    let made = normalise(isa, threads(values.len() * PASSES), values, area, &norm);
    let channels = Shape::new([shape[1]]);
    (
        B::tensor(made.y, shape),
        B::tensor(made.mean, channels.clone()),
        B::tensor(made.variance, channels),
    )
}

/// Multiply-adds that take as long as an element takes to come from memory and go there, about.
const PASSES: usize = 4;

/// The gradients of [`batch_norm`]'s input, scale and shift.
pub(in crate::ops) fn batch_norm_gradients<B: Host>(
    x: FloatTensor<B>,
    [gamma, beta, mean, variance]: [FloatTensor<B>; 4],
    epsilon: f64,
    activation: Activation,
    gradient: FloatTensor<B>,
) -> [FloatTensor<B>; 3] {
    let [x, gamma, beta, mean, variance, gradient] =
        [x, gamma, beta, mean, variance, gradient].map(B::contiguous);
    let floats = floats::<B>;
    let shape = x.shape();
    let norm = Norm {
        gamma: floats(&gamma),
        beta: floats(&beta),
        epsilon,
        activation,
    };
    let values = floats(&x);
    let made = normalise_gradient(
        isa().expect("computed here"),
        threads(values.len() * PASSES),
        [values, floats(&gradient)],
        shape[2] * shape[3],
        &norm,
        [floats(&mean), floats(&variance)],
    );
    let channels = Shape::new([shape[1]]);
    [
        B::tensor(made.x, shape),
        B::tensor(made.gamma, channels.clone()),
        B::tensor(made.beta, channels),
    ]
}

/// The gradient of the input `x` of a max pool to `y`.
pub(in crate::ops) fn max_pool_gradients<B: Host>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    window: &PoolWindow,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let [x, y, gradient] = [x, y, gradient].map(B::contiguous);
    let floats = floats::<B>;
    let sizes = [&x, &y].map(|map| [map.shape()[2], map.shape()[3]]);
    let taps = window.kernel[0] * window.kernel[1];
    let made = max_pool_gradient(
        threads(floats(&y).len() * taps),
        window,
        sizes,
        floats(&x),
        [floats(&y), floats(&gradient)],
    );
    B::tensor(made, x.shape())
}

/// The ReLU of the sum.
pub(in crate::ops) fn add_relu<B: Host>(x: FloatTensor<B>, y: FloatTensor<B>) -> FloatTensor<B> {
    let [x, y] = [x, y].map(B::contiguous);
    let values = [&x, &y].map(|tensor| B::floats(tensor).expect("checked before"));
    // Not a number stays what it is.
    let threads = threads(values[0].len() * PASSES);
    let sum = elementwise(
        threads,
        values,
        |x, y| if x + y < 0.0 { 0.0 } else { x + y },
    );
    B::tensor(sum, x.shape())
}

/// The gradient before a ReLU whose output is `y`.
pub(in crate::ops) fn relu_gradient<B: Host>(
    y: FloatTensor<B>,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let [y, gradient] = [y, gradient].map(B::contiguous);
    let floats = floats::<B>;
    let made = masked(Activation::Relu, floats(&y), floats(&gradient));
    B::tensor(made, y.shape())
}

/// A step of gradient descent, in place where nobody else has the weights and the velocity.
pub(in crate::ops) fn gradient_descent<B: Host>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    velocity: FloatTensor<B>,
    descent: SgdParams,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let gradient = B::contiguous(gradient);
    let own = |x: FloatTensor<B>| -> FloatTensor<B> {
        let mut x = B::contiguous(x);
        if B::floats_mut(&mut x).is_some() {
            return x;
        }
        let values = B::floats(&x).expect("checked before").to_vec();
        B::tensor(values, x.shape())
    };
    let (mut weight, mut velocity) = (own(weight), own(velocity));
    let values = B::floats(&gradient).expect("as the weights");
    sgd_step(
        isa().expect("checked before"),
        threads(values.len()),
        descent,
        B::floats_mut(&mut weight).expect("its own"),
        values,
        B::floats_mut(&mut velocity).expect("its own"),
    );
    (weight, velocity)
}
