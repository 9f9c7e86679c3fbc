//! Every architecture overfits a mini-batch of 16 images.
//!
//! Dropout is disabled, since it prevents overfitting. The images have the smallest size that the
//! network accepts.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use receptive_alexnet::{AlexNetConfig, AlexNetTorchvisionConfig};
use receptive_googlenet::GoogLeNetConfig;
use receptive_layers::network::{NetworkConfig, Sizes};
use receptive_lenet::{LeNet5Config, LeNet5OriginalConfig};
use receptive_mobilenet::{MobileNetV1Config, MobileNetV2Config, TimmMobileNetV1Config};
use receptive_resnet::{CifarResNetConfig, ResNetConfig};
use receptive_train::loader::Batch;
use receptive_train::recipe::Recipe;
use receptive_train::session::{Session, TrainableNetwork};
use receptive_vgg::VggConfig;

const IMAGES: usize = 16;

const CLASSES: usize = 4;

/// The loss must fall below this value.
const TARGET_LOSS: f64 = 0.05;

/// Hyperparameters that differ between the networks.
struct Hyperparameters {
    /// Height and width of the images; default the smallest size that the network accepts.
    size: Option<usize>,
    rate: f64,
    steps: u64,
    /// Overrides of other recipe fields.
    overrides: &'static [&'static str],
}

/// Adam for networks without normalization layers, whose first gradients are tiny.
const ADAM: Hyperparameters = Hyperparameters {
    size: None,
    rate: 5e-4,
    steps: 60,
    overrides: &["optimizer={ kind = 'adamw', lr = 5e-4 }"],
};

/// Adam for networks of depthwise convolutions: with such small images, their last feature maps
/// have one pixel.
const DEPTHWISE: Hyperparameters = Hyperparameters {
    size: None,
    rate: 3e-3,
    steps: 60,
    overrides: &["optimizer={ kind = 'adamw', lr = 3e-3 }"],
};

impl Default for Hyperparameters {
    fn default() -> Self {
        Self {
            size: None,
            rate: 0.01,
            steps: 60,
            overrides: &[],
        }
    }
}

/// Returns the configuration of the variant `name`.
fn variant<C: NetworkConfig>(name: &str) -> C {
    let mut variants = C::variants().into_iter();
    variants.find(|v| v.name == name).expect("a variant").config
}

/// Returns the configuration with all dropout rates 0.
fn without_dropout<C: NetworkConfig>(config: C) -> C {
    let mut fields = serde_json::to_value(config).expect("a configuration as JSON");
    for (name, value) in fields.as_object_mut().expect("fields") {
        if name.ends_with("dropout") {
            *value = 0.0.into();
        }
    }
    serde_json::from_value(fields).expect("a configuration from JSON")
}

/// Mini-batch of noise images with a different mean colour for each class,
/// `[16, channels, size, size]`.
fn batch(channels: usize, size: usize) -> Batch {
    let mut state = 7_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let labels: Vec<usize> = (0..IMAGES).map(|image| image % CLASSES).collect();
    let mut images = Vec::with_capacity(IMAGES * channels * size * size);
    for label in &labels {
        for channel in 0..channels {
            let tone = ((label + channel) % CLASSES) as f32 / CLASSES as f32 - 0.375;
            images.extend((0..size * size).map(|_| noise() + tone));
        }
    }
    let mut targets = vec![0.0; IMAGES * CLASSES];
    for (image, &label) in labels.iter().enumerate() {
        targets[image * CLASSES + label] = 1.0;
    }
    Batch {
        images,
        shape: [IMAGES, channels, size, size],
        targets,
        labels,
        skipped: Vec::new(),
    }
}

/// Trains the network until the loss is below [`TARGET_LOSS`].
fn overfits<C>(config: C, hyperparameters: &Hyperparameters)
where
    C: NetworkConfig<Network: 'static>,
{
    let input = config.input();
    let size = hyperparameters.size.unwrap_or(match input.accepts {
        Sizes::Published => input.size,
        Sizes::AtLeast(least) => least,
    });
    let rate = format!("optimizer.lr={}", hyperparameters.rate);
    let overrides: Vec<String> = hyperparameters
        .overrides
        .iter()
        .map(|&text| text.to_owned())
        .chain([rate])
        .collect();
    let text = "
        epochs = 1
        batch = 16
        clip_norm = 5.0
        loss.kind = 'cross_entropy'
        optimizer = { kind = 'sgd', lr = 0.01, momentum = 0.9 }
        schedule.kind = 'constant'
        data.normalise = { mean = [0.0], std = [1.0] }
    ";
    let recipe = Recipe::parse(text, "test", &overrides).expect("a recipe");
    let device = Device::flex();
    let config = without_dropout(config.with_classes(CLASSES).with_auxiliary(true));
    let mut session = {
        // A process has one random number generator for weights, which the tests share.
        static RNG: Mutex<()> = Mutex::new(());
        let _rng_lock = RNG.lock().unwrap_or_else(PoisonError::into_inner);
        let network = Session::init_network(&config, &device, 3);
        Session::new(network, vec![device], &recipe).expect("a session")
    };
    let batch = batch(input.channels, size);
    let mut losses = Vec::new();
    for step in 0..hyperparameters.steps {
        let scores = session
            .step(&batch, hyperparameters.rate, step)
            .expect("a step");
        losses.push(scores.loss);
        if scores.loss < TARGET_LOSS {
            println!("loss below {TARGET_LOSS} after {step} steps");
            return;
        }
    }
    panic!("losses {losses:.3?}");
}

#[test]
fn lenet5() {
    let hyperparameters = Hyperparameters {
        rate: 0.05,
        ..Hyperparameters::default()
    };
    overfits(variant::<LeNet5Config>("lenet5"), &hyperparameters);
}

#[test]
fn lenet5_1998() {
    let hyperparameters = Hyperparameters {
        rate: 0.02,
        steps: 200,
        ..Hyperparameters::default()
    };
    overfits(
        variant::<LeNet5OriginalConfig>("lenet5-1998"),
        &hyperparameters,
    );
}

#[test]
fn alexnet() {
    overfits(variant::<AlexNetConfig>("alexnet"), &ADAM);
}

#[test]
fn alexnet_torchvision() {
    let config = variant::<AlexNetTorchvisionConfig>("alexnet-torchvision");
    overfits(config, &ADAM);
}

#[test]
fn vgg() {
    overfits(
        variant::<VggConfig>("vgg11-bn"),
        &Hyperparameters::default(),
    );
}

#[test]
fn googlenet() {
    overfits(
        variant::<GoogLeNetConfig>("googlenet"),
        &Hyperparameters::default(),
    );
}

#[test]
fn resnet() {
    overfits(
        variant::<ResNetConfig>("resnet18"),
        &Hyperparameters::default(),
    );
}

#[test]
fn resnet_cifar() {
    let hyperparameters = Hyperparameters {
        rate: 0.05,
        ..Hyperparameters::default()
    };
    overfits(
        variant::<CifarResNetConfig>("resnet20-cifar"),
        &hyperparameters,
    );
}

#[test]
fn mobilenet_v1() {
    overfits(variant::<MobileNetV1Config>("mobilenet-v1"), &DEPTHWISE);
}

#[test]
fn mobilenet_v1_timm() {
    let config = variant::<TimmMobileNetV1Config>("mobilenet-v1-timm");
    overfits(config, &DEPTHWISE);
}

#[test]
fn mobilenet_v2() {
    overfits(variant::<MobileNetV2Config>("mobilenet-v2"), &DEPTHWISE);
}
