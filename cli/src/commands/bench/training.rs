//! Times a training step: forward, backward, optimizer.

use receptive_train::cluster::Alone;
use receptive_train::loader::Batch;
use receptive_train::optimizer::Optimizer;
use receptive_train::recipe::Recipe;
use receptive_train::session::Step;

use super::report::{KernelTuning, TimingReport};
use super::timing::{noise, time_runs};
use crate::args::BenchArgs;
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::registry::{InitialWeights, Model};

/// Learning rate, small enough that the weights stay finite in a long measurement on noise.
const LEARNING_RATE: f64 = 1e-4;

/// Times a training step on a batch of noise of shape `input`, with the network and loss of the
/// default recipe and stochastic gradient descent with momentum and weight decay.
pub(super) fn step(
    args: &BenchArgs,
    model: &Model,
    input: [usize; 4],
) -> Result<TimingReport, CliError> {
    engine::limit_backend_threads(args.compute.threads);
    crate::allocator::retain_freed_memory();
    let name = device::name_or_default(args.compute.device);
    let device = device::open(Some(name))?;
    let recipe = Recipe {
        parts: 1,
        accumulate: 1,
        clip_norm: None,
        ema: None,
        optimizer: Optimizer::Sgd {
            lr: LEARNING_RATE,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 1e-4,
            decay_vectors: true,
        },
        ..model.default_recipe(None, &[])?
    };
    let initial = InitialWeights {
        classes: model.classes,
        pretrained: None,
    };
    let mut network = model.trainable(&recipe, &initial, vec![device])?;
    let batch = noise_batch(input, model.classes);
    let mut count = 0;
    let timing = time_runs(args.seconds, Some(name), || {
        network.step(&Step::whole(&batch, LEARNING_RATE, count), &Alone)?;
        count += 1;
        Ok(())
    })?;
    let threads = engine::threads_or_cores(args.compute.threads).get();
    Ok(TimingReport {
        device: Some(name.name()),
        tuning: KernelTuning::of(name),
        ..TimingReport::new(model.name, input[0], "training", threads, &timing)
    })
}

/// Returns a batch of noise whose labels cycle through the classes.
fn noise_batch(shape: [usize; 4], classes: usize) -> Batch {
    let labels: Vec<usize> = (0..shape[0]).map(|image| image % classes).collect();
    let mut targets = vec![0.0; shape[0] * classes];
    for (image, label) in labels.iter().enumerate() {
        targets[image * classes + label] = 1.0;
    }
    Batch {
        images: noise(shape.iter().product()),
        shape,
        targets,
        parts: vec![shape[0]],
        labels,
        skipped: Vec::new(),
    }
}
