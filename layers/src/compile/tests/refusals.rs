//! What cannot be compiled is named.

use std::collections::BTreeMap;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::conv;
use crate::compile::{Algorithm, Compiled, Isa, Options, WinogradTile};
use crate::graph::{Graph, Outputs};

fn refusal<O: Outputs>(forward: impl FnOnce(&Conv2d, Tensor<4>) -> O, options: &Options) -> String {
    let init = |device: &Device| conv([3, 8], 3, device);
    let graph = Graph::trace(init, [2, 3, 6, 6], forward).unwrap();
    Compiled::random(graph, 0, options).unwrap_err().to_string()
}

#[test]
fn the_layer_and_the_operation_are_named() {
    let refusal =
        |forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| refusal(forward, &Options::default());
    assert_eq!(
        refusal(|conv, x| conv.forward(x).exp()),
        "layer exp: exp to [2, 8, 6, 6] cannot be compiled, expected an operation on the maps of each \
         image by itself"
    );
    assert_eq!(
        refusal(|conv, x| conv.forward(x).permute([0, 2, 3, 1])),
        "layer permute: permute to [2, 6, 6, 8] cannot be compiled, expected an operation on the maps of \
         each image by itself"
    );
    assert_eq!(
        refusal(|conv, x| {
            let y = conv.forward(x);
            let mean = y.clone().mean_dims(&[2, 3]);
            y * mean
        }),
        "layer mul: mul of maps of different shapes cannot be compiled, expected maps of one shape"
    );
    assert_eq!(
        refusal(|conv, x| conv.forward(x).reshape([1, 16, 6, 6])),
        "layer reshape: reshape to [1, 16, 6, 6] cannot be compiled, expected a shape that keeps the \
         batch in front"
    );
    assert_eq!(
        refusal(|conv, x| {
            let y = conv.forward(x).reshape([2, 4, 12, 6]);
            burn::tensor::module::adaptive_avg_pool2d(y, [1, 1])
        }),
        "layer avgpool: avgpool of maps reshaped to [2, 4, 12, 6] cannot be compiled, expected maps in \
         the shape in which they were computed"
    );
}

#[test]
fn a_trace_has_no_weights() {
    let init = |device: &Device| LinearConfig::new(3, 4).init(device);
    let forward = |layer: &Linear, x: Tensor<2>| layer.forward(x);
    let graph = Graph::trace(init, [1, 3], forward).unwrap();
    assert_eq!(
        Compiled::from_graph(graph, &Options::default())
            .unwrap_err()
            .to_string(),
        "layer linear: weight has no elements, expected a recorded model or random weights"
    );
}

#[test]
fn options_that_cannot_be_followed_are_named() {
    let forward = |conv: &Conv2d, x| conv.forward(x);
    let named = |name: &str, algorithm| Options {
        algorithms: BTreeMap::from([(name.to_owned(), algorithm)]),
        ..Options::default()
    };
    let two = Algorithm::Winograd(WinogradTile::Two);
    assert_eq!(
        refusal(forward, &named("conv9", two)),
        "no convolution is called \"conv9\", expected one of conv"
    );
    // A planar image.
    assert_eq!(
        refusal(forward, &named("conv", two)),
        "layer conv: winograd f(2,3) does not compute this convolution, expected one of direct"
    );
    assert_eq!(
        refusal(forward, &named("conv", Algorithm::FullyConnected)),
        "layer conv: direct in 24 bits does not compute this convolution, expected one of direct"
    );
    let none = Options {
        batch: Some(0),
        ..Options::default()
    };
    assert_eq!(
        refusal(forward, &none),
        "the batch is 0, expected at least 1"
    );
    if let Some(isa) = Isa::ALL.into_iter().find(|isa| !isa.is_available()) {
        let missing = Options {
            isa: Some(isa),
            ..Options::default()
        };
        let message = refusal(forward, &missing);
        assert!(message.starts_with(&format!("this machine has no {isa}, expected one of ")));
    }
}

#[test]
fn inputs_are_maps_or_vectors() {
    let init = |device: &Device| Conv2dConfig::new([3, 4], [1, 1]).init(device);
    let forward = |conv: &Conv2d, x: Tensor<1>| conv.forward(x.reshape([1, 3, 1, 1]));
    let graph = Graph::trace(init, [3], forward).unwrap();
    assert_eq!(
        Compiled::random(graph, 0, &Options::default())
            .unwrap_err()
            .to_string(),
        "the network's input is [3], expected [batch, channels, height, width] or [batch, features]"
    );
}
