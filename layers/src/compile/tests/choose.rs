//! The model's choice of algorithms.

use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use receptive_kernels::cpu::{Algorithm, Isa, WinogradTile};

use super::{conv, net};
use crate::compile::choose::{Target, choices, modelled};
use crate::compile::options::{Options, Precision};

fn fastest() -> Isa {
    Isa::available().next().expect("scalar, if no other")
}

/// The algorithms of two layers that connect so many features with as many.
fn connected(features: usize, batch: usize, precision: Precision) -> Vec<Option<Algorithm>> {
    let net = net(
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
    );
    let target = Target {
        isa: fastest(),
        batch,
        threads: 1,
    };
    let options = Options {
        precision,
        ..Options::default()
    };
    modelled(&net, &choices(&net, &options, target).unwrap())
}

/// Those of one image that no core's cache holds, if that is allowed, and vectors are long enough to unpack them in
/// less time than they save.
#[test]
fn fully_connected_weights_are_short_where_nothing_else_takes_time() {
    let direct = Some(Algorithm::Direct);
    let short = match fastest().lanes() {
        8.. => Some(Algorithm::FullyConnected),
        _ => direct,
    };
    let chosen = |features, batch, precision| {
        let mut chosen = connected(features, batch, precision);
        chosen.retain(Option::is_some);
        chosen
    };
    assert_eq!(chosen(4096, 1, Precision::Fast), [short; 2]);
    assert_eq!(chosen(4096, 1, Precision::Exact), [direct; 2]);
    assert_eq!(chosen(4096, 8, Precision::Fast), [direct; 2]);
    assert_eq!(chosen(512, 1, Precision::Fast), [direct; 2]);
    assert_eq!(chosen(4095, 1, Precision::Fast), [direct; 2]);
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
