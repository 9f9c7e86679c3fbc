//! Random small networks that contain every kind of layer the explorer supports.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};
use proptest::prelude::*;
use receptive_layers::block::convolve;
use receptive_layers::graph::Graph;

use super::{assert_explained, changed_units, receptive_field_contains, unit, with_random_weights};
use crate::chain::InputFrame;
use crate::explorer::Explorer;

/// Height and width of the input, in pixels.
const SIZE: usize = 14;

#[derive(Module, Debug)]
struct Net {
    first: Conv2d,
    max: MaxPool2d,
    grouped: Conv2d,
    average: AvgPool2d,
    linear: Linear,
}

#[derive(Debug, Clone, Copy)]
struct WindowAxes {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
}

impl WindowAxes {
    fn conv(&self, channels: [usize; 2], groups: usize, bias: bool, device: &Device) -> Conv2d {
        Conv2dConfig::new(channels, self.kernel)
            .with_stride(self.stride)
            .with_padding(padding(self.padding))
            .with_dilation(self.dilation)
            .with_groups(groups)
            .with_bias(bias)
            .init(device)
    }
}

fn padding([rows, columns]: [usize; 2]) -> PaddingConfig2d {
    PaddingConfig2d::Explicit(rows, columns, rows, columns)
}

fn window(dilation: usize) -> impl Strategy<Value = WindowAxes> {
    let axis = (1..=3_usize)
        .prop_flat_map(move |kernel| (Just(kernel), 1..=2_usize, 0..=kernel / 2, 1..=dilation));
    (axis.clone(), axis).prop_map(|(rows, columns)| WindowAxes {
        kernel: [rows.0, columns.0],
        stride: [rows.1, columns.1],
        padding: [rows.2, columns.2],
        dilation: [rows.3, columns.3],
    })
}

/// Returns a network with these windows (convolution, max pool, grouped convolution, average pool),
/// or `None` if a window does not fit.
///
/// `ceil`: whether pools round the output size up. `include`: whether the average counts the
/// padding.
fn explorer(windows: [WindowAxes; 4], seed: u64, [ceil, include]: [bool; 2]) -> Option<Explorer> {
    let [first, max, grouped, average] = windows;
    let size = |input: [usize; 2], window: WindowAxes, ceil: bool| -> Option<[usize; 2]> {
        let mut output = [0; 2];
        for axis in 0..2 {
            let extent = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
            let slack = (input[axis] + 2 * window.padding[axis]).checked_sub(extent)?;
            output[axis] = slack / window.stride[axis] + 1;
            if ceil && (output[axis] * window.stride[axis]) < input[axis] + window.padding[axis] {
                output[axis] = slack.div_ceil(window.stride[axis]) + 1;
            }
        }
        Some(output)
    };
    let maps = size([SIZE; 2], first, false)?;
    let maps = size(size(maps, max, ceil)?, grouped, false)?;
    let maps = size(maps, average, ceil)?;
    let pool = |window: WindowAxes| (window.kernel, window.stride, padding(window.padding));
    let init = |device: &Device| Net {
        first: first.conv([1, 4], 1, true, device),
        max: {
            let (kernel, stride, padding) = pool(max);
            MaxPool2dConfig::new(kernel)
                .with_strides(stride)
                .with_padding(padding)
                .with_dilation(max.dilation)
                .with_ceil_mode(ceil)
                .init()
        },
        grouped: grouped.conv([4, 6], 2, false, device),
        average: {
            let (kernel, stride, padding) = pool(average);
            AvgPool2dConfig::new(kernel)
                .with_strides(stride)
                .with_padding(padding)
                .with_ceil_mode(ceil)
                .with_count_include_pad(include)
                .init()
        },
        linear: LinearConfig::new(6 * maps[0] * maps[1], 5).init(device),
    };
    let forward = |net: &Net, x: Tensor<4>| {
        let x = activation::relu(convolve(&net.first, x));
        let x = convolve(&net.grouped, net.max.forward(x)).clamp(0.0, 6.0);
        let x = activation::sigmoid(net.average.forward(x));
        activation::tanh(net.linear.forward(x.flatten::<2>(1, 3)))
    };
    let graph = Graph::trace(init, [1, 1, SIZE, SIZE], forward).expect("a network");
    let frame = InputFrame {
        size: SIZE,
        padding: 0,
        mean: 0.5,
        std: 0.5,
    };
    Some(Explorer::from_graph(with_random_weights(graph, seed, 0.5), frame).expect("a network"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn explanations_and_receptive_fields_are_correct(
        windows in [window(2), window(1), window(2), window(1)],
        seed in any::<u64>(),
        modes in any::<[bool; 2]>(),
        pixel in 0..SIZE * SIZE,
        drawing in proptest::collection::vec(0.0_f32..=1.0, SIZE * SIZE),
    ) {
        let Some(mut explorer) = explorer(windows, seed, modes) else {
            return Ok(());
        };
        explorer.run(&drawing).unwrap();
        let layers: Vec<_> = explorer.layers().cloned().collect();
        for info in &layers {
            let changed = changed_units(&mut explorer, info.index, &drawing, pixel);
            for (index, changed) in changed.into_iter().enumerate() {
                let unit = unit(info, index);
                assert_explained(&explorer, unit);
                let explanation = explorer.explain(unit).unwrap();
                prop_assert!(!changed || receptive_field_contains(&explanation, SIZE, pixel), "{} {unit:?}", info.name);
            }
        }
    }
}
