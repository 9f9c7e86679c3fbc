//! Tests of costs against counts in naive loops.

use std::collections::HashSet;

use proptest::prelude::*;
use receptive_kernels::cost::{self, Convolution, Cost, CostError, DepthwiseSeparable};

/// Counts of a naive convolution: weights and biases that it reads, multiply-adds and connections.
#[derive(Default)]
struct Counted {
    weights: HashSet<[usize; 4]>,
    biases: HashSet<usize>,
    macs: u64,
    activations: u64,
    connections: u64,
}

/// Counts the operations of a convolution with an output of this height and width.
fn convolve(layer: &Convolution, output: [usize; 2]) -> Counted {
    let mut counted = Counted::default();
    let [c_in, c_out] = layer.channels;
    for o in 0..c_out {
        for _position in 0..output[0] * output[1] {
            counted.activations += 1;
            for i in 0..c_in {
                let same_group = o / (c_out / layer.groups) == i / (c_in / layer.groups);
                if !same_group {
                    continue;
                }
                for row in 0..layer.kernel[0] {
                    for column in 0..layer.kernel[1] {
                        counted.weights.insert([o, i, row, column]);
                        counted.macs += 1;
                        counted.connections += 1;
                    }
                }
            }
            if layer.bias {
                counted.biases.insert(o);
                counted.connections += 1;
            }
        }
    }
    counted
}

fn convolution() -> impl Strategy<Value = Convolution> {
    (
        [1..4_usize, 1..4_usize],
        1..4_usize,
        [1..4_usize, 1..4_usize],
        any::<bool>(),
    )
        .prop_map(|(channels, groups, kernel, bias)| Convolution {
            channels: channels.map(|per_group| per_group * groups),
            kernel,
            groups,
            bias,
        })
}

fn map() -> impl Strategy<Value = [usize; 2]> {
    [1..5_usize, 1..5_usize]
}

fn any_count() -> impl Strategy<Value = usize> {
    prop_oneof![0..4_usize, any::<usize>(), Just(usize::MAX)]
}

