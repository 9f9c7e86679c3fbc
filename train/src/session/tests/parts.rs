//! Steps that are divided into parts, on one process and on ranks that are threads.

use std::sync::Mutex;

use super::*;
use crate::cluster::tests::on_threads;

fn assert_close(found: &StateDict, expected: &StateDict, tolerance: f32) {
    for ((name, found), (_, expected)) in values(found).iter().zip(&values(expected)) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= tolerance, "{name}: {a}, expected {b}");
        }
    }
}

#[test]
fn micro_batches_parts_and_devices_give_the_step_of_the_mini_batch() {
    let _rng_lock = lock_rng();
    let batch = batch(10, 1);
    let mut full_batch = lenet(&[], 1);
    let before = full_batch.weights();
    let expected = take_step(&mut full_batch, &batch, 0.1, 0).expect("a step");
    for (changes, devices) in [
        (&["accumulate=3"][..], 1),
        (&["parts=3"], 1),
        (&["parts=2"], 2),
        (&["parts=3"], 2),
        (&["parts=2", "accumulate=2"], 2),
        (&["parts=8", "accumulate=8"], 3),
    ] {
        let mut split = lenet(changes, devices);
        assert_eq!(values(&split.weights()), values(&before));
        let found = take_step(&mut split, &batch, 0.1, 0).expect("a step");
        assert_close(&split.weights(), &full_batch.weights(), 1e-6);
        assert!((found.loss - expected.loss).abs() < 1e-5);
        assert!((found.sums.loss - expected.sums.loss).abs() < 1e-4);
        let counts = |sums: MetricSums| (sums.count, sums.top1, sums.top5);
        assert_eq!(counts(found.sums), counts(expected.sums));
    }
}

#[test]
fn devices_do_not_change_the_weights_of_a_network_without_dropout() {
    let _rng_lock = lock_rng();
    let trained = |devices| {
        let mut session = lenet(&["parts=3"], devices);
        for step in 0..3 {
            take_step(&mut session, &batch(10, step), 0.1, step).expect("a step");
        }
        values(&session.weights())
    };
    let expected = trained(1);
    assert_eq!(trained(2), expected);
    assert_eq!(trained(3), expected);
}

#[test]
fn a_batch_of_other_parts_is_an_error() {
    let _rng_lock = lock_rng();
    let mut session = lenet(&["parts=3"], 1);
    let batch = batch(10, 1);
    let step = Step::whole(&batch, 0.1, 0);
    let error = session.step(&step, &Alone).expect_err("one part");
    assert!(
        error.to_string().contains("has 1 parts, expected 3"),
        "{error}"
    );
}

/// Weights and metrics of a rank after some steps.
#[derive(Debug, PartialEq)]
struct Trained {
    /// Name and bits of every weight and average.
    weights: Vec<(String, Vec<u32>)>,
    /// Metrics of every step.
    metrics: Vec<MetricSums>,
}

/// Weights, averages and metrics after `steps` steps on as many ranks as given, by rank.
fn states_of_ranks(changes: &[&str], ranks: usize, images: usize) -> Vec<Trained> {
    const STEPS: u64 = 3;
    // The initial weights are drawn one after the other from the random numbers of the process.
    let sessions = (0..ranks).map(|_| Mutex::new(session(&SmallConfig, changes, 1)));
    let sessions: Vec<_> = sessions.collect();
    on_threads(ranks, |cluster| {
        let mut session = sessions[cluster.rank()].lock().expect("a session");
        let metrics = (0..STEPS).map(|number| {
            let batch = batch(images, number);
            take_step_of_rank(&mut *session, &batch, 0.1, number, cluster)
                .expect("a step")
                .sums
        });
        let metrics = metrics.collect();
        let weights = values_of_weights(&session.state().expect("a state"));
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
        let weights = weights
            .into_iter()
            .map(|(name, values)| (name, bits(values)));
        Trained {
            weights: weights.collect(),
            metrics,
        }
    })
}

#[test]
fn ranks_end_with_the_weights_of_one_process_bit_for_bit() {
    let _rng_lock = lock_rng();
    for (changes, images) in [
        (&["parts=4", "ema=0.9", "clip_norm=0.5"][..], 13),
        (&["parts=4", "gradients=bf16", "accumulate=2"], 16),
        // Parts without images.
        (&["parts=8"], 5),
        (&["parts=5", "freeze=first", "optimizer.momentum=0.9"], 10),
    ] {
        let expected = states_of_ranks(changes, 1, images);
        for ranks in 2..=4 {
            for found in states_of_ranks(changes, ranks, images) {
                assert!(found == expected[0], "{changes:?}, {ranks} ranks");
            }
        }
    }
}

#[test]
fn bfloat16_gradients_are_near_those_of_float32() {
    let _rng_lock = lock_rng();
    let update = |changes: &[&str]| {
        let mut session = lenet(changes, 1);
        let before = values(&session.weights());
        take_step(&mut session, &batch(8, 1), 1.0, 0).expect("a step");
        let after = values(&session.weights());
        let pairs = before.into_iter().zip(after);
        pairs
            .flat_map(|((_, a), (_, b))| a.into_iter().zip(b).map(|(a, b)| b - a))
            .collect::<Vec<f32>>()
    };
    let (exact, rounded) = (update(&["parts=4"]), update(&["parts=4", "gradients=bf16"]));
    let norm = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
    let difference: Vec<f32> = exact.iter().zip(&rounded).map(|(a, b)| a - b).collect();
    let relative = norm(&difference) / norm(&exact);
    // bfloat16 has 8 bits of precision.
    assert!(relative > 1e-5 && relative < 1e-2, "{relative}");
}

#[test]
fn running_statistics_are_the_means_over_the_parts() {
    let _rng_lock = lock_rng();
    let batch = batch(8, 5);
    let statistics = |changes: &[&str], batch: &Batch| {
        let mut session = session(&SmallConfig, changes, 1);
        take_step(&mut session, batch, 0.1, 0).expect("a step");
        let mut found = values(&session.weights());
        found.retain(|(name, _)| name.contains(".running_"));
        found
    };
    let found = statistics(&["parts=2"], &batch);
    let first = statistics(&[], &parts_of(&batch, 0..1, 2));
    let second = statistics(&[], &parts_of(&batch, 1..2, 2));
    assert_eq!(found.len(), 4);
    for ((name, found), ((_, first), (_, second))) in found.iter().zip(first.iter().zip(&second)) {
        for (found, (a, b)) in found.iter().zip(first.iter().zip(second)) {
            assert!((found - (a + b) / 2.0).abs() < 1e-6, "{name}");
        }
    }
}
