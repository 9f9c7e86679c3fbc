//! Tests of the tensor operations against loops in float64, on every enabled CPU backend.

mod cache;
mod capture;
mod forward;
mod fused;
#[cfg(feature = "autodiff")]
mod gradient;
mod pool;
mod reference;

use burn::tensor::{DType, Device, Tensor, TensorData};
use proptest::prelude::*;

/// The enabled CPU backends.
// Burn has deprecated the ndarray backend; this crate supports it until Burn removes it.
#[allow(deprecated)]
fn devices() -> Vec<Device> {
    let devices = [
        #[cfg(feature = "ndarray")]
        Device::ndarray(),
        #[cfg(feature = "flex")]
        Device::flex(),
    ];
    devices.into()
}

fn tensor<const D: usize>(
    values: &[f64],
    shape: [usize; D],
    device: &Device,
    dtype: DType,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, dtype))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Asserts that every value is within `tolerance` of its reference, relative to the larger of the
/// magnitude of the reference and 1.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, device: &Device) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(
            error <= tolerance,
            "{device:?}: value {index} is {found}, expected {expected}"
        );
    }
}

/// `len` values that f32 represents exactly.
fn numbers(len: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-3.0..3.0_f32).prop_map(f64::from), len)
}

/// Input and hyperparameters of a local response normalization.
#[derive(Debug, Clone)]
struct Norm {
    x: Vec<f64>,
    shape: [usize; 4],
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
}

/// Normalizations over fewer and over more channels than the input has.
fn norm() -> impl Strategy<Value = Norm> {
    let shape = [1..3_usize, 1..9_usize, 1..4_usize, 1..4_usize];
    (
        shape,
        0..6_usize,
        1e-4..1.0_f64,
        // ndarray rounds exponents to f32, even for tensors of float64.
        prop_oneof![Just(0.75), Just(1.0), (0.25..1.5_f32).prop_map(f64::from)],
        0.5..3.0_f64,
    )
        .prop_flat_map(|(shape, half, alpha, beta, k)| {
            numbers(shape.iter().product()).prop_map(move |x| Norm {
                x,
                shape,
                size: 2 * half + 1,
                alpha,
                beta,
                k,
            })
        })
}

/// Input rows, centers, and `[batch, classes, features]`.
fn rows_and_centers() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, [usize; 3])> {
    [1..4_usize, 1..6_usize, 1..20_usize].prop_flat_map(|[batch, classes, features]| {
        (
            numbers(batch * features),
            numbers(classes * features),
            Just([batch, classes, features]),
        )
    })
}

/// Input, weight, bias and options of a convolution.
#[derive(Debug, Clone)]
struct Conv {
    x: Vec<f64>,
    shape: [usize; 4],
    weight: Vec<f64>,
    weight_shape: [usize; 4],
    bias: Option<Vec<f64>>,
    stride: [usize; 2],
    padding: [(usize, usize); 2],
    dilation: [usize; 2],
    groups: usize,
}

/// Convolutions with kernels of 1 to 3 pixels that fit the input.
fn conv() -> impl Strategy<Value = Conv> {
    let sizes = (
        [1..3_usize, 1..3_usize, 1..3_usize, 1..4_usize],
        [5..8_usize, 5..8_usize],
        [1..4_usize, 1..4_usize],
    );
    let options = (
        [1..3_usize, 1..3_usize],
        [(0..3_usize, 0..3_usize), (0..3_usize, 0..3_usize)],
        [1..3_usize, 1..3_usize],
        any::<bool>(),
    );
    (sizes, options).prop_flat_map(|(sizes, (stride, padding, dilation, has_bias))| {
        let ([batch, c_in, c_out, groups], [height, width], [k_h, k_w]) = sizes;
        let shape = [batch, c_in * groups, height, width];
        let weight_shape = [c_out * groups, c_in, k_h, k_w];
        (
            numbers(shape.iter().product()),
            numbers(weight_shape.iter().product()),
            numbers(c_out * groups),
        )
            .prop_map(move |(x, weight, bias)| Conv {
                x,
                shape,
                weight,
                weight_shape,
                bias: has_bias.then_some(bias),
                stride,
                padding,
                dilation,
                groups,
            })
    })
}
