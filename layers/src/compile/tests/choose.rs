//! The model's choice of algorithms.

use burn::nn::conv::Conv2d;
use receptive_kernels::cpu::{Algorithm, Isa, WinogradTile};

use super::{conv, net};
use crate::compile::choose::{Target, choices, modelled};
use crate::compile::options::Options;

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
