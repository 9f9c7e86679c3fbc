//! Classifies a photo with GoogLeNet and torchvision's weights, which are downloaded once.
//!
//! ```text
//! cargo run --release -p receptive-googlenet --example googlenet-classify -- photo.jpg
//! ```

use std::error::Error;

use receptive_googlenet::burn::tensor::Device;
use receptive_googlenet::compile::Options;
use receptive_googlenet::{Classifier, GoogLeNetConfig, NetworkConfig, Weights, image};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: classify PHOTO [WEIGHTS]")?;
    let file = arguments.next();
    let weights = match &file {
        Some(path) => Weights::from_file(path),
        None => Weights::Default,
    };
    let pretrained = GoogLeNetConfig::googlenet().pretrained(weights, &Device::default())?;
    let classifier = Classifier::compile(&pretrained, &Options::default())?;

    let photo = image::open(&path)?;
    for prediction in classifier.classify(&photo)?.top(5) {
        println!(
            "{:6.2} %  {}",
            100.0 * prediction.probability,
            prediction.label
        );
    }
    Ok(())
}