proptest! {
    #[test]
    fn convolution_costs_equal_counts_of_loops(layer in convolution(), output in map()) {
        let counted = convolve(&layer, output);
        let expected = Cost {
            parameters: (counted.weights.len() + counted.biases.len()) as u64,
            buffers: 0,
            macs: counted.macs,
            activations: counted.activations,
            connections: counted.connections,
        };
        prop_assert_eq!(layer.weights(), Ok(counted.weights.len() as u64));
        prop_assert_eq!(layer.parameters(), Ok(expected.parameters));
        prop_assert_eq!(layer.cost(output), Ok(expected));
    }

    #[test]
    fn depthwise_and_pointwise_constructors(
        channels in 1..5_usize,
        c_out in 1..5_usize,
        kernel in map(),
        output in map(),
    ) {
        let depthwise = Convolution::depthwise(channels, kernel);
        prop_assert_eq!(depthwise.cost(output).unwrap().macs, convolve(&depthwise, output).macs);
        let per_channel = Convolution::new([1, 1], kernel).cost(output).unwrap();
        prop_assert_eq!(
            depthwise.cost(output),
            Cost::sum(vec![per_channel; channels])
        );
        prop_assert_eq!(
            Convolution::pointwise([channels, c_out]).weights(),
            Ok((channels * c_out) as u64)
        );
    }

    #[test]
    fn depthwise_separable_ratio_is_exact(
        channels in [1..64_usize, 1..64_usize],
        kernel in 1..8_usize,
        output in map(),
    ) {
        let separable = DepthwiseSeparable { channels, kernel };
        let standard = Convolution { bias: false, ..Convolution::new(channels, [kernel; 2]) };
        let (reduced, full) = (separable.cost(output).unwrap(), standard.cost(output).unwrap());
        // reduced / full = 1/c_out + 1/k^2 = (k^2 + c_out) / (k^2 * c_out)
        let (c_out, area) = (channels[1] as u64, (kernel * kernel) as u64);
        prop_assert_eq!(reduced.macs * area * c_out, full.macs * (area + c_out));
        prop_assert_eq!(reduced.parameters * area * c_out, full.parameters * (area + c_out));
        let ratio = reduced.macs as f64 / full.macs as f64;
        prop_assert!((separable.ratio() - ratio).abs() <= 4.0 * f64::EPSILON * ratio);
    }

    #[test]
    fn linear_equals_pointwise_convolution_of_one_position(
        inputs in 1..50_usize,
        outputs in 1..50_usize,
        bias in any::<bool>(),
    ) {
        let layer = Convolution { bias, ..Convolution::pointwise([inputs, outputs]) };
        prop_assert_eq!(cost::linear(inputs, outputs, bias), layer.cost([1, 1]));
    }

    #[test]
    fn subsampling_equals_depthwise_convolution_with_shared_weights(
        channels in 1..6_usize,
        window in map(),
        output in map(),
    ) {
        let counted = convolve(&Convolution::depthwise(channels, window), output);
        let layer = cost::subsampling(channels, window, output).unwrap();
        prop_assert_eq!(layer.connections, counted.connections);
        prop_assert_eq!(layer.parameters, 2 * channels as u64);
        let pool = cost::pool(channels, window, output).unwrap();
        prop_assert_eq!(pool.connections, counted.macs);
        prop_assert_eq!(pool.activations, counted.activations);
        prop_assert_eq!((pool.parameters, pool.macs), (0, 0));
    }

    #[test]
    fn arbitrary_sizes_do_not_panic(n in prop::array::uniform7(any_count()), bias in any::<bool>()) {
        let [a, b, c, d, e, f, g] = n;
        let layer = Convolution { channels: [a, b], kernel: [c, d], groups: g, bias };
        let _ = (layer.weights(), layer.parameters(), layer.cost([e, f]));
        let separable = DepthwiseSeparable { channels: [a, b], kernel: c };
        let _ = (separable.cost([e, f]), separable.ratio());
        let costs = [
            cost::pool(a, [b, c], [d, e]),
            cost::subsampling(a, [b, c], [d, e]),
            cost::batch_norm(a, [b, c]),
            cost::local_response_norm(a, [b, c]),
            cost::linear(a, b, bias),
            cost::radial_basis(a, b),
        ];
        let _ = Cost::sum(costs.into_iter().flatten());
        let _ = cost::bytes(a as u64, b);
        let exact: Option<u128> = [a, b].iter().try_fold(1, |product: u128, &factor| {
            product.checked_mul(factor as u128)
        });
        let fits = exact.is_some_and(|count| count <= u128::from(u64::MAX));
        prop_assert_eq!(cost::linear(a, b, false).is_ok(), fits);
    }
}

#[test]
fn published_costs_of_resnet50_stem_and_vgg16() {
    let stem = Convolution {
        bias: false,
        ..Convolution::new([3, 64], [7, 7])
    };
    assert_eq!(stem.parameters(), Ok(9_408));
    assert_eq!(stem.cost([112, 112]).unwrap().macs, 118_013_952);

    let blocks = [
        (3, 64, 224),
        (64, 128, 112),
        (128, 256, 56),
        (256, 512, 28),
        (512, 512, 14),
    ];
    let mut layers = Vec::new();
    for ((c_in, c_out, side), convs) in blocks.into_iter().zip([2, 2, 3, 3, 3]) {
        for i in 0..convs {
            let channels = [if i == 0 { c_in } else { c_out }, c_out];
            layers.push(Convolution::new(channels, [3, 3]).cost([side; 2]).unwrap());
        }
        layers.push(cost::pool(c_out, [2, 2], [side / 2; 2]).unwrap());
    }
    for [inputs, outputs] in [[25_088, 4096], [4096, 4096], [4096, 1000]] {
        layers.push(cost::linear(inputs, outputs, true).unwrap());
    }
    let total = Cost::sum(layers).unwrap();
    assert_eq!(total.parameters, 138_357_544);
    assert_eq!(total.macs, 15_470_264_320);
}

#[test]
fn error_messages() {
    let uneven = Convolution {
        groups: 2,
        ..Convolution::new([4, 3], [3, 3])
    };
    let error = uneven.cost([1, 1]).unwrap_err();
    assert_eq!(
        error,
        CostError::Groups {
            groups: 2,
            channels: 3
        }
    );
    assert_eq!(error.to_string(), "2 groups do not divide 3 channels");
    assert_eq!(
        cost::linear(usize::MAX, 2, false).unwrap_err().to_string(),
        "the number of weights exceeds 18446744073709551615"
    );
}
