//! Every architecture overfits a mini-batch of 16 images.
//!
//! Dropout is disabled, since it prevents overfitting. The images have the smallest size that the
//! network accepts. A case is called by its network: `cargo test --test overfit -- vgg11-bn`. Networks
//! that accept their published size alone take minutes and are ignored: `-- --include-ignored` runs
//! them, as CI does.

use std::process::ExitCode;

use burn::tensor::Device;
use libtest_mimic::{Arguments, Trial};
use receptive_layers::network::{NetworkConfig, Sizes};
use receptive_tests::networks::{self, Visit};
use receptive_train::cluster::Alone;
use receptive_train::loader::Batch;
use receptive_train::recipe::Recipe;
use receptive_train::session::{Session, Step, TrainableNetwork};

const IMAGES: usize = 16;

const CLASSES: usize = 4;

/// The loss must fall below this value.
const TARGET_LOSS: f64 = 0.05;

/// The largest number of optimizer steps; the networks need 2 to 130.
const STEPS: u64 = 200;

/// AdamW, whose steps do not depend on the scale of the gradients: those of networks without
/// normalization layers are tiny at first.
const RECIPE: &str = "
    epochs = 1
    batch = 16
    clip_norm = 5.0
    loss.kind = 'cross_entropy'
    optimizer = { kind = 'adamw', lr = 5e-4 }
    schedule.kind = 'constant'
    data.normalise = { mean = [0.0], std = [1.0] }
";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A process has one random number generator for weights, which the cases share.
    arguments.test_threads.get_or_insert(1);
    // Networks with batch norm need few steps.
    let trials = networks::one_of_each_type().into_iter().map(|name| {
        let is_slow = networks::visit(name, AcceptsOneSize);
        let test = Trial::test(name, move || {
            networks::visit(name, Overfit);
            Ok(())
        });
        test.with_ignored_flag(is_slow)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
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
        parts: vec![IMAGES],
        skipped: Vec::new(),
    }
}

/// Whether a network accepts images of its published size alone.
struct AcceptsOneSize;

impl Visit for AcceptsOneSize {
    type Output = bool;

    fn visit<C: NetworkConfig>(self, config: C) -> bool {
        matches!(config.input().accepts, Sizes::Published)
    }
}

/// Trains a network until the loss is below [`TARGET_LOSS`].
struct Overfit;

impl Visit for Overfit {
    type Output = ();

    /// # Panics
    ///
    /// When the loss is larger after [`STEPS`] steps.
    fn visit<C: NetworkConfig<Network: 'static>>(self, config: C) {
        let input = config.input();
        let size = match input.accepts {
            Sizes::Published => input.size,
            Sizes::AtLeast(least) => least,
        };
        let recipe = Recipe::parse(RECIPE, "test", &[]).expect("a recipe");
        let device = Device::flex();
        let config = without_dropout(config.with_classes(CLASSES).with_auxiliary(true));
        let network = Session::init_network(&config, &device, 3);
        let mut session = Session::new(network, vec![device], &recipe).expect("a session");
        let batch = batch(input.channels, size);
        let rate = recipe.optimizer.rate();
        let mut losses = Vec::new();
        for step in 0..STEPS {
            let step = Step::whole(&batch, rate, step);
            let loss = session.step(&step, &Alone).expect("a step").loss;
            losses.push(loss);
            if loss < TARGET_LOSS {
                return;
            }
        }
        panic!("losses {losses:.3?}");
    }
}
