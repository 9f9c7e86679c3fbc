//! Draws where the evidence for the most probable class of a photo is, with MobileNetV2 and torchvision's weights, which
//! are downloaded once: the class activation map, from the same run as the class scores.
//!
//! ```text
//! cargo run --release -p receptive-mobilenet --example mobilenet-explain -- photo.jpg why.png
//! ```

use std::error::Error;

use receptive_mobilenet::burn::tensor::Device;
use receptive_mobilenet::compile::{Options, compile_outputs};
use receptive_mobilenet::explain::ClassWeights;
use receptive_mobilenet::graph::LOGITS;
use receptive_mobilenet::{
    Classifier, MobileNetV2, MobileNetV2Config, Network, NetworkConfig, Weights, image,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: explain PHOTO PICTURE.png [WEIGHTS]";
    let photo = image::open(arguments.next().ok_or(usage)?)?;
    let picture = arguments.next().ok_or(usage)?;
    let file = arguments.next();
    let weights = match &file {
        Some(path) => Weights::from_file(path),
        None => Weights::Default,
    };
    let device = Device::default();
    let pretrained = MobileNetV2Config::mobilenet_v2().pretrained(weights, &device)?;

    // The plan computes the class scores and the last feature maps.
    let last = MobileNetV2::STAGES[MobileNetV2::LAST_MAPS].name;
    let [channels, height, width] = pretrained.input;
    let input = [1, channels, height, width];
    let outputs = [LOGITS, last];
    let plan = compile_outputs(&pretrained.network, input, &outputs, &Options::default())?;
    let maps = plan.outputs()[1];
    let class_weights = ClassWeights::of(&pretrained.network, maps, &device)?;
    let class_weights = class_weights.ok_or("the network has no global mean pooling")?;
    let classifier = Classifier::from_plan(plan, pretrained.preprocessing, pretrained.labels)?;

    let outputs = classifier.run(&classifier.prepare(&photo))?;
    let best = classifier
        .classification(&outputs[LOGITS])?
        .top(1)
        .remove(0);
    let map = class_weights.map(&outputs[last], [maps[1], maps[2]], best.index);
    let peak = map.peak();
    println!(
        "{}: the most evidence is in row {}, column {}",
        best.label, peak.row, peak.column
    );

    let (width, height) = photo.dimensions();
    let (width, height) = (width as usize, height as usize);
    let region = image::seen_region(width, height, classifier.preprocessing());
    map.draw(&photo, region).save(picture)?;
    Ok(())
}
