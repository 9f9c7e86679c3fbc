//! Tests of every pass: the text of a network before and after the pass.

use burn::module::Param;
use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::{AvgPool2dConfig, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation, s};

use super::{before_and_after, conv, net};
use crate::compile::passes;

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

#[test]
fn flattening_adds_no_layer() {
    let net = net(
        |device| {
            (
                conv([3, 4], 3, device),
                LinearConfig::new(4 * 6 * 5, 7).init(device),
            )
        },
        [3, 6, 5],
        |(conv, linear), x| linear.forward(conv.forward(x).flatten::<2>(1, 3)),
    );
    insta::assert_snapshot!(net);
}

#[test]
fn affine_functions_are_folded_into_the_preceding_convolution() {
    let net = net(
        |device| (conv([3, 4], 3, device), norm(4, device)),
        [3, 6, 6],
        |(conv, norm), x| (norm.forward(conv.forward(x)) * 0.5 + 1.0).tanh(),
    );
    insta::assert_snapshot!(before_and_after(net, passes::fold_affine));
}

#[test]
fn norms_are_folded_into_following_convolutions_without_padding() {
    let unpadded = |device: &Device| Conv2dConfig::new([3, 4], [3, 3]).init(device);
    let net = net(
        |device| {
            (
                [norm(3, device), norm(4, device)],
                unpadded(device),
                conv([4, 2], 3, device),
            )
        },
        [3, 8, 8],
        |(norms, first, second), x| {
            let x = first.forward(norms[0].forward(x)).tanh();
            second.forward(norms[1].forward(x))
        },
    );
    insta::assert_snapshot!(before_and_after(net, |net| {
        passes::fold_affine(net);
        passes::lower_affine(net);
    }));
}

#[test]
fn a_mean_pool_with_scale_and_shift_becomes_a_convolution() {
    let net = net(
        |device| {
            let vector = || -> Param<Tensor<1>> { Initializer::Ones.init([6], device) };
            (vector(), vector())
        },
        [6, 8, 8],
        |(coefficient, bias), x| {
            let per_map = |values: &Param<Tensor<1>>| values.val().reshape([1, -1, 1, 1]);
            let mean = AvgPool2dConfig::new([2, 2])
                .init()
                .forward(x.tanh() * 1.7159);
            (mean * per_map(coefficient) + per_map(bias)).tanh()
        },
    );
    insta::assert_snapshot!(before_and_after(net, passes::fold_affine));
}

#[test]
fn partial_connections_become_one_convolution() {
    let net = net(
        |device| {
            let map = |inputs| Conv2dConfig::new([inputs, 1], [5, 5]).init(device);
            [map(2), map(2), map(3)]
        },
        [3, 9, 9],
        |maps, x| {
            let inputs = x.chunk(3, 1);
            let connections: [&[usize]; 3] = [&[0, 1], &[0, 2], &[0, 1, 2]];
            let outputs = maps.iter().zip(connections).map(|(map, channels)| {
                let gathered = channels
                    .iter()
                    .map(|&input| inputs[input].clone())
                    .collect();
                map.forward(Tensor::cat(gathered, 1))
            });
            Tensor::cat(outputs.collect(), 1)
        },
    );
    insta::assert_snapshot!(before_and_after(net, |net| {
        passes::fold_channel_gather(net, 16);
        passes::merge_sibling_convs(net);
    }));
}

#[test]
fn a_shortcut_without_weights_becomes_one_convolution() {
    let net = net(
        |device| conv([4, 8], 3, device),
        [4, 8, 8],
        |conv, x| {
            let shortcut = x.clone().slice(s![.., .., ..;2, ..;2]);
            let zeros = Tensor::zeros([1, 4, 4, 4], &x.device());
            let shortcut = Tensor::cat(vec![shortcut, zeros], 1);
            let y = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
            activation::relu(y.forward(conv.forward(x)) + shortcut)
        },
    );
    insta::assert_snapshot!(before_and_after(net, |net| {
        passes::compose_slices(net);
        passes::lower_slices(net, 4);
    }));
}

