//! Batch norm over the statistics of the batch itself, with the activation after it, and its gradient.
//!
//! Planes of one channel are contiguous, vectors go along their pixels. A thread has channels of its own and
//! goes over each a few times, while the cache holds it: statistics are exact in two passes, where the mean of
//! squares less the square of the mean is not.

use crate::cpu::micro::activation::Activation;
use crate::cpu::micro::gradient::{Affine, NormBackward};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// A batch norm: for each channel a scale, a shift, and what is added to the variance; and the activation
/// that follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub epsilon: f64,
    pub activation: Activation,
}

/// What comes out of a batch norm.
pub(crate) struct Normalised {
    /// As the input.
    pub y: Vec<f32>,
    /// Of each channel.
    pub mean: Vec<f32>,
    /// Of each channel, the mean of squares (biased).
    pub variance: Vec<f32>,
}

/// The gradients of a batch norm's input, scale and shift.
pub(crate) struct NormGradient {
    pub x: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// `activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)` over `x`, `[images, channels, area]`,
/// with the statistics of its channels.
pub(crate) fn normalise(
    isa: Isa,
    threads: usize,
    x: &[f32],
    area: usize,
    norm: &Norm,
) -> Normalised {
    let fns = &Kernels::get(isa).norm;
    let channels = norm.gamma.len();
    let planes = Planes::new(x.len(), channels, area);
    let mut y = Vec::with_capacity(x.len());
    let mut mean = vec![0.0; channels];
    let mut variance = vec![0.0; channels];
    let to = Shared::uninit(y.spare_capacity_mut());
    let [means, variances] = [&mut mean, &mut variance].map(|values| Shared::new(values));
    run_team(threads, &|team| {
        for channel in team.static_range(channels) {
            let [sum, _] = planes.sum(channel, |at| fns.moments(&x[at..][..area], 0.0));
            let about = (sum / planes.count) as f32;
            let [sum, squares] = planes.sum(channel, |at| fns.moments(&x[at..][..area], about));
            let rest = sum / planes.count;
            let mean = f64::from(about) + rest;
            let variance = (squares / planes.count - rest * rest).max(0.0);
            let affine = affine(norm, channel, mean, variance);
            for at in planes.of(channel) {
                // SAFETY: there is room for a plane, which is this thread's.
                unsafe { fns.apply(&affine, &x[at..][..area], to.at(at)) };
            }
            // SAFETY: the channel is this thread's.
            unsafe {
                *means.at(channel) = mean as f32;
                *variances.at(channel) = variance as f32;
            }
        }
    });
    // SAFETY: the threads together wrote all planes.
    unsafe { y.set_len(x.len()) };
    Normalised { y, mean, variance }
}

/// The gradients of [`normalise`] where `gradient` is that of its result, `mean` and `variance` its
/// statistics.
///
/// With `g` the gradient before the activation and `h = (x - mean) / deviation`, the shift's gradient is the
/// sum of `g`, the scale's that of `g h`, and the input's `gamma / deviation (g - mean(g) - h mean(g h))`
/// (Batch Normalization, section 3).
pub(crate) fn normalise_gradient(
    isa: Isa,
    threads: usize,
    [x, gradient]: [&[f32]; 2],
    area: usize,
    norm: &Norm,
    [mean, variance]: [&[f32]; 2],
) -> NormGradient {
    let fns = &Kernels::get(isa).norm;
    let channels = norm.gamma.len();
    let planes = Planes::new(x.len(), channels, area);
    assert_eq!(x.len(), gradient.len(), "as many gradients as values");
    let mut to = Vec::with_capacity(x.len());
    let mut gamma = vec![0.0; channels];
    let mut beta = vec![0.0; channels];
    let x_gradient = Shared::uninit(to.spare_capacity_mut());
    let [gammas, betas] = [&mut gamma, &mut beta].map(|values| Shared::new(values));
    run_team(threads, &|team| {
        for channel in team.static_range(channels) {
            let (mean, variance) = (f64::from(mean[channel]), f64::from(variance[channel]));
            let affine = affine(norm, channel, mean, variance);
            let [sum, product] = planes.sum(channel, |at| {
                fns.gradient_sums(&affine, &x[at..][..area], &gradient[at..][..area])
            });
            let inverse = 1.0 / (variance + norm.epsilon).sqrt();
            let scale = f64::from(norm.gamma[channel]) * inverse;
            let back = NormBackward {
                by_gradient: scale as f32,
                by_distance: (-scale * inverse * inverse * product / planes.count) as f32,
                constant: (-scale * sum / planes.count) as f32,
            };
            for at in planes.of(channel) {
                let [x, gradient] = [x, gradient].map(|values| &values[at..][..area]);
                // SAFETY: there is room for a plane, which is this thread's.
                unsafe { fns.back(&affine, &back, x, gradient, x_gradient.at(at)) };
            }
            // SAFETY: the channel is this thread's.
            unsafe {
                *gammas.at(channel) = (product * inverse) as f32;
                *betas.at(channel) = sum as f32;
            }
        }
    });
    // SAFETY: the threads together wrote all planes.
    unsafe { to.set_len(x.len()) };
    NormGradient { x: to, gamma, beta }
}

/// Where the planes of each channel begin.
struct Planes {
    images: usize,
    channels: usize,
    area: usize,
    /// Values of a channel.
    count: f64,
}

impl Planes {
    fn new(len: usize, channels: usize, area: usize) -> Self {
        let images = len / (channels * area);
        assert_eq!(len, images * channels * area, "whole images");
        Self {
            images,
            channels,
            area,
            count: (images * area) as f64,
        }
    }

    fn of(&self, channel: usize) -> impl Iterator<Item = usize> + use<> {
        let (channels, area) = (self.channels, self.area);
        (0..self.images).map(move |image| (image * channels + channel) * area)
    }

    /// The sums over the channel's planes of what `plane` gives for each.
    fn sum(&self, channel: usize, plane: impl Fn(usize) -> [f32; 2]) -> [f64; 2] {
        self.of(channel).fold([0.0; 2], |sums, at| {
            let [a, b] = plane(at);
            [sums[0] + f64::from(a), sums[1] + f64::from(b)]
        })
    }
}

/// The affine map of a channel with this mean and variance.
fn affine(norm: &Norm, channel: usize, mean: f64, variance: f64) -> Affine {
    let deviation = (variance + norm.epsilon).sqrt();
    Affine {
        mean: mean as f32,
        scale: (f64::from(norm.gamma[channel]) / deviation) as f32,
        shift: norm.beta[channel],
        activation: norm.activation,
    }
}
