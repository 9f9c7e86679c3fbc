//! Batch norm over the statistics of the batch, fused with the activation after it, and its
//! gradient.
//!
//! Arrays are `[images, channels, area]`; vectors hold adjacent pixels of a plane. Each thread
//! computes whole channels and passes over a channel several times while the cache holds it. The
//! variance is computed in two passes, since the mean of squares minus the squared mean loses digits
//! to cancellation.

use crate::cpu::micro::activation::Activation;
use crate::cpu::micro::gradient::{Affine, NormBackward};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// Parameters of a batch norm and the activation after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchNormParams<'a> {
    /// Scale of each channel.
    pub gamma: &'a [f32],
    /// Shift of each channel.
    pub beta: &'a [f32],
    /// Constant that is added to the variance.
    pub epsilon: f64,
    pub activation: Activation,
}

/// Output and statistics of a batch norm.
pub(crate) struct BatchNormOutput {
    /// Output, with the shape of the input.
    pub y: Vec<f32>,
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Biased variance of each channel: the mean of squared deviations.
    pub variance: Vec<f32>,
}

/// Gradients of the input, scale and shift of a batch norm.
pub(crate) struct BatchNormGradients {
    pub x: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// Returns `activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)` for `x`,
/// `[images, channels, area]`, and the mean and variance of each channel.
///
/// # Panics
///
/// When `x` is not a whole number of images.
pub(crate) fn batch_norm_forward(
    isa: Isa,
    threads: usize,
    x: &[f32],
    area: usize,
    params: &BatchNormParams,
) -> BatchNormOutput {
    let fns = &Kernels::get(isa).norm;
    let channels = params.gamma.len();
    let planes = ChannelPlanes::new(x.len(), channels, area);
    let mut y = Vec::with_capacity(x.len());
    let mut mean = vec![0.0; channels];
    let mut variance = vec![0.0; channels];
    let output = Shared::uninit(y.spare_capacity_mut());
    let [means, variances] = [&mut mean, &mut variance].map(|values| Shared::new(values));
    run_team(threads, &|part| {
        for channel in part.static_range(channels) {
            let [sum, _] = planes.sum(channel, |offset| fns.moments(&x[offset..][..area], 0.0));
            let estimate = (sum / planes.values_per_channel) as f32;
            let [sum, squares] = planes.sum(channel, |offset| {
                fns.moments(&x[offset..][..area], estimate)
            });
            let correction = sum / planes.values_per_channel;
            let mean = f64::from(estimate) + correction;
            let variance = (squares / planes.values_per_channel - correction * correction).max(0.0);
            let affine = affine(params, channel, mean, variance);
            for offset in planes.offsets(channel) {
                // SAFETY: the plane lies within the capacity, and only this thread writes it.
                unsafe { fns.apply(&affine, &x[offset..][..area], output.at(offset)) };
            }
            // SAFETY: both arrays have `channels` elements, and only this thread writes this one.
            unsafe {
                *means.at(channel) = mean as f32;
                *variances.at(channel) = variance as f32;
            }
        }
    });
    // SAFETY: the static ranges of the parts cover all channels, so every plane is written.
    unsafe { y.set_len(x.len()) };
    BatchNormOutput { y, mean, variance }
}

/// Returns the gradients of [`batch_norm_forward`], where `gradient` is the gradient of its output
/// and `mean` and `variance` are its statistics.
///
/// With `g` the gradient before the activation and `h = (x - mean) / deviation`, the gradient of the
/// shift is the sum of `g`, that of the scale the sum of `g h`, and that of the input
/// `gamma / deviation (g - mean(g) - h mean(g h))` (Batch Normalization, section 3).
///
/// # Panics
///
/// When the lengths of `x` and `gradient` differ, or are not a whole number of images.
pub(crate) fn batch_norm_backward(
    isa: Isa,
    threads: usize,
    [x, gradient]: [&[f32]; 2],
    area: usize,
    params: &BatchNormParams,
    [mean, variance]: [&[f32]; 2],
) -> BatchNormGradients {
    let fns = &Kernels::get(isa).norm;
    let channels = params.gamma.len();
    let planes = ChannelPlanes::new(x.len(), channels, area);
    assert_eq!(
        x.len(),
        gradient.len(),
        "the gradient must have the length of the input"
    );
    let mut x_gradient = Vec::with_capacity(x.len());
    let mut gamma = vec![0.0; channels];
    let mut beta = vec![0.0; channels];
    let output = Shared::uninit(x_gradient.spare_capacity_mut());
    let [gammas, betas] = [&mut gamma, &mut beta].map(|values| Shared::new(values));
    run_team(threads, &|part| {
        for channel in part.static_range(channels) {
            let (mean, variance) = (f64::from(mean[channel]), f64::from(variance[channel]));
            let affine = affine(params, channel, mean, variance);
            let [sum, product] = planes.sum(channel, |offset| {
                fns.gradient_sums(&affine, &x[offset..][..area], &gradient[offset..][..area])
            });
            let inverse = 1.0 / (variance + params.epsilon).sqrt();
            let scale = f64::from(params.gamma[channel]) * inverse;
            let count = planes.values_per_channel;
            let back = NormBackward {
                by_gradient: scale as f32,
                by_distance: (-scale * inverse * inverse * product / count) as f32,
                constant: (-scale * sum / count) as f32,
            };
            for offset in planes.offsets(channel) {
                let [x, gradient] = [x, gradient].map(|values| &values[offset..][..area]);
                // SAFETY: the plane lies within the capacity, and only this thread writes it.
                unsafe { fns.back(&affine, &back, x, gradient, output.at(offset)) };
            }
            // SAFETY: both arrays have `channels` elements, and only this thread writes this one.
            unsafe {
                *gammas.at(channel) = (product * inverse) as f32;
                *betas.at(channel) = sum as f32;
            }
        }
    });
    // SAFETY: the static ranges of the parts cover all channels, so every plane is written.
    unsafe { x_gradient.set_len(x.len()) };
    BatchNormGradients {
        x: x_gradient,
        gamma,
        beta,
    }
}

/// Offsets of the planes of each channel in an array `[images, channels, area]`.
struct ChannelPlanes {
    images: usize,
    channels: usize,
    area: usize,
    values_per_channel: f64,
}

impl ChannelPlanes {
    fn new(len: usize, channels: usize, area: usize) -> Self {
        let images = len / (channels * area);
        assert_eq!(
            len,
            images * channels * area,
            "the input must hold whole images"
        );
        Self {
            images,
            channels,
            area,
            values_per_channel: (images * area) as f64,
        }
    }

    /// Offset of the channel's plane of each image.
    fn offsets(&self, channel: usize) -> impl Iterator<Item = usize> + use<> {
        let (channels, area) = (self.channels, self.area);
        (0..self.images).map(move |image| (image * channels + channel) * area)
    }

    /// Sums over the channel's planes of the two values that `of_plane` returns for the offset of
    /// each plane.
    fn sum(&self, channel: usize, of_plane: impl Fn(usize) -> [f32; 2]) -> [f64; 2] {
        self.offsets(channel).fold([0.0; 2], |sums, offset| {
            let [a, b] = of_plane(offset);
            [sums[0] + f64::from(a), sums[1] + f64::from(b)]
        })
    }
}

/// The affine map of a channel with this mean and variance.
fn affine(params: &BatchNormParams, channel: usize, mean: f64, variance: f64) -> Affine {
    let deviation = (variance + params.epsilon).sqrt();
    Affine {
        mean: mean as f32,
        scale: (f64::from(params.gamma[channel]) / deviation) as f32,
        shift: params.beta[channel],
        activation: params.activation,
    }
}