#[test]
fn a_strided_pointwise_convolution_is_split() {
    let shortcut = Conv2dConfig::new([8, 16], [1, 1]).with_stride([2, 2]);
    let net = net(
        |device| (conv([3, 8], 3, device), shortcut.init(device)),
        [3, 8, 8],
        |(conv, shortcut), x| shortcut.forward(conv.forward(x)),
    );
    insta::assert_snapshot!(before_and_after(net, |net| {
        passes::split_strided_pointwise(net, |_| false);
    }));
}

#[test]
fn slices_of_aligned_channels_are_views() {
    let net = net(
        |device| conv([8, 2], 1, device),
        [8, 6, 6],
        |conv, x| {
            let view = x.clone().slice(s![.., 4..8, .., ..]).tanh();
            let copied = x.clone().slice(s![.., 2..6, .., ..]).tanh();
            let cropped = x.clone().slice(s![.., 4..8, 1..6;2, 2..5]);
            (conv.forward(x), vec![view, copied, cropped])
        },
    );
    insta::assert_snapshot!(before_and_after(net, |net| passes::lower_slices(net, 4)));
}

#[test]
fn padding_is_folded_into_the_following_convolutions() {
    let net = net(
        |device| [conv([3, 4], 3, device), conv([3, 4], 1, device)],
        [3, 6, 6],
        |[first, second], x| {
            let padded = x.clone().pad((1, 2, 0, 1), 0.0);
            let output = x.pad((1, 1, 1, 1), 0.0);
            (
                first.forward(padded.clone()) + second.forward(padded),
                output,
            )
        },
    );
    insta::assert_snapshot!(before_and_after(net, passes::fold_padding));
}

#[test]
fn activations_are_fused_into_the_preceding_layer() {
    let net = net(
        |device| [conv([3, 4], 3, device), conv([3, 4], 3, device)],
        [3, 6, 6],
        |[first, second], x| {
            let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
            let pooled = activation::relu(pool.forward(first.forward(x.clone())));
            let shared = second.forward(x);
            let both = activation::relu(shared.clone() * shared.clone().tanh());
            (pooled, vec![both, activation::relu6(shared)])
        },
    );
    insta::assert_snapshot!(before_and_after(net, passes::fuse_activations));
}

#[test]
fn sums_are_fused_into_the_later_convolution() {
    let net = net(
        |device| {
            [
                conv([3, 3], 3, device),
                conv([3, 3], 3, device),
                conv([3, 3], 1, device),
            ]
        },
        [3, 6, 6],
        |[first, second, third], x| {
            let y = second.forward(activation::relu(first.forward(x.clone())));
            let x = activation::relu(y + x);
            // The convolution precedes the other operand of the sum.
            let y = third.forward(x.clone());
            let pool = MaxPool2dConfig::new([3, 3])
                .with_strides([1, 1])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init();
            y + pool.forward(x)
        },
    );
    insta::assert_snapshot!(before_and_after(net, |net| {
        passes::fuse_activations(net);
        passes::fuse_residuals(net);
    }));
}

#[test]
fn layers_of_the_same_level_are_adjacent() {
    let net = net(
        |device| {
            let conv = |channels, kernel| conv(channels, kernel, device);
            let first = conv([8, 8], 1);
            let branches = [
                vec![conv([8, 4], 1), conv([4, 8], 3)],
                vec![conv([8, 4], 1), conv([4, 8], 3)],
            ];
            (first, branches, conv([8, 8], 1))
        },
        [8, 6, 6],
        |(first, branches, last), x| {
            let mut parts = vec![first.forward(x.clone())];
            for branch in branches {
                parts.push(branch.iter().fold(x.clone(), |x, conv| conv.forward(x)));
            }
            let pool = MaxPool2dConfig::new([3, 3])
                .with_strides([1, 1])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init();
            parts.push(last.forward(pool.forward(x)));
            Tensor::cat(parts, 1)
        },
    );
    insta::assert_snapshot!(before_and_after(net, passes::schedule_levels));
}
