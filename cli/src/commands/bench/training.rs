//! A step of training: forward, backward, the optimizer.

use receptive_train::loader::Batch;
use receptive_train::optimizer::Optimizer;
use receptive_train::recipe::Recipe;

use super::{Report, backend_threads, noise, report, time};
use crate::args::BenchArgs;
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::recipes;
use crate::registry::{InitialWeights, Model};

/// Small, so that noise learnt by heart for as long as anyone measures stays finite.
const RATE: f64 = 1e-4;

/// Times a step on images of noise: the network and loss of the paper's recipe, stochastic gradient
/// descent with momentum and weight decay.
pub(super) fn step(args: &BenchArgs, model: &Model, input: [usize; 4]) -> Result<Report, CliError> {
    engine::limit_threads(args.compute.threads);
    crate::allocator::retain_freed_memory();
    let device = device::open(args.compute.device)?;
    let recipe = Recipe {
        accumulate: 1,
        clip_norm: None,
        ema: None,
        optimizer: Optimizer::Sgd {
            lr: RATE,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 1e-4,
            decay_vectors: true,
        },
        ..recipes::default_for(model, false, &[])?
    };
    let initial = InitialWeights {
        classes: model.classes,
        pretrained: None,
    };
    let mut network = model.trainable(&recipe, &initial, vec![device])?;
    let batch = batch(input, model.classes);
    let mut count = 0;
    let times = time(args.seconds, || {
        network.step(&batch, RATE, count)?;
        count += 1;
        Ok(())
    })?;
    Ok(Report {
        device: Some(device::chosen(args.compute.device).name()),
        ..report(model, args, "training", backend_threads(args), &times)
    })
}

/// Images of noise, of one class after the other.
fn batch(shape: [usize; 4], classes: usize) -> Batch {
    let labels: Vec<usize> = (0..shape[0]).map(|image| image % classes).collect();
    let mut targets = vec![0.0; shape[0] * classes];
    for (image, label) in labels.iter().enumerate() {
        targets[image * classes + label] = 1.0;
    }
    Batch {
        images: noise(shape.iter().product()),
        shape,
        targets,
        labels,
        skipped: Vec::new(),
    }
}
