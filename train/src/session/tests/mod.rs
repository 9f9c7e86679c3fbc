//! Optimizer steps against closed forms, on LeNet-5 and on a small network with batch normalization
//! and dropout.

mod parts;

use std::ops::Range;

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::Tensor;
use receptive_layers::block::{ConvBlock, ConvBlockConfig};
use receptive_layers::network::{InputSpec, InvalidConfig, Sizes, Stage, Variant};
use receptive_lenet::{LeNet5, LeNet5Config};
use serde::{Deserialize, Serialize};

use super::*;
use crate::cluster::{Alone, share_of};
use crate::loader::Batch;
use crate::metrics::MetricSums;
use crate::random::stream;
use crate::random::tests::lock_rng;

const CLASSES: usize = 3;

/// Two convolutions with batch normalization, dropout and a linear head.
#[derive(Module, Debug)]
struct Small {
    first: ConvBlock,
    second: ConvBlock,
    dropout: Dropout,
    head: Linear,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SmallConfig;

impl NetworkConfig for SmallConfig {
    type Network = Small;

    fn variants() -> Vec<Variant<Self>> {
        Vec::new()
    }

    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 1,
            size: 32,
            accepts: Sizes::AtLeast(8),
        }
    }

    fn classes(&self) -> usize {
        CLASSES
    }

    fn with_classes(self, _classes: usize) -> Self {
        self
    }

    fn validate(&self) -> Result<(), InvalidConfig> {
        Ok(())
    }

    fn build(&self, device: &Device) -> Small {
        let block = |channels| {
            let block = ConvBlockConfig {
                stride: 2,
                ..ConvBlockConfig::new(channels, 3)
            };
            block.init(device)
        };
        Small {
            first: block([1, 4]),
            second: block([4, 6]),
            dropout: DropoutConfig::new(0.5).init(),
            head: LinearConfig::new(6, CLASSES).init(device),
        }
    }
}

impl Network for Small {
    const HEAD: &'static [&'static str] = &["head"];

    const STAGES: &'static [Stage] = &[
        Stage::new("first", &["first"]),
        Stage::new("second", &["second"]),
    ];

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        self.embed_maps(self.second.forward(self.first.forward(images)))
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        maps.mean_dim(2).mean_dim(3).flatten(1, 3)
    }

    fn classify(&self, means: Tensor<2>) -> Tensor<2> {
        self.head.forward(self.dropout.forward(means))
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let first = self.first.forward(images);
        vec![first.clone(), self.second.forward(first)]
    }

    fn with_new_heads(self, _classes: usize) -> Self {
        self
    }
}

fn recipe(changes: &[&str]) -> Recipe {
    let text = "
        epochs = 1
        batch = 8
        loss.kind = 'cross_entropy'
        optimizer = { kind = 'sgd', lr = 0.1 }
        schedule.kind = 'constant'
        data.normalise = { mean = [0.0], std = [1.0] }
    ";
    let changes: Vec<String> = changes.iter().map(|&change| change.to_owned()).collect();
    Recipe::parse(text, "test", &changes).expect("a recipe")
}

/// Mini-batch of `images` noise images; the classes are assigned in round-robin order.
fn batch(images: usize, noise_seed: u64) -> Batch {
    use rand::RngExt;
    let mut random = stream(noise_seed, Purpose::Augmentation, [0, 0]);
    let labels: Vec<usize> = (0..images).map(|image| image % CLASSES).collect();
    let mut targets = vec![0.0; images * CLASSES];
    for (image, &label) in labels.iter().enumerate() {
        targets[image * CLASSES + label] = 1.0;
    }
    Batch {
        images: (0..images * 32 * 32)
            .map(|_| random.random_range(-1.0..1.0))
            .collect(),
        shape: [images, 1, 32, 32],
        targets,
        labels,
        parts: vec![images],
        skipped: Vec::new(),
    }
}

fn lenet(changes: &[&str], devices: usize) -> Session<LeNet5> {
    let config = LeNet5Config { classes: CLASSES };
    session(&config, changes, devices)
}

