//! Two-dimensional convolution.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::backend::{Bias, KernelOps};
use crate::geometry::{Padding, Rounding, Window};

/// Convolves `x` with `weight` (as cross-correlation, the way networks do), then adds `bias`.
///
/// `x` is `[batch, channels_in, height, width]`, `weight`
/// `[channels_out, channels_in / groups, kernel_height, kernel_width]`, `bias` `[channels_out]`;
/// the result is `[batch, channels_out, height', width']`, its size as
/// [`Window::output`](crate::geometry::Window::output) says. Capture records Burn's own
/// convolution.
///
/// # Panics
///
/// When the channels of `weight` or `bias` do not fit `x`, a group count that does not divide both
/// channel counts, or a window that does not fit the padded input.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    check(x.dims(), weight.dims(), &options);
    let channels_out = weight.dims()[0];
    let bias = match bias {
        Some(bias) => {
            let [values] = bias.dims();
            assert!(
                values == channels_out,
                "bias has {values} values, expected one for each of {channels_out} output channels"
            );
            Bias::Each(bias.into_dispatch())
        }
        None => Bias::Absent,
    };
    Tensor::from_dispatch(Dispatch::convolution(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias,
        options,
    ))
}

fn check(x: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) {
    let [_, channels_in, height, width] = x;
    let [channels_out, channels_group, kernel_height, kernel_width] = weight;
    let groups = options.groups;
    assert!(
        groups > 0 && channels_in == channels_group * groups && channels_out % groups == 0,
        "weight {weight:?} in {groups} groups does not fit the {channels_in} channels of the input"
    );
    let axes = [(height, kernel_height), (width, kernel_width)];
    for (axis, (input, kernel)) in axes.into_iter().enumerate() {
        let (before, after) = options.padding[axis];
        let window = Window {
            kernel,
            stride: options.stride[axis],
            padding: Padding::Explicit { before, after },
            dilation: options.dilation[axis],
            rounding: Rounding::Floor,
        };
        if let Err(error) = window.output(input) {
            panic!("convolution over an input of {height} x {width}: {error}");
        }
    }
}
