//! Gradients of convolution, batch norm and pooling, and elementwise functions of training, against
//! references in `f64`, on every instruction set with 1, 2 and 3 threads.

use proptest::prelude::*;

use super::super::gradient::{
    BatchNormParams, PlanarMeanPool, batch_norm_backward, batch_norm_forward, bias_gradient,
    dilate_input, elementwise, max_pool_gradient, weight_gradient,
};
use super::super::{Activation, Border, Buffer, ConvSpec, Isa, PoolWindow};
use super::{config, random_values};

/// Returns the result of `compute`, called with an instruction set and a number of threads, on each
/// instruction set.
///
/// # Panics
///
/// When 2 or 3 threads give other bits than one thread.
pub(super) fn on_every_isa(compute: impl Fn(Isa, usize) -> Vec<f32>) -> Vec<(Isa, Vec<f32>)> {
    Isa::available()
        .map(|isa| {
            let serial = compute(isa, 1);
            for threads in [2, 3] {
                let parallel = compute(isa, threads);
                let same = serial
                    .iter()
                    .zip(&parallel)
                    .all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(
                    same && serial.len() == parallel.len(),
                    "{isa}, {threads} threads"
                );
            }
            (isa, serial)
        })
        .collect()
}

/// Checks that the error of each value of `found` is at most `tolerance * max(magnitude, 1)`.
/// `expected` holds `[value, magnitude]`, where the magnitude is the sum of the magnitudes of the
/// added terms.
pub(super) fn check_errors(
    found: &[(Isa, Vec<f32>)],
    expected: &[[f64; 2]],
    tolerance: f64,
) -> Result<(), TestCaseError> {
    for (isa, found) in found {
        prop_assert_eq!(found.len(), expected.len());
        for (at, (&found, &[value, magnitude])) in found.iter().zip(expected).enumerate() {
            let error = (f64::from(found) - value).abs();
            prop_assert!(
                error <= tolerance * magnitude.max(1.0),
                "{}: {} at index {}, expected {}",
                isa,
                found,
                at,
                value
            );
        }
    }
    Ok(())
}

/// Strategy for a convolution, depthwise or of one group, the height and width of its input, a
/// batch size and a seed.
fn convolutions() -> impl Strategy<Value = (ConvSpec, [usize; 2], usize, u64)> {
    let channels_in = prop_oneof![1_usize..5, 1_usize..40];
    let channels = (channels_in, 1_usize..40, any::<bool>());
    let window = (
        [1_usize..6, 1_usize..9],
        [1_usize..4, 1_usize..4],
        [1_usize..3, 1_usize..3],
    );
    let padding_and_extra_size = (
        [0_usize..3, 0_usize..3, 0_usize..3, 0_usize..3],
        [0_usize..20, 0_usize..20],
    );
    (
        channels,
        window,
        padding_and_extra_size,
        1_usize..6,
        any::<u64>(),
    )
        .prop_map(
            |(
                (channels_in, channels_out, depthwise),
                (kernel, stride, dilation),
                ([top, bottom, left, right], extra_size),
                images,
                seed,
            )| {
                let spec = ConvSpec {
                    channels_in,
                    channels_out: if depthwise { channels_in } else { channels_out },
                    kernel,
                    stride,
                    padding: Border {
                        top,
                        bottom,
                        left,
                        right,
                    },
                    dilation,
                    groups: if depthwise { channels_in } else { 1 },
                };
                let size =
                    std::array::from_fn(|i| (kernel[i] - 1) * dilation[i] + 1 + extra_size[i]);
                (spec, size, images, seed % 1000)
            },
        )
}

