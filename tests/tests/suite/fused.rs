//! The test for layers that bypass the fused operations names every such layer of a small network.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::Device;
use burn::tensor::activation::relu;
use receptive_layers::block::{Activation, conv_norm, fully_connected, max_pool};
use receptive_tests::fused::unfused;

/// Two convolutions, a max pool and a fully connected layer.
#[derive(Module, Debug)]
struct Small {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc: Linear,
}

impl Small {
    fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([3, 4], [3, 3]).init(device),
            bn1: BatchNormConfig::new(4).init(device),
            conv2: Conv2dConfig::new([4, 4], [3, 3]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            fc: LinearConfig::new(4 * 2 * 2, 5).init(device),
        }
    }
}

#[test]
fn every_layer_that_bypasses_the_fused_operations_is_named() {
    let input = [1, 3, 8, 8];
    let found = unfused(Small::new, input, |network: &Small, x| {
        let x = conv_norm(&network.conv1, Some(&network.bn1), Activation::Relu, x);
        let x = network.conv2.forward(x);
        let x = max_pool(&network.pool, relu(x));
        network.fc.forward(x.flatten::<2>(1, 3))
    });
    assert_eq!(found, ["conv2", "relu2", "fc"]);

    let found = unfused(Small::new, input, |network: &Small, x| {
        let x = relu(network.bn1.forward(network.conv1.forward(x)));
        let x = conv_norm(&network.conv2, None, Activation::Relu, x);
        let x = network.pool.forward(x);
        fully_connected(&network.fc, x.flatten::<2>(1, 3))
    });
    assert_eq!(found, ["conv1", "bn1", "relu1", "maxpool"]);
}
