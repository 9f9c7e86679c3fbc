//! A crate outside the workspace that runs LeNet-5 on the CPU.

use receptive_lenet::burn::tensor::{Device, Tensor};
use receptive_lenet::{LeNet5Config, Network, NetworkConfig};

fn main() {
    let device = Device::flex();
    let network = LeNet5Config::lenet5().init(&device);
    let blank = Tensor::zeros([1, 1, 32, 32], &device);

    let logits = network.forward(blank);
    assert_eq!(logits.dims(), [1, 10]);
    let logits: Vec<f32> = logits.into_data().iter().collect();
    assert!(logits.iter().all(|logit| logit.is_finite()));
    println!("logits of a blank digit: {logits:?}");
}
