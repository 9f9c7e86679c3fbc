//! Computes the class scores, the embedding and the feature maps of an image with AlexNet, by one run of
//! a compiled plan. The weights are random.
//!
//! ```text
//! cargo run --release -p receptive-alexnet --example alexnet-features
//! ```

use std::error::Error;

use receptive_alexnet::burn::tensor::Device;
use receptive_alexnet::compile::{Options, compile_outputs};
use receptive_alexnet::graph::{EMBEDDING, LOGITS};
use receptive_alexnet::{AlexNetTorchvision, AlexNetTorchvisionConfig, Network, NetworkConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let config = AlexNetTorchvisionConfig::alexnet_torchvision();
    let network = config.init(&Device::default());
    let stage = AlexNetTorchvision::STAGES[1].name;
    let outputs = [LOGITS, EMBEDDING, stage];
    let mut plan = compile_outputs(
        &network,
        config.input().shape(),
        &outputs,
        &Options::default(),
    )?;

    let image: Vec<f32> = (0..plan.input().iter().product())
        .map(|i| (i % 7) as f32 / 7.0)
        .collect();
    let results = plan.run(&image)?;
    for (name, shape) in plan.output_names().iter().zip(plan.outputs()) {
        println!(
            "{name}: {shape:?}, first value {}",
            results[name.as_str()][0]
        );
    }
    Ok(())
}
