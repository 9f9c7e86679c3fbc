//! Tests of the cost model's choice of algorithms.

use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use receptive_kernels::cpu::{Algorithm, Isa, WinogradTile};

use super::{conv, net};
use crate::compile::choose::{Target, choices, modelled};
use crate::compile::net::Net;
use crate::compile::options::{Options, Precision};

/// Returns a network of two fully connected layers of `features` inputs and outputs.
fn two_fully_connected(features: usize) -> Net {
    net(
        |device| -> Vec<Linear> {
            let config = LinearConfig::new(features, features);
            (0..2).map(|_| config.init(device)).collect()
        },
        [features, 1, 1],
        |layers, x| {
            layers
                .iter()
                .fold(x.flatten::<2>(1, 3), |x, layer| layer.forward(x))
        },
    )
}

/// Returns the chosen algorithms of the convolutions of `net`.
fn algorithms(net: &Net, isa: Isa, batch: usize, options: &Options) -> Vec<Algorithm> {
    let target = Target {
        isa,
        batch,
        threads: 1,
    };
    let algorithms = modelled(net, &choices(net, options, target).unwrap());
    algorithms.into_iter().flatten().collect()
}

/// 24-bit weights are chosen for a single image, if the weights exceed a core's cache, the
/// precision allows them, and SIMD vectors are long enough to unpack them faster than the saved
/// memory traffic.
#[test]
fn memory_bound_fully_connected_layers_get_24_bit_weights() {
    let direct = Algorithm::Direct;
    let fast = Options::default();
    let exact = Options {
        precision: Precision::Exact,
        ..Options::default()
    };
    for isa in Isa::available() {
        let compact = match isa.lanes() {
            8.. => Algorithm::FullyConnected,
            _ => direct,
        };
        let chosen = |features, batch, options| {
            algorithms(&two_fully_connected(features), isa, batch, options)
        };
        assert_eq!(chosen(4096, 1, &fast), [compact; 2]);
        assert_eq!(chosen(4096, 1, &exact), [direct; 2]);
        assert_eq!(chosen(4096, 8, &fast), [direct; 2]);
        assert_eq!(chosen(512, 1, &fast), [direct; 2]);
        assert_eq!(chosen(4095, 1, &fast), [direct; 2]);
    }
}

/// A requested algorithm takes precedence over the cost model and the precision.
#[test]
fn requested_algorithms_are_chosen() {
    let net = two_fully_connected(64);
    let requested = Algorithm::FullyConnected;
    let names = net.layers.iter().map(|layer| layer.name.clone());
    let options = Options {
        precision: Precision::Exact,
        algorithms: names.map(|name| (name, requested)).collect(),
        ..Options::default()
    };
    assert_eq!(algorithms(&net, Isa::Scalar, 8, &options), [requested; 2]);
}

/// Returns the chosen algorithms of a chain of `layers` 3x3 convolutions of 192 channels at 7x7.
fn chosen(layers: usize) -> Vec<Option<Algorithm>> {
    let net = net(
        |device| -> Vec<Conv2d> {
            let layers = 0..layers;
            layers.map(|_| conv([192, 192], 3, device)).collect()
        },
        [192, 7, 7],
        |layers, x| layers.iter().fold(x, |x, layer| layer.forward(x)),
    );
    let target = Target {
        isa: Isa::Scalar,
        batch: 1,
        threads: 1,
    };
    modelled(&net, &choices(&net, &Options::default(), target).unwrap())
}

/// Winograd F(4,3) has four times the weights of a direct 3x3 convolution. The transformed weights
/// of two layers fit in the last-level cache, and the transformed weights of eight layers do not.
#[test]
fn large_winograd_tiles_are_avoided_if_weights_exceed_the_cache() {
    let largest = Some(Algorithm::Winograd(WinogradTile::Four));
    assert_eq!(chosen(2), [largest; 2]);
    let many = chosen(8);
    assert!(
        many.iter().all(|&algorithm| algorithm != largest),
        "{many:?}"
    );
}
