//! Classifies a drawing of a digit with LeNet-5 and the weights in a file.
//!
//! ```text
//! cargo run --release -p receptive-lenet --example lenet-classify -- digit.png lenet5.safetensors
//! ```

use std::error::Error;

use receptive_lenet::burn::tensor::Device;
use receptive_lenet::compile::Options;
use receptive_lenet::{Classifier, LeNet5Config, NetworkConfig, Weights, image};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: classify DIGIT WEIGHTS")?;
    let file = arguments.next().ok_or("usage: classify DIGIT WEIGHTS")?;
    let weights = Weights::from_file(&file);
    let pretrained = LeNet5Config::lenet5().pretrained(weights, &Device::default())?;
    let classifier = Classifier::compile(&pretrained, &Options::default())?;

    let photo = image::open(&path)?;
    for prediction in classifier.classify(&photo)?.top(3) {
        println!(
            "{:6.2} %  {}",
            100.0 * prediction.probability,
            prediction.label
        );
    }
    Ok(())
}
