//! The model's choice of algorithms.

use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use receptive_kernels::cpu::{Algorithm, Isa, WinogradTile};

use super::{conv, net};
use crate::compile::choose::{Target, choices, modelled};
use crate::compile::net::Net;
use crate::compile::options::{Options, Precision};

/// Two layers that connect so many features with as many.
fn connected(features: usize) -> Net {
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

/// The algorithms of its convolutions.
fn algorithms(net: &Net, isa: Isa, batch: usize, options: &Options) -> Vec<Algorithm> {
    let target = Target {
        isa,
        batch,
        threads: 1,
    };
    let algorithms = modelled(net, &choices(net, options, target).unwrap());
    algorithms.into_iter().flatten().collect()
}

/// Those of one image that no core's cache holds, if that is allowed, and vectors are long enough to unpack them in
/// less time than they save.
#[test]
fn fully_connected_weights_are_short_where_nothing_else_takes_time() {
    let direct = Algorithm::Direct;
    let fast = Options::default();
    let exact = Options {
        precision: Precision::Exact,
        ..Options::default()
    };
    for isa in Isa::available() {
        let short = match isa.lanes() {
            8.. => Algorithm::FullyConnected,
            _ => direct,
        };
        let chosen =
            |features, batch, options| algorithms(&connected(features), isa, batch, options);
        assert_eq!(chosen(4096, 1, &fast), [short; 2]);
        assert_eq!(chosen(4096, 1, &exact), [direct; 2]);
        assert_eq!(chosen(4096, 8, &fast), [direct; 2]);
        assert_eq!(chosen(512, 1, &fast), [direct; 2]);
        assert_eq!(chosen(4095, 1, &fast), [direct; 2]);
    }
}

/// Whatever the model and the precision say.
#[test]
fn what_is_asked_for_is_chosen() {
    let net = connected(64);
    let short = Algorithm::FullyConnected;
    let names = net.layers.iter().map(|layer| layer.name.clone());
    let options = Options {
        precision: Precision::Exact,
        algorithms: names.map(|name| (name, short)).collect(),
        ..Options::default()
    };
    assert_eq!(algorithms(&net, Isa::Scalar, 8, &options), [short; 2]);
}

/// The algorithms of so many convolutions of 192 channels, one after the other, at 7x7.
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

/// The weights of a tile of 6x6 are four times as many. Those of two layers stay in the last-level cache;
/// those of eight would not, though the layers' own would.
#[test]
fn packed_weights_that_no_cache_holds_are_fewer() {
    let largest = Some(Algorithm::Winograd(WinogradTile::Four));
    assert_eq!(chosen(2), [largest; 2]);
    let many = chosen(8);
    assert!(
        many.iter().all(|&algorithm| algorithm != largest),
        "{many:?}"
    );
}
