//! Tests of the compiler's error messages.

use std::collections::BTreeMap;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::conv;
use crate::compile::{Algorithm, Compiled, Isa, Options, WinogradTile};
use crate::graph::{Graph, Outputs};

/// Returns the error of compiling `forward`, a function of a 3x3 convolution and images
/// `[2, 3, 6, 6]`.
fn error_of<O: Outputs>(
    forward: impl Fn(&Conv2d, Tensor<4>) -> O,
    options: &Options,
) -> String {
    let init = |device: &Device| conv([3, 8], 3, device);
    let graph = Graph::trace(init, [2, 3, 6, 6], forward).unwrap();
    Compiled::random(graph, 0, options).unwrap_err().to_string()
}

#[test]
fn errors_name_the_layer_and_the_operation() {
    let error =
        |forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| error_of(forward, &Options::default());
    assert_eq!(
        error(|conv, x| conv.forward(x).exp()),
        "layer exp: exp to [2, 8, 6, 6] cannot be compiled, expected a supported operation on the feature \
         maps of each image"
    );
    assert_eq!(
        error(|conv, x| conv.forward(x).permute([0, 2, 3, 1])),
        "layer permute: permute to [2, 6, 6, 8] cannot be compiled, expected a supported operation on the \
         feature maps of each image"
    );
    assert_eq!(
        error(|conv, x| {
            let y = conv.forward(x);
            let mean = y.clone().mean_dims(&[2, 3]);
            y * mean
        }),
        "layer mul: mul of maps of different shapes cannot be compiled, expected maps of one shape"
    );
    assert_eq!(
        error(|conv, x| conv.forward(x).reshape([1, 16, 6, 6])),
        "layer reshape: reshape to [1, 16, 6, 6] cannot be compiled, expected a shape whose first \
         axis is the batch"
    );
    assert_eq!(
        error(|conv, x| {
            let y = conv.forward(x).reshape([2, 4, 12, 6]);
            burn::tensor::module::adaptive_avg_pool2d(y, [1, 1])
        }),
        "layer avgpool: avgpool of maps reshaped to [2, 4, 12, 6] cannot be compiled, expected maps in \
         the shape in which they were computed"
    );
}

#[test]
fn a_graph_without_weights_is_an_error() {
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
fn errors_name_invalid_options() {
    let forward = |conv: &Conv2d, x| conv.forward(x);
    let named = |name: &str, algorithm| Options {
        algorithms: BTreeMap::from([(name.to_owned(), algorithm)]),
        ..Options::default()
    };
    let two = Algorithm::Winograd(WinogradTile::Two);
    assert_eq!(
        error_of(forward, &named("conv9", two)),
        "unknown convolution \"conv9\", expected one of conv"
    );
    // The input is planar, which only the direct algorithm supports.
    assert_eq!(
        error_of(forward, &named("conv", two)),
        "layer conv: winograd f(2,3) does not support this convolution, expected one of direct"
    );
    assert_eq!(
        error_of(forward, &named("conv", Algorithm::FullyConnected)),
        "layer conv: direct in 24 bits does not support this convolution, expected one of direct"
    );
    let none = Options {
        batch: Some(0),
        ..Options::default()
    };
    assert_eq!(
        error_of(forward, &none),
        "the batch size is 0, expected at least 1"
    );
    if let Some(isa) = Isa::ALL.into_iter().find(|isa| !isa.is_available()) {
        let missing = Options {
            isa: Some(isa),
            ..Options::default()
        };
        let message = error_of(forward, &missing);
        assert!(message.starts_with(&format!(
            "this machine does not support {isa}, expected one of "
        )));
    }
}

#[test]
fn an_input_of_rank_one_is_an_error() {
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