/// Returns `[gradient, magnitude]` of each weight by the definition; the magnitude is the sum of
/// the magnitudes of the added products.
fn weight_gradient_reference(
    spec: &ConvSpec,
    size: [usize; 2],
    images: usize,
    x: &[f32],
    gradient: &[f32],
) -> Vec<[f64; 2]> {
    let [height, width] = spec.output(size);
    let [group_in, group_out] = [spec.channels_in, spec.channels_out].map(|n| n / spec.groups);
    let mut sums = Vec::new();
    for out in 0..spec.channels_out {
        for channel in 0..group_in {
            let plane = out / group_out * group_in + channel;
            for tap in 0..spec.kernel[0] * spec.kernel[1] {
                let tap = [tap / spec.kernel[1], tap % spec.kernel[1]];
                let mut sum = [0.0; 2];
                for image in 0..images {
                    for pixel in 0..height * width {
                        let [y_row, y_column] = [pixel / width, pixel % width];
                        let row = (y_row * spec.stride[0] + tap[0] * spec.dilation[0])
                            .checked_sub(spec.padding.top)
                            .filter(|&row| row < size[0]);
                        let column = (y_column * spec.stride[1] + tap[1] * spec.dilation[1])
                            .checked_sub(spec.padding.left)
                            .filter(|&column| column < size[1]);
                        if let (Some(row), Some(column)) = (row, column) {
                            let x_row = (image * spec.channels_in + plane) * size[0] + row;
                            let y_index =
                                (image * spec.channels_out + out) * height * width + pixel;
                            let product = f64::from(x[x_row * size[1] + column])
                                * f64::from(gradient[y_index]);
                            sum[0] += product;
                            sum[1] += product.abs();
                        }
                    }
                }
                sums.push(sum);
            }
        }
    }
    sums
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn weight_gradient_is_within_its_error_bound((spec, size, images, seed) in convolutions()) {
        let [height, width] = spec.output(size);
        let x = random_values(seed, images * spec.channels_in * size[0] * size[1]);
        let gradient = random_values(seed + 1, images * spec.channels_out * height * width);
        let found = on_every_isa(|isa, threads| {
            let mut memory = Buffer::default();
            weight_gradient(isa, threads, &spec, size, [&x, &gradient], &mut memory)
        });
        check_errors(&found, &weight_gradient_reference(&spec, size, images, &x, &gradient), 1e-5)?;
    }

    #[test]
    fn bias_gradient_is_within_its_error_bound(
        channels in 1_usize..9,
        area in 1_usize..60,
        images in 1_usize..4,
        seed in 0_u64..1000,
    ) {
        let gradient = random_values(seed, images * channels * area);
        let expected: Vec<[f64; 2]> = (0..channels)
            .map(|channel| {
                let values = gradient.iter().enumerate();
                let of_channel = values.filter(|(at, _)| at / area % channels == channel);
                of_channel.fold([0.0; 2], |[sum, magnitude], (_, &g)| {
                    [sum + f64::from(g), magnitude + f64::from(g).abs()]
                })
            })
            .collect();
        let found = on_every_isa(|_, threads| bias_gradient(threads, channels, area, &gradient));
        check_errors(&found, &expected, 1e-6)?;
    }

    #[test]
    fn batch_norm_and_its_gradient_are_within_their_error_bounds(
        [images, channels, area] in [1_usize..5, 1_usize..6, 2_usize..50],
        activation in prop_oneof![
            Just(Activation::Identity),
            Just(Activation::Relu),
            Just(Activation::Clamp { low: -0.3, high: 0.8 }),
        ],
        seed in 0_u64..1000,
    ) {
        let count = images * channels * area;
        let (x, gradient) = (random_values(seed, count), random_values(seed + 1, count));
        let (gamma, beta) = (random_values(seed + 2, channels), random_values(seed + 3, channels));
        let norm = BatchNormParams { gamma: &gamma, beta: &beta, epsilon: 1e-2, activation };
        let channel_of = |at: usize| at / area % channels;
        let channel_sums = |values: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; channels];
            (0..count).for_each(|at| sums[channel_of(at)] += values(at));
            sums
        };
        let values_per_channel = (images * area) as f64;
        let mean = channel_sums(&|at| f64::from(x[at]) / values_per_channel);
        let centered = |at: usize| f64::from(x[at]) - mean[channel_of(at)];
        let variance = channel_sums(&|at| centered(at).powi(2) / values_per_channel);
        let inverse_deviation = |channel: usize| 1.0 / (variance[channel] + norm.epsilon).sqrt();
        let normalized = |at: usize| centered(at) * inverse_deviation(channel_of(at));
        let pre_activation = |at: usize| {
            f64::from(gamma[channel_of(at)]) * normalized(at) + f64::from(beta[channel_of(at)])
        };
        let [low, high] = match activation {
            Activation::Relu => [0.0, f64::INFINITY],
            Activation::Clamp { low, high } => [f64::from(low), f64::from(high)],
            _ => [f64::NEG_INFINITY, f64::INFINITY],
        };
        // Near a kink of the activation, rounding may decide whether the gradient is zero.
        let is_far_from = |edge: f64, at: usize| (pre_activation(at) - edge).abs() > 1e-5;
        prop_assume!((0..count).all(|at| is_far_from(low, at) && is_far_from(high, at)));
        let y: Vec<[f64; 2]> = (0..count)
            .map(|at| [pre_activation(at).clamp(low, high), 1.0])
            .collect();
        let found = on_every_isa(|isa, threads| batch_norm_forward(isa, threads, &x, area, &norm).y);
        check_errors(&found, &y, 1e-5)?;
        let statistics = |isa, threads| {
            let output = batch_norm_forward(isa, threads, &x, area, &norm);
            [output.mean, output.variance]
        };
        let found = on_every_isa(|isa, threads| statistics(isa, threads).concat());
        let expected: Vec<_> = mean.iter().chain(&variance).map(|&value| [value, 1.0]).collect();
        check_errors(&found, &expected, 1e-5)?;

        let pre_activation_gradient = |at: usize| {
            let is_linear = pre_activation(at) > low && pre_activation(at) < high;
            if is_linear { f64::from(gradient[at]) } else { 0.0 }
        };
        let beta_gradient = channel_sums(&pre_activation_gradient);
        let gamma_gradient = channel_sums(&|at| pre_activation_gradient(at) * normalized(at));
        let x_gradient = |at: usize| {
            let channel = channel_of(at);
            let sums = beta_gradient[channel] + normalized(at) * gamma_gradient[channel];
            let difference = pre_activation_gradient(at) - sums / values_per_channel;
            f64::from(gamma[channel]) * inverse_deviation(channel) * difference
        };
        let magnitude = 10.0 * (area as f64 * images as f64);
        let expected: Vec<[f64; 2]> = (0..count)
            .map(|at| [x_gradient(at), 10.0])
            .chain(gamma_gradient.iter().chain(&beta_gradient).map(|&sum| [sum, magnitude]))
            .collect();
        let found = on_every_isa(|isa, threads| {
            let [mean, variance] = statistics(isa, threads);
            let arrays = [&x[..], &gradient];
            let gradients =
                batch_norm_backward(isa, threads, arrays, area, &norm, [&mean, &variance]);
            [gradients.x, gradients.gamma, gradients.beta].concat()
        });
        check_errors(&found, &expected, 1e-5)?;
    }

    #[test]
    fn max_pool_gradient_goes_to_the_first_maximum_of_each_window(
        (kernel, stride) in ([1_usize..4, 1_usize..4], [1_usize..4, 1_usize..4]),
        (padding, dilation) in ([0_usize..2, 0_usize..2], [1_usize..3, 1_usize..3]),
        extra_size in [0_usize..8, 0_usize..8],
        planes in 1_usize..5,
        seed in 0_u64..1000,
    ) {
        let padding: [usize; 2] = std::array::from_fn(|i| padding[i].min(kernel[i] / 2));
        let window = PoolWindow { kernel, stride, padding, dilation };
        let size: [usize; 2] =
            std::array::from_fn(|i| (kernel[i] - 1) * dilation[i] + 1 + extra_size[i]);
        let windows: [usize; 2] =
            std::array::from_fn(|i| (extra_size[i] + 2 * padding[i]) / stride[i] + 1);
        let area = size[0] * size[1];
        // Values are rounded to few levels, so that windows have several maxima.
        let x = random_values(seed, planes * area);
        let x: Vec<f32> = x.iter().map(|x| (x * 4.0).round()).collect();
        let count = windows[0] * windows[1];
        let gradient = random_values(seed + 1, planes * count);
        let mut y = vec![f32::NEG_INFINITY; planes * count];
        let mut expected = vec![[0.0, 1.0]; x.len()];
        for at in 0..planes * count {
            let [plane, row, column] = [at / count, at / windows[1] % windows[0], at % windows[1]];
            let mut first_max = None;
            for tap in 0..kernel[0] * kernel[1] {
                let window_and_tap = [[row, tap / kernel[1]], [column, tap % kernel[1]]];
                let pixel: [Option<usize>; 2] = std::array::from_fn(|i| {
                    let [window, tap] = window_and_tap[i];
                    (window * stride[i] + tap * dilation[i])
                        .checked_sub(padding[i])
                        .filter(|&coordinate| coordinate < size[i])
                });
                if let [Some(row), Some(column)] = pixel {
                    let index = plane * area + row * size[1] + column;
                    if x[index] > y[at] {
                        y[at] = x[index];
                        first_max = Some(index);
                    }
                }
            }
            if let Some(index) = first_max {
                expected[index][0] += f64::from(gradient[at]);
            }
        }
        let found = on_every_isa(|_, threads| {
            max_pool_gradient(threads, &window, [size, windows], &x, [&y, &gradient])
        });
        check_errors(&found, &expected, 1e-6)?;
    }

    #[test]
    fn mean_pool_and_its_gradient_are_within_their_error_bounds(
        (kernel, stride) in ([1_usize..4, 1_usize..4], [1_usize..4, 1_usize..4]),
        extra_size in [0_usize..8, 0_usize..8],
        planes in 1_usize..5,
        seed in 0_u64..1000,
    ) {
        let size: [usize; 2] = std::array::from_fn(|i| kernel[i] + extra_size[i]);
        let windows: [usize; 2] = std::array::from_fn(|i| extra_size[i] / stride[i] + 1);
        let pool = PlanarMeanPool { kernel, stride, size, windows };
        let [area, count] = [size, windows].map(|[height, width]| height * width);
        let x = random_values(seed, planes * area);
        let gradient = random_values(seed + 1, planes * count);
        let mut y = vec![[0.0, 1.0]; gradient.len()];
        let mut x_gradient = vec![[0.0, 1.0]; x.len()];
        let taps = kernel[0] * kernel[1];
        for at in 0..planes * count {
            let [plane, row, column] = [at / count, at / windows[1] % windows[0], at % windows[1]];
            for tap in 0..taps {
                let row = row * stride[0] + tap / kernel[1];
                let column = column * stride[1] + tap % kernel[1];
                let index = plane * area + row * size[1] + column;
                y[at][0] += f64::from(x[index]) / taps as f64;
                x_gradient[index][0] += f64::from(gradient[at]) / taps as f64;
            }
        }
        let found = on_every_isa(|_, threads| pool.forward(threads, &x));
        check_errors(&found, &y, 1e-6)?;
        let found = on_every_isa(|_, threads| pool.backward(threads, &gradient));
        check_errors(&found, &x_gradient, 1e-6)?;
    }

    #[test]
    fn elementwise_is_within_its_error_bound(len in 0_usize..20_000, seed in 0_u64..1000) {
        let [a, b] = [random_values(seed, len), random_values(seed + 1, len)];
        let expected: Vec<[f64; 2]> = (a.iter().zip(&b))
            .map(|(&a, &b)| [f64::from(a) - f64::from(b), 1.0])
            .collect();
        let found = on_every_isa(|_, threads| elementwise(threads, [&a, &b], |a, b| a - b));
        check_errors(&found, &expected, 1e-6)?;
    }

    #[test]
    fn dilate_input_inserts_zeros(
        (from, stride) in ([1_usize..9, 1_usize..9], [1_usize..4, 1_usize..4]),
        extra_size in [0_usize..3, 0_usize..3],
        planes in 1_usize..6,
        seed in 0_u64..1000,
    ) {
        let to: [usize; 2] = std::array::from_fn(|i| (from[i] - 1) * stride[i] + 1 + extra_size[i]);
        let [area, dilated_area] = [from, to].map(|[height, width]| height * width);
        let values = random_values(seed, planes * area);
        let expected: Vec<[f64; 2]> = (0..planes * dilated_area)
            .map(|at| {
                let [row, column] = [at / to[1] % to[0], at % to[1]];
                let [down, across] = [row / stride[0], column / stride[1]];
                let is_input = down * stride[0] == row && across * stride[1] == column;
                if is_input && down < from[0] && across < from[1] {
                    let index = at / dilated_area * area + down * from[1] + across;
                    [f64::from(values[index]), 0.0]
                } else {
                    [0.0; 2]
                }
            })
            .collect();
        let found = on_every_isa(|_, threads| {
            dilate_input(threads, values.as_slice().into(), from, stride, to).into_owned()
        });
        check_errors(&found, &expected, 0.0)?;
    }
}
