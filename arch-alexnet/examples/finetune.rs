//! Trains a new head of AlexNet on a folder with one sub-folder of images for each class.
//!
//! The embedding of every image is computed once, and Burn's Adam trains the last layer on the
//! embeddings. All other weights stay as they are.
//!
//! ```text
//! cargo run --release -p receptive-alexnet --example alexnet-finetune -- FOLDER [WEIGHTS]
//! ```

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use receptive_alexnet::burn::module::Module;
use receptive_alexnet::burn::nn::loss::CrossEntropyLossConfig;
use receptive_alexnet::burn::optim::{AdamConfig, GradientsParams};
use receptive_alexnet::burn::tensor::{Device, Int, Tensor, TensorData};
use receptive_alexnet::weights::{self, FloatType, Format};
use receptive_alexnet::{
    AlexNetTorchvisionConfig, Metadata, Network, NetworkConfig, Weights, image,
};

const EPOCHS: usize = 100;
const LEARNING_RATE: f64 = 1e-3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: finetune FOLDER [WEIGHTS]")?;
    let file = arguments.next();
    let weights = match &file {
        Some(path) => Weights::from_file(path),
        None => Weights::Default,
    };
    let classes = sorted(&folder)?;
    let device = Device::default().autodiff();
    let config = AlexNetTorchvisionConfig::alexnet_torchvision().with_classes(classes.len());
    let pretrained = config.pretrained(weights, &device)?;
    let names = classes.iter().filter_map(|path| path.file_name());
    let metadata = Metadata {
        labels: Some(names.map(|name| name.to_string_lossy().into()).collect()),
        ..pretrained.metadata()
    };
    let mut network = pretrained.network;

    let trunk = network.valid();
    let (mut embeddings, mut targets) = (Vec::new(), Vec::new());
    for (class, path) in classes.iter().enumerate() {
        for photo in sorted(path)? {
            let photo = image::open(&photo)?;
            let [channels, height, width] = pretrained.input;
            let values = image::preprocess_channels(&photo, &pretrained.preprocessing, channels);
            let values = TensorData::new(values, [1, channels, height, width]);
            let images = Tensor::from_data(values, &device.clone().inner());
            embeddings.push(trunk.embed(images));
            targets.push(class as i64);
        }
    }
    let embeddings = Tensor::from_inner(Tensor::cat(embeddings, 0));
    let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &device);

    let mut optimizer = AdamConfig::new().init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    for epoch in 1..=EPOCHS {
        let logits = network.classify(embeddings.clone());
        let loss = loss.forward(logits, targets.clone());
        if epoch % 10 == 0 {
            println!(
                "epoch {epoch}: loss {:.4}",
                loss.clone().into_scalar::<f32>()
            );
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(LEARNING_RATE, network, gradients);
    }
    let weights = weights::state_dict(&network.valid()).with_metadata(metadata);
    weights.save("finetuned.safetensors", Format::SafeTensors, FloatType::F32)?;
    println!("finetuned.safetensors: {} classes", classes.len());
    Ok(())
}

/// Returns the entries of `folder`, sorted by name.
fn sorted(folder: impl AsRef<std::path::Path>) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}
