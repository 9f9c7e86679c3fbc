//! Tests of convolution fused with batch norm and an activation, in float32, against Burn's operations in
//! float64.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Tensor, activation, module};
use proptest::prelude::*;
use receptive_kernels::cpu::Activation;
use receptive_kernels::ops;

use crate::{devices, values};

/// Parameters of a random convolution, batch norm and activation.
#[derive(Debug, Clone)]
struct Problem {
    shape: [usize; 4],
    weight: [usize; 4],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
    dilation: [usize; 2],
    groups: usize,
    bias: bool,
    norm: bool,
    activation: Activation,
    seed: u64,
}

/// Channels from a few to several vectors, kernels of 1 to 5 over maps of up to 20 pixels. Common
/// parameters, such as stride 1, one group and square kernels, are more frequent.
fn problem() -> impl Strategy<Value = Problem> {
    let channels = prop_oneof![1..8_usize, 30..70_usize];
    let shape = (
        1..4_usize,
        [channels.clone(), channels],
        prop_oneof![3 => Just(1_usize), 1 => 2..4_usize],
        [1..20_usize, 1..20_usize],
    );
    let window = (
        prop_oneof![
            3 => (1..6_usize).prop_map(|k| [k, k]),
            1 => [1..6_usize, 1..6_usize]
        ],
        prop_oneof![Just([1, 1]), [1..4_usize, 1..4_usize]],
        prop_oneof![3 => Just([1, 1]), 1 => [1..3_usize, 1..3_usize]],
        [(0..4_usize, 0..4_usize), (0..4_usize, 0..4_usize)],
    );
    let after = (
        any::<bool>(),
        any::<bool>(),
        prop_oneof![
            Just(Activation::Identity),
            Just(Activation::Relu),
            Just(Activation::Clamp {
                low: 0.0,
                high: 6.0
            }),
        ],
    );
    (shape, window, after, any::<u64>()).prop_map(
        |(
            (batch, [c_in, c_out], groups, size),
            (kernel, stride, dilation, padding),
            (bias, norm, activation),
            seed,
        )| {
            // The kernel fits the padded input.
            let size = [0, 1].map(|axis| {
                let extent = (kernel[axis] - 1) * dilation[axis] + 1;
                let (before, after) = padding[axis];
                size[axis].max(extent.saturating_sub(before + after)).max(1)
            });
            let [c_in, c_out] = [c_in, c_out].map(|c: usize| c.div_ceil(groups));
            Problem {
                shape: [batch, c_in * groups, size[0], size[1]],
                weight: [c_out * groups, c_in, kernel[0], kernel[1]],
                stride,
                padding,
                dilation,
                groups,
                bias,
                norm,
                activation,
                seed,
            }
        },
    )
}

/// Pseudorandom numbers in `-1..1`, which `seed` determines.
pub fn noise<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let len = shape.iter().product();
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = std::iter::repeat_with(next).skip(8).take(len).collect();
    Tensor::from_data(burn::tensor::TensorData::new(values, shape), device)
}

impl Problem {
    fn options(&self) -> ConvOptions<2> {
        ConvOptions::new_with_padding(self.stride, self.padding, self.dilation, self.groups)
    }

    fn x(&self, device: &Device) -> Tensor<4> {
        noise(self.seed, self.shape, device)
    }

    fn weight(&self, device: &Device) -> Tensor<4> {
        noise(self.seed ^ 1, self.weight, device)
    }

    fn bias(&self, device: &Device) -> Option<Tensor<1>> {
        self.bias
            .then(|| noise(self.seed ^ 2, [self.weight[0]], device))
    }

    fn norm(&self, device: &Device) -> Option<ops::BatchNorm> {
        let parameter = |seed| noise(self.seed ^ seed, [self.weight[0]], device);
        self.norm.then(|| ops::BatchNorm {
            gamma: parameter(3),
            beta: parameter(4),
            mean: parameter(5),
            variance: parameter(6).abs() + 0.1,
            epsilon: 1e-3,
        })
    }

    /// The output of the fused operation.
    fn found(&self, device: &Device) -> Tensor<4> {
        ops::conv2d_norm_activation(
            self.x(device),
            self.weight(device),
            self.bias(device),
            self.options(),
            self.norm(device),
            self.activation,
        )
    }

    /// The values before the activation, by Burn's operations in float64.
    fn sums(&self, device: &Device) -> Tensor<4> {
        let wide = |x: Tensor<1>| x.cast(DType::F64);
        let y = module::conv2d(
            self.x(device).cast(DType::F64),
            self.weight(device).cast(DType::F64),
            self.bias(device).map(wide),
            self.options(),
        );
        match self.norm(device) {
            Some(norm) => module::batch_norm(
                y,
                wide(norm.gamma),
                wide(norm.beta),
                wide(norm.mean),
                wide(norm.variance),
                norm.epsilon,
            ),
            None => y,
        }
    }

    /// Asserts that `found` equals the expected values within `tolerance` times the largest value before
    /// the activation.
    fn check(&self, found: Tensor<4>, tolerance: f64, device: &Device) {
        let sums = self.sums(device);
        let largest = sums.clone().abs().max().into_scalar::<f64>();
        let expected = match self.activation {
            Activation::Relu => activation::relu(sums),
            Activation::Clamp { .. } => activation::relu6(sums),
            _ => sums,
        };
        assert_close(found, expected, tolerance * largest);
    }
}

/// Asserts that every value is within `tolerance` of the expected value.
pub fn assert_close(found: Tensor<4>, expected: Tensor<4>, tolerance: f64) {
    assert_eq!(found.dims(), expected.dims());
    let [found, expected] = [values(found), values(expected)];
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "value {index} is {found}, expected {expected}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn equals_burns_operations(problem in problem()) {
        for device in devices() {
            problem.check(problem.found(&device), 5e-6, &device);
        }
    }
}

/// Tensors of float64 are computed by Burn's operations.
#[test]
fn float64_has_full_precision() {
    let problem = Problem {
        shape: [1, 32, 9, 9],
        weight: [32, 32, 3, 3],
        stride: [1, 1],
        padding: [(1, 1); 2],
        dilation: [1, 1],
        groups: 1,
        bias: true,
        norm: false,
        activation: Activation::Relu,
        seed: 7,
    };
    for device in devices() {
        let y = ops::conv2d_norm_activation(
            problem.x(&device).cast(DType::F64),
            problem.weight(&device).cast(DType::F64),
            problem.bias(&device).map(|bias| bias.cast(DType::F64)),
            problem.options(),
            None,
            Activation::Relu,
        );
        assert_eq!(y.dtype(), DType::F64);
        problem.check(y, 1e-14, &device);
    }
}

#[test]
#[should_panic(expected = "gamma has 5 values, expected one for each of 4 output channels")]
fn norm_with_other_number_of_channels() {
    let device = &devices()[0];
    let ones = |len| Tensor::<1>::ones([len], device);
    ops::conv2d_norm_activation(
        Tensor::ones([1, 3, 5, 5], device),
        Tensor::ones([4, 3, 3, 3], device),
        None,
        ConvOptions::new([1, 1], [0, 0], [1, 1], 1),
        Some(ops::BatchNorm {
            gamma: ones(5),
            beta: ones(4),
            mean: ones(4),
            variance: ones(4),
            epsilon: 1e-5,
        }),
        Activation::Relu,
    );
}
