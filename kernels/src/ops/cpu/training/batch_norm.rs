//! Batch norm over the statistics of a batch, with its activation, and its gradients.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::memory::{PASSES, floats};
use crate::cpu::Activation;
use crate::cpu::gradient::{Norm, normalise, normalise_gradient};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::Host;
use crate::ops::cpu::program::isa;

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
