//! Classifies a photo with MobileNetV2 and torchvision's weights, which are downloaded once.
//!
//! ```text
//! cargo run --release -p receptive-mobilenet --example mobilenet-classify -- photo.jpg
//! ```

use std::error::Error;

use receptive_mobilenet::burn::tensor::Device;
use receptive_mobilenet::compile::Options;
use receptive_mobilenet::{Classifier, MobileNetV2Config, NetworkConfig, Weights, image};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: classify PHOTO [WEIGHTS]")?;
    let file = arguments.next();
    let weights = match &file {
        Some(path) => Weights::from_file(path),
        None => Weights::Default,
    };
    let pretrained = MobileNetV2Config::mobilenet_v2().pretrained(weights, &Device::default())?;
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
