//! Every architecture learns a batch of 16 images by heart.
//!
//! Dropout is off: it is there to prevent this. The images are as small as each network takes.

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

/// Every loss must fall under this.
const LEARNT: f64 = 0.05;

/// How a network is trained here: sizes, rates and steps differ, the rest does not.
struct Trial {
    /// Height and width of the images; by default the least that the network takes.
    size: Option<usize>,
    rate: f64,
    steps: u64,
    /// Other fields of the recipe.
    fields: &'static [&'static str],
}

/// For networks without norms, whose first gradients are tiny.
const ADAM: Trial = Trial {
    size: None,
    rate: 5e-4,
    steps: 60,
    fields: &["optimizer={ kind = 'adamw', lr = 5e-4 }"],
};

/// For networks of depthwise convolutions, which see maps of one pixel in images as small as these.
const DEPTHWISE: Trial = Trial {
    size: None,
    rate: 3e-3,
    steps: 60,
    fields: &["optimizer={ kind = 'adamw', lr = 3e-3 }"],
};

impl Default for Trial {
    fn default() -> Self {
        Self {
            size: None,
            rate: 0.01,
            steps: 60,
            fields: &[],
        }
    }
}

/// The variant of this name.
fn variant<C: NetworkConfig>(name: &str) -> C {
    let mut variants = C::variants().into_iter();
    variants.find(|v| v.name == name).expect("a variant").config
}

/// The same configuration, every dropout rate 0.
fn without_dropout<C: NetworkConfig>(config: C) -> C {
    let mut fields = serde_json::to_value(config).expect("a configuration as JSON");
    for (name, value) in fields.as_object_mut().expect("fields") {
        if name.ends_with("dropout") {
            *value = 0.0.into();
        }
    }
    serde_json::from_value(fields).expect("a configuration from JSON")
}

/// Noise of a colour for each class, `[16, channels, size, size]`.
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

fn learns<C>(config: C, trial: &Trial)
where
    C: NetworkConfig<Network: 'static>,
{
    let input = config.input();
    let size = trial.size.unwrap_or(match input.accepts {
        Sizes::Published => input.size,
        Sizes::AtLeast(least) => least,
    });
    let rate = format!("optimizer.lr={}", trial.rate);
    let fields: Vec<String> = trial
        .fields
        .iter()
        .map(|&field| field.to_owned())
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
    let recipe = Recipe::parse(text, "test", &fields).expect("a recipe");
    let device = Device::flex();
    let config = without_dropout(config.with_classes(CLASSES).with_auxiliary(true));
    let mut session = {
        // One generator draws the weights of all tests in this process.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let network = Session::fresh(&config, &device, 3);
        Session::new(network, vec![device], &recipe).expect("a session")
    };
    let batch = batch(input.channels, size);
    let mut losses = Vec::new();
    for step in 0..trial.steps {
        let scores = session.step(&batch, trial.rate, step).expect("a step");
        losses.push(scores.loss);
        if scores.loss < LEARNT {
            println!("learnt in {step} steps");
            return;
        }
    }
    panic!("losses {losses:.3?}");
}

#[test]
fn lenet5() {
    let trial = Trial {
        rate: 0.05,
        ..Trial::default()
    };
    learns(variant::<LeNet5Config>("lenet5"), &trial);
}

#[test]
fn lenet5_1998() {
    let trial = Trial {
        rate: 0.02,
        steps: 200,
        ..Trial::default()
    };
    learns(variant::<LeNet5OriginalConfig>("lenet5-1998"), &trial);
}

#[test]
fn alexnet() {
    learns(variant::<AlexNetConfig>("alexnet"), &ADAM);
}

#[test]
fn alexnet_torchvision() {
    let config = variant::<AlexNetTorchvisionConfig>("alexnet-torchvision");
    learns(config, &ADAM);
}

#[test]
fn vgg() {
    learns(variant::<VggConfig>("vgg11-bn"), &Trial::default());
}

#[test]
fn googlenet() {
    learns(variant::<GoogLeNetConfig>("googlenet"), &Trial::default());
}

#[test]
fn resnet() {
    learns(variant::<ResNetConfig>("resnet18"), &Trial::default());
}

#[test]
fn resnet_cifar() {
    let trial = Trial {
        rate: 0.05,
        ..Trial::default()
    };
    learns(variant::<CifarResNetConfig>("resnet20-cifar"), &trial);
}

#[test]
fn mobilenet_v1() {
    learns(variant::<MobileNetV1Config>("mobilenet-v1"), &DEPTHWISE);
}

#[test]
fn mobilenet_v1_timm() {
    let config = variant::<TimmMobileNetV1Config>("mobilenet-v1-timm");
    learns(config, &DEPTHWISE);
}

#[test]
fn mobilenet_v2() {
    learns(variant::<MobileNetV2Config>("mobilenet-v2"), &DEPTHWISE);
}
