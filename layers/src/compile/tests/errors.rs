//! Tests of the compiler's error messages.

// A slice of the first axis alone.
#![allow(clippy::single_range_in_vec_init)]

use std::collections::BTreeMap;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::conv;
use crate::compile::{Algorithm, Compiled, Isa, Options, WinogradTile};
use crate::graph::{Graph, Outputs};

/// Returns the error of compiling `forward`, a function of a 3x3 convolution and images
/// `[2, 3, 6, 6]`.
fn error_of<O: Outputs>(forward: impl FnMut(&Conv2d, Tensor<4>) -> O, options: &Options) -> String {
    let init = |device: &Device| conv([3, 8], 3, device);
    let graph = Graph::trace(init, [2, 3, 6, 6], forward).unwrap();
    Compiled::random(graph, 0, options).unwrap_err().to_string()
}

#[test]
fn errors_name_the_layer_and_the_operation() {
    let error =
        |forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| error_of(forward, &Options::default());
    assert_eq!(
        error(|conv, x| conv.forward(x).cumsum(1)),
        "layer cumsum: cumsum to [2, 8, 6, 6] cannot be compiled, expected convolutions, fully connected \
         layers, pools, norms, activation functions, arithmetic, reductions, products, softmax, interpolation \
         and data movement"
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
fn an_input_of_rank_one_is_one_image() {
    let init = |device: &Device| Conv2dConfig::new([3, 4], [1, 1]).init(device);
    let forward = |conv: &Conv2d, x: Tensor<1>| conv.forward(x.reshape([1, 3, 1, 1]));
    let graph = Graph::trace(init, [3], forward).unwrap();
    let compiled = Compiled::random(graph, 0, &Options::default()).unwrap();
    assert_eq!((compiled.batch(), compiled.input()), (1, [3, 1, 1]));
}

#[test]
fn a_forward_that_combines_images_compiles_for_the_recorded_batch_only() {
    let error = |images: usize, forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>, batch| {
        let init = |device: &Device| conv([3, 8], 3, device);
        let graph = Graph::trace(init, [images, 3, 6, 6], forward).unwrap();
        let options = Options {
            batch: Some(batch),
            ..Options::default()
        };
        let compiled = Compiled::random(graph, 0, &options);
        compiled.err().map(|error| error.to_string())
    };
    let refused = "the batch size is 3, expected 1 as recorded: with another number of images, the network \
                   computes other operations, or combines images";
    let combining: [fn(&Conv2d, Tensor<4>) -> Tensor<4>; 5] = [
        // The first image for all.
        |conv, x| conv.forward(x.slice([0..1])),
        // Images become channels.
        |conv, x| {
            let [_, channels, height, width] = x.dims();
            conv.forward(x)
                .reshape([1, -1, height as i32, width as i32 / channels as i32])
        },
        // Only one image fits.
        |conv, x| conv.forward(x.reshape([1, 3, 6, 6])),
        // The factor depends on the batch.
        |conv, x| {
            let images = x.dims()[0] as f32;
            conv.forward(x) / images
        },
        |conv, x| {
            let first = x.clone().slice([0..1]).expand(x.dims());
            conv.forward(x + first)
        },
    ];
    for (index, forward) in combining.into_iter().enumerate() {
        assert_eq!(
            error(1, forward, 3).as_deref(),
            Some(refused),
            "forward {index}"
        );
        assert_eq!(error(1, forward, 1), None, "forward {index}");
    }
    assert_eq!(error(1, |conv, x| conv.forward(x), 3), None);
    assert_eq!(error(3, |conv, x| conv.forward(x), 2), None);
    let slice: fn(&Conv2d, Tensor<4>) -> Tensor<4> = |conv, x| {
        let images = x.dims()[0];
        conv.forward(x.slice([0..images, 0..3]))
    };
    assert_eq!(error(1, slice, 3), None);
}
