//! A crate outside the workspace that runs a ResNet on the GPU.

use receptive_resnet::burn::tensor::{Device, Distribution, Tensor};
use receptive_resnet::{CifarResNetConfig, Network, NetworkConfig};

fn main() {
    let device = Device::wgpu(Default::default());
    let network = CifarResNetConfig::resnet20().init(&device);
    let images = Tensor::random([2, 3, 32, 32], Distribution::Default, &device);

    let logits = network.forward(images);
    assert_eq!(logits.dims(), [2, 10]);
    let logits: Vec<f32> = logits.into_data().iter().collect();
    assert!(logits.iter().all(|logit| logit.is_finite()));
    println!("logits of two random images: {logits:?}");
}