fn session<C: NetworkConfig>(config: &C, changes: &[&str], devices: usize) -> Session<C::Network> {
    let device = Device::flex();
    let network = Session::init_network(config, &device, 5);
    Session::new(network, vec![device; devices], &recipe(changes)).expect("a session")
}

/// Name and values of every tensor.
fn values(weights: &StateDict) -> Vec<(String, Vec<f32>)> {
    weights
        .iter()
        .map(|(name, tensor)| {
            let data = tensor.data().expect("values");
            (name.to_owned(), data.try_to_vec().expect("floats"))
        })
        .collect()
}

/// Returns the parts `own` of `count` parts of the mini-batch.
fn parts_of(batch: &Batch, own: Range<usize>, count: usize) -> Batch {
    let part = |part| share_of(batch.len(), part, count);
    let images = part(own.start).start..part(own.end - 1).end;
    let [_, channels, height, width] = batch.shape;
    let rows =
        |values: &[f32], length: usize| values[images.start * length..images.end * length].to_vec();
    Batch {
        images: rows(&batch.images, channels * height * width),
        shape: [images.len(), channels, height, width],
        targets: rows(&batch.targets, CLASSES),
        labels: batch.labels[images.clone()].to_vec(),
        parts: own.map(|index| part(index).len()).collect(),
        skipped: Vec::new(),
    }
}

/// Takes the step of a rank, with the parts of `batch` that fall to it.
fn take_step_of_rank<N: Network + 'static>(
    session: &mut Session<N>,
    batch: &Batch,
    rate: f64,
    number: u64,
    cluster: &dyn Cluster,
) -> Result<StepMetrics, TrainError> {
    let own = share_of(session.parts, cluster.rank(), cluster.ranks());
    let step = Step {
        batch: &parts_of(batch, own, session.parts),
        images: batch.len(),
        rate,
        number,
    };
    session.step(&step, cluster)
}

/// Takes the whole step.
fn take_step<N: Network + 'static>(
    session: &mut Session<N>,
    batch: &Batch,
    rate: f64,
    number: u64,
) -> Result<StepMetrics, TrainError> {
    take_step_of_rank(session, batch, rate, number, &Alone)
}

#[test]
fn the_average_matches_its_formula() {
    let _rng_lock = lock_rng();
    let mut session = lenet(&["ema=0.75"], 1);
    let mut plain = lenet(&[], 1);
    let mut expected = values(&plain.weights());
    for step in 0..4 {
        let batch = batch(6, step);
        take_step(&mut session, &batch, 0.1, step).expect("a step");
        take_step(&mut plain, &batch, 0.1, step).expect("a step");
        for ((_, average), (_, weights)) in expected.iter_mut().zip(values(&plain.weights())) {
            for (a, w) in average.iter_mut().zip(weights) {
                *a = 0.75 * *a + 0.25 * w;
            }
        }
    }
    for ((name, found), (_, expected)) in values(&session.weights()).iter().zip(&expected) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{name}: {a}, expected {b}");
        }
    }
}

#[test]
fn the_average_includes_batch_norm_statistics() {
    let _rng_lock = lock_rng();
    let mut session = session(&SmallConfig, &["ema=0.5"], 1);
    take_step(&mut session, &batch(8, 3), 0.1, 0).expect("a step");
    let average = values(
        &session
            .average
            .as_ref()
            .map(weights::state_dict)
            .expect("an average"),
    );
    let network = values(&weights::state_dict(&session.network().valid()));
    for ((name, average), (_, now)) in average.iter().zip(&network) {
        // A running mean starts at 0, a running variance at 1.
        let start = match name.rsplit('.').next() {
            Some("running_mean") => 0.0,
            Some("running_var") => 1.0,
            _ => continue,
        };
        for (a, n) in average.iter().zip(now) {
            assert!((a - (0.5 * start + 0.5 * n)).abs() < 1e-6, "{name}");
            assert_ne!(*n, start, "{name}");
        }
    }
}

