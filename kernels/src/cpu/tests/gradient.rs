//! Gradients against loops in 64 bits, on every instruction set, with 1, 2 and 3 threads.

use proptest::prelude::*;

use super::super::gradient::{
    BatchNormParams, PlanarMeanPool, batch_norm_backward, batch_norm_forward, bias_gradient,
    dilate_input, elementwise, max_pool_gradient, weight_gradient,
};
use super::super::{Activation, Border, Buffer, ConvSpec, Isa, PoolWindow};
use super::{config, noise};

/// What `compute` gives on each instruction set; as many threads give the same bits.
pub(super) fn each(compute: impl Fn(Isa, usize) -> Vec<f32>) -> Vec<(Isa, Vec<f32>)> {
    Isa::available()
        .map(|isa| {
            let alone = compute(isa, 1);
            for threads in [2, 3] {
                let together = compute(isa, threads);
                let same = alone
                    .iter()
                    .zip(&together)
                    .all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(
                    same && alone.len() == together.len(),
                    "{isa}, {threads} threads"
                );
            }
            (isa, alone)
        })
        .collect()
}

/// Whether `found` is within `tolerance` of `expected`, relative to what was added up there.
pub(super) fn check(
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
                "{}: {} at {}, expected {}",
                isa,
                found,
                at,
                value
            );
        }
    }
    Ok(())
}

/// Convolutions of one group, and depthwise ones.
fn convolution() -> impl Strategy<Value = (ConvSpec, [usize; 2], usize, u64)> {
    let channels_in = prop_oneof![1_usize..5, 1_usize..40];
    let channels = (channels_in, 1_usize..40, any::<bool>());
    let window = (
        [1_usize..6, 1_usize..9],
        [1_usize..4, 1_usize..4],
        [1_usize..3, 1_usize..3],
    );
    let rest = (
        [0_usize..3, 0_usize..3, 0_usize..3, 0_usize..3],
        [0_usize..20, 0_usize..20],
    );
    (channels, window, rest, 1_usize..6, any::<u64>()).prop_map(
        |(
            (channels_in, channels_out, depthwise),
            (kernel, stride, dilation),
            rest,
            images,
            seed,
        )| {
            let ([top, bottom, left, right], more) = rest;
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
            let size = std::array::from_fn(|i| (kernel[i] - 1) * dilation[i] + 1 + more[i]);
            (spec, size, images, seed % 1000)
        },
    )
}

