//! Computes the class scores, the embedding and the feature maps of an image with ResNet-18, by one run of
//! a compiled plan. The weights are random.
//!
//! ```text
//! cargo run --release -p receptive-resnet --example resnet-features
//! ```

use std::error::Error;

use receptive_resnet::burn::tensor::Device;
use receptive_resnet::compile::{Options, compile_outputs};
use receptive_resnet::graph::{EMBEDDING, LOGITS};
use receptive_resnet::{Network, NetworkConfig, ResNet, ResNetConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let config = ResNetConfig::resnet18();
    let network = config.init(&Device::default());
    let stage = ResNet::STAGES[1].name;
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