/// Norm of the weight update of a step with learning rate 1.
fn update_norm(session: &mut Session<LeNet5>, batch: &Batch) -> f64 {
    let before = values(&session.weights());
    take_step(session, batch, 1.0, 0).expect("a step");
    let after = values(&session.weights());
    let squares = before
        .iter()
        .zip(&after)
        .flat_map(|((_, a), (_, b))| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)));
    squares.sum::<f64>().sqrt()
}

#[test]
fn clipping_limits_the_global_gradient_norm() {
    let _rng_lock = lock_rng();
    let batch = batch(6, 2);
    let unclipped = update_norm(&mut lenet(&[], 1), &batch);
    for max_norm in [0.1 * unclipped, 0.9 * unclipped] {
        let clipped = update_norm(&mut lenet(&[&format!("clip_norm={max_norm}")], 1), &batch);
        assert!(
            (clipped / max_norm - 1.0).abs() < 1e-3,
            "{clipped}, expected {max_norm}"
        );
    }
    let loose = update_norm(
        &mut lenet(&[&format!("clip_norm={}", 2.0 * unclipped)], 1),
        &batch,
    );
    assert!((loose / unclipped - 1.0).abs() < 1e-6);
}

#[test]
fn weight_decay_can_exclude_vectors() {
    let _rng_lock = lock_rng();
    let batch = batch(6, 2);
    let after = |changes: &[&str]| {
        let mut session = lenet(changes, 1);
        take_step(&mut session, &batch, 0.5, 0).expect("a step");
        values(&session.weights())
    };
    let start = values(&lenet(&[], 1).weights());
    let plain = after(&[]);
    for (decay_vectors, field) in [(true, "true"), (false, "false")] {
        let field = format!("optimizer.decay_vectors={field}");
        let decayed = after(&["optimizer.weight_decay=0.1", &field]);
        for (((name, start), (_, plain)), (_, decayed)) in start.iter().zip(&plain).zip(&decayed) {
            let decays = decay_vectors || !name.ends_with("bias");
            for ((w, p), d) in start.iter().zip(plain).zip(decayed) {
                let expected = if decays { p - 0.5 * 0.1 * w } else { *p };
                assert!(
                    (d - expected).abs() < 1e-6,
                    "{name}: {d}, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn frozen_stages_keep_weights_and_statistics() {
    let _rng_lock = lock_rng();
    // Statistics of images: the sum of seven equal numbers divided by seven is not always the number.
    let mut trained = session(&SmallConfig, &[], 1);
    take_step(&mut trained, &batch(8, 9), 0.1, 0).expect("a step");
    let state = trained.state().expect("a state");
    for parts in ["parts=1", "parts=7"] {
        let changes = [parts, "freeze=first", "optimizer.weight_decay=0.1"];
        let mut session = session(&SmallConfig, &changes, 1);
        session.restore(&state).expect("restored");
        let before = values(&session.weights());
        for step in 0..3 {
            take_step(&mut session, &batch(8, step), 0.1, step).expect("a step");
        }
        for ((name, before), (_, after)) in before.iter().zip(&values(&session.weights())) {
            let same = before == after;
            assert_eq!(same, name.starts_with("first."), "{name}");
        }
    }
    let network = Session::init_network(&SmallConfig, &Device::flex(), 5);
    let unknown = Session::new(network, vec![Device::flex()], &recipe(&["freeze=third"]));
    let message = unknown.err().expect("an error").to_string();
    assert!(message.contains("first, second"), "{message}");
}

#[test]
fn a_restored_session_continues_bit_for_bit() {
    let _rng_lock = lock_rng();
    for optimizer in [
        "optimizer={ kind = 'sgd', lr = 0.1, momentum = 0.9, nesterov = true }",
        "optimizer={ kind = 'adamw', lr = 0.01, weight_decay = 0.1, decay_vectors = false }",
        "optimizer={ kind = 'rmsprop', lr = 0.01, momentum = 0.9 }",
    ] {
        let changes = ["ema=0.9", "clip_norm=0.5", "freeze=first", optimizer];
        let mut uninterrupted = session(&SmallConfig, &changes, 1);
        for step in 0..3 {
            take_step(&mut uninterrupted, &batch(8, step), 0.1, step).expect("a step");
        }
        let state = uninterrupted.state().expect("a state");
        let mut resumed = session(&SmallConfig, &changes, 1);
        take_step(&mut resumed, &batch(8, 99), 0.7, 99).expect("a step");
        resumed.restore(&state).expect("restored");
        for step in 3..6 {
            let a = take_step(&mut uninterrupted, &batch(8, step), 0.1, step).expect("a step");
            let b = take_step(&mut resumed, &batch(8, step), 0.1, step).expect("a step");
            assert_eq!(a, b, "{optimizer}, step {step}");
        }
        let (a, b) = (uninterrupted.state(), resumed.state());
        assert_eq!(
            values_of_weights(&a.expect("a state")),
            values_of_weights(&b.expect("a state"))
        );
    }
}

/// Weights and averaged weights of a state. The order of the optimizer state is not defined.
fn values_of_weights(state: &StateDict) -> Vec<(String, Vec<f32>)> {
    let weights = state.iter().filter(|(name, _)| *name != OPTIMIZER);
    let weights = weights.map(|(name, tensor)| {
        let data = tensor.data().expect("values");
        (name.to_owned(), data.try_to_vec().expect("floats"))
    });
    weights.collect()
}

#[test]
fn momentum_matches_its_formulas() {
    let _rng_lock = lock_rng();
    // Two steps on the same mini-batch: the velocity of the second step includes the first
    // gradient.
    let batch = batch(6, 4);
    for (nesterov, field) in [(false, "false"), (true, "true")] {
        let field = format!("optimizer.nesterov={field}");
        let mut session = lenet(&["optimizer.momentum=0.5", &field], 1);
        let w0 = values(&session.weights());
        take_step(&mut session, &batch, 1e-3, 0).expect("a step");
        let w1 = values(&session.weights());
        let mut plain = lenet(&[], 1);
        plain
            .restore(&with_initial_optimizer(&session))
            .expect("restored");
        take_step(&mut session, &batch, 1e-3, 1).expect("a step");
        let w2 = values(&session.weights());
        take_step(&mut plain, &batch, 1e-3, 1).expect("a step");
        let p2 = values(&plain.weights());
        for i in 0..w0.len() {
            for j in 0..w0[i].1.len() {
                let [w0, w1, w2, p2] = [&w0, &w1, &w2, &p2].map(|w| f64::from(w[i].1[j]));
                let g1 = (w0 - w1) / if nesterov { 1.5 } else { 1.0 };
                let g2 = w1 - p2;
                let velocity = 0.5 * g1 + g2;
                let expected = if nesterov {
                    g2 + 0.5 * velocity
                } else {
                    velocity
                };
                assert!((w1 - w2 - expected).abs() < 1e-6);
            }
        }
    }
}

/// State of a session, with the optimizer state before the first step.
fn with_initial_optimizer(session: &Session<LeNet5>) -> StateDict {
    let mut state = session.state().expect("a state");
    let initial = lenet(&[], 1).state().expect("a state");
    let optimizer = initial.get(OPTIMIZER).expect("an optimizer state");
    state.insert(OPTIMIZER, optimizer.data().expect("bytes"));
    state
}

#[test]
fn a_nan_loss_leaves_the_weights_unchanged() {
    let _rng_lock = lock_rng();
    let mut session = lenet(&[], 1);
    let before = values(&session.weights());
    let mut broken = batch(6, 4);
    broken.images[7] = f32::NAN;
    let error = take_step(&mut session, &broken, 0.1, 17).expect_err("a NaN loss");
    assert!(error.to_string().contains("step 17"), "{error}");
    assert_eq!(values(&session.weights()), before);
}