/// The gradient of each weight, and what was added up without signs.
fn weights(
    spec: &ConvSpec,
    size: [usize; 2],
    images: usize,
    x: &[f32],
    gradient: &[f32],
) -> Vec<[f64; 2]> {
    let [height, width] = spec.output(size);
    let [seen, per_group] = [spec.channels_in, spec.channels_out].map(|n| n / spec.groups);
    let mut sums = Vec::new();
    for out in 0..spec.channels_out {
        for channel in 0..seen {
            let plane = out / per_group * seen + channel;
            for tap in 0..spec.kernel[0] * spec.kernel[1] {
                let tap = [tap / spec.kernel[1], tap % spec.kernel[1]];
                let mut sum = [0.0; 2];
                for image in 0..images {
                    for pixel in 0..height * width {
                        let [y, x_] = [pixel / width, pixel % width];
                        let row = (y * spec.stride[0] + tap[0] * spec.dilation[0])
                            .checked_sub(spec.padding.top)
                            .filter(|&row| row < size[0]);
                        let column = (x_ * spec.stride[1] + tap[1] * spec.dilation[1])
                            .checked_sub(spec.padding.left)
                            .filter(|&column| column < size[1]);
                        if let (Some(row), Some(column)) = (row, column) {
                            let at = (image * spec.channels_in + plane) * size[0] + row;
                            let here = (image * spec.channels_out + out) * height * width + pixel;
                            let product =
                                f64::from(x[at * size[1] + column]) * f64::from(gradient[here]);
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
    fn of_weights((spec, size, images, seed) in convolution()) {
        let [height, width] = spec.output(size);
        let x = noise(seed, images * spec.channels_in * size[0] * size[1]);
        let gradient = noise(seed + 1, images * spec.channels_out * height * width);
        let found = each(|isa, threads| {
            let mut memory = Buffer::default();
            weight_gradient(isa, threads, &spec, size, [&x, &gradient], &mut memory)
        });
        check(&found, &weights(&spec, size, images, &x, &gradient), 1e-5)?;
    }

    #[test]
    fn of_biases(channels in 1_usize..9, area in 1_usize..60, images in 1_usize..4, seed in 0_u64..1000) {
        let gradient = noise(seed, images * channels * area);
        let expected: Vec<[f64; 2]> = (0..channels)
            .map(|channel| {
                let values = gradient.iter().enumerate();
                let own = values.filter(|(at, _)| at / area % channels == channel);
                own.fold([0.0; 2], |[sum, size], (_, &g)| {
                    [sum + f64::from(g), size + f64::from(g).abs()]
                })
            })
            .collect();
        let found = each(|_, threads| bias_gradient(threads, channels, area, &gradient));
        check(&found, &expected, 1e-6)?;
    }

    #[test]
    fn of_batch_norm(
        [images, channels, area] in [1_usize..5, 1_usize..6, 2_usize..50],
        activation in prop_oneof![
            Just(Activation::Identity),
            Just(Activation::Relu),
            Just(Activation::Clamp { low: -0.3, high: 0.8 }),
        ],
        seed in 0_u64..1000,
    ) {
        let count = images * channels * area;
        let (x, gradient) = (noise(seed, count), noise(seed + 1, count));
        let (gamma, beta) = (noise(seed + 2, channels), noise(seed + 3, channels));
        let norm = BatchNormParams { gamma: &gamma, beta: &beta, epsilon: 1e-2, activation };
        let of = |at: usize| at / area % channels;
        let total = |values: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; channels];
            (0..count).for_each(|at| sums[of(at)] += values(at));
            sums
        };
        let each_channel = (images * area) as f64;
        let mean = total(&|at| f64::from(x[at]) / each_channel);
        let variance = total(&|at| (f64::from(x[at]) - mean[of(at)]).powi(2) / each_channel);
        let inverse = |channel: usize| 1.0 / (variance[channel] + norm.epsilon).sqrt();
        let distance = |at: usize| (f64::from(x[at]) - mean[of(at)]) * inverse(of(at));
        let before = |at: usize| f64::from(gamma[of(at)]) * distance(at) + f64::from(beta[of(at)]);
        let [low, high] = match activation {
            Activation::Relu => [0.0, f64::INFINITY],
            Activation::Clamp { low, high } => [f64::from(low), f64::from(high)],
            _ => [f64::NEG_INFINITY, f64::INFINITY],
        };
        // Rounding may put a value on the other side of a kink.
        prop_assume!((0..count).all(|at| [low, high].iter().all(|edge| (before(at) - edge).abs() > 1e-5)));
        let y: Vec<[f64; 2]> = (0..count).map(|at| [before(at).clamp(low, high), 1.0]).collect();
        let found = each(|isa, threads| batch_norm_forward(isa, threads, &x, area, &norm).y);
        check(&found, &y, 1e-5)?;
        let statistics = |isa, threads| {
            let made = batch_norm_forward(isa, threads, &x, area, &norm);
            [made.mean, made.variance]
        };
        let found = each(|isa, threads| statistics(isa, threads).concat());
        let expected: Vec<_> = mean.iter().chain(&variance).map(|&value| [value, 1.0]).collect();
        check(&found, &expected, 1e-5)?;

        let passed = |at: usize| {
            let open = before(at) > low && before(at) < high;
            if open { f64::from(gradient[at]) } else { 0.0 }
        };
        let by_beta = total(&passed);
        let by_gamma = total(&|at| passed(at) * distance(at));
        let by_x = |at: usize| {
            let channel = of(at);
            let rest = by_beta[channel] + distance(at) * by_gamma[channel];
            f64::from(gamma[channel]) * inverse(channel) * (passed(at) - rest / each_channel)
        };
        let size = area as f64 * images as f64;
        let expected: Vec<[f64; 2]> = (0..count)
            .map(|at| [by_x(at), 10.0])
            .chain(by_gamma.iter().chain(&by_beta).map(|&sum| [sum, 10.0 * size]))
            .collect();
        let found = each(|isa, threads| {
            let [mean, variance] = statistics(isa, threads);
            let arrays = [&x[..], &gradient];
            let made = batch_norm_backward(isa, threads, arrays, area, &norm, [&mean, &variance]);
            [made.x, made.gamma, made.beta].concat()
        });
        check(&found, &expected, 1e-5)?;
    }

    #[test]
    fn of_max_pools(
        (kernel, stride) in ([1_usize..4, 1_usize..4], [1_usize..4, 1_usize..4]),
        (padding, dilation) in ([0_usize..2, 0_usize..2], [1_usize..3, 1_usize..3]),
        more in [0_usize..8, 0_usize..8],
        planes in 1_usize..5,
        seed in 0_u64..1000,
    ) {
        let padding: [usize; 2] = std::array::from_fn(|i| padding[i].min(kernel[i] / 2));
        let window = PoolWindow { kernel, stride, padding, dilation };
        let size: [usize; 2] = std::array::from_fn(|i| (kernel[i] - 1) * dilation[i] + 1 + more[i]);
        let windows: [usize; 2] =
            std::array::from_fn(|i| (more[i] + 2 * padding[i]) / stride[i] + 1);
        let area = size[0] * size[1];
        // Few different values, so that some are equal.
        let x: Vec<f32> = noise(seed, planes * area).iter().map(|x| (x * 4.0).round()).collect();
        let count = windows[0] * windows[1];
        let gradient = noise(seed + 1, planes * count);
        let mut y = vec![f32::NEG_INFINITY; planes * count];
        let mut expected = vec![[0.0, 1.0]; x.len()];
        for at in 0..planes * count {
            let [plane, row, column] = [at / count, at / windows[1] % windows[0], at % windows[1]];
            let mut best = None;
            for tap in 0..kernel[0] * kernel[1] {
                let slots = [[row, tap / kernel[1]], [column, tap % kernel[1]]];
                let place: [Option<usize>; 2] = std::array::from_fn(|i| {
                    let [window, tap] = slots[i];
                    (window * stride[i] + tap * dilation[i])
                        .checked_sub(padding[i])
                        .filter(|&place| place < size[i])
                });
                if let [Some(row), Some(column)] = place {
                    let place = plane * area + row * size[1] + column;
                    if x[place] > y[at] {
                        y[at] = x[place];
                        best = Some(place);
                    }
                }
            }
            if let Some(best) = best {
                expected[best][0] += f64::from(gradient[at]);
            }
        }
        let found = each(|_, threads| {
            max_pool_gradient(threads, &window, [size, windows], &x, [&y, &gradient])
        });
        check(&found, &expected, 1e-6)?;
    }

    #[test]
    fn of_mean_pools(
        (kernel, stride) in ([1_usize..4, 1_usize..4], [1_usize..4, 1_usize..4]),
        more in [0_usize..8, 0_usize..8],
        planes in 1_usize..5,
        seed in 0_u64..1000,
    ) {
        let size: [usize; 2] = std::array::from_fn(|i| kernel[i] + more[i]);
        let windows: [usize; 2] = std::array::from_fn(|i| more[i] / stride[i] + 1);
        let pool = PlanarMeanPool { kernel, stride, size, windows };
        let [area, count] = [size, windows].map(|[height, width]| height * width);
        let x = noise(seed, planes * area);
        let gradient = noise(seed + 1, planes * count);
        let mut y = vec![[0.0, 1.0]; gradient.len()];
        let mut back = vec![[0.0, 1.0]; x.len()];
        let taps = kernel[0] * kernel[1];
        for at in 0..planes * count {
            let [plane, row, column] = [at / count, at / windows[1] % windows[0], at % windows[1]];
            for tap in 0..taps {
                let row = row * stride[0] + tap / kernel[1];
                let column = column * stride[1] + tap % kernel[1];
                let place = plane * area + row * size[1] + column;
                y[at][0] += f64::from(x[place]) / taps as f64;
                back[place][0] += f64::from(gradient[at]) / taps as f64;
            }
        }
        check(&each(|_, threads| pool.forward(threads, &x)), &y, 1e-6)?;
        check(&each(|_, threads| pool.backward(threads, &gradient)), &back, 1e-6)?;
    }

    #[test]
    fn element_by_element(len in 0_usize..20_000, seed in 0_u64..1000) {
        let [a, b] = [noise(seed, len), noise(seed + 1, len)];
        let expected: Vec<[f64; 2]> = (a.iter().zip(&b))
            .map(|(&a, &b)| [f64::from(a) - f64::from(b), 1.0])
            .collect();
        check(&each(|_, threads| elementwise(threads, [&a, &b], |a, b| a - b)), &expected, 1e-6)?;
    }

    #[test]
    fn spread_planes(
        (from, stride) in ([1_usize..9, 1_usize..9], [1_usize..4, 1_usize..4]),
        more in [0_usize..3, 0_usize..3],
        planes in 1_usize..6,
        seed in 0_u64..1000,
    ) {
        let to: [usize; 2] = std::array::from_fn(|i| (from[i] - 1) * stride[i] + 1 + more[i]);
        let [area, wider] = [from, to].map(|[height, width]| height * width);
        let values = noise(seed, planes * area);
        let expected: Vec<[f64; 2]> = (0..planes * wider)
            .map(|at| {
                let [row, column] = [at / to[1] % to[0], at % to[1]];
                let [down, across] = [row / stride[0], column / stride[1]];
                let is_one = down * stride[0] == row && across * stride[1] == column;
                match is_one && down < from[0] && across < from[1] {
                    true => [f64::from(values[at / wider * area + down * from[1] + across]), 0.0],
                    false => [0.0; 2],
                }
            })
            .collect();
        let found = each(|_, threads| {
            dilate_input(threads, values.as_slice().into(), from, stride, to).into_owned()
        });
        check(&found, &expected, 0.0)?;
    }
}
