//! The loss of a regression and its gradient.

use std::num::NonZero;
use std::thread;

use receptive_kernels::cpu::{Vectorize, dispatch};

use super::lbfgs::minimize;
use crate::vectors::inner_product;

/// Parts of the vectors whose losses and gradients are added in order, so that results do not depend on the
/// number of threads.
const PARTS: usize = 8;

/// A minimization. Parameters are `[classes, features + 1]`; the last one of a class is its bias.
pub struct Problem {
    /// `[vectors, features]`, scaled.
    pub vectors: Vec<f32>,
    pub features: usize,
    /// Class of each vector.
    pub classes: Vec<usize>,
    /// Number of classes.
    pub count: usize,
    /// Factor of half the squared length of the weights.
    pub l2: f64,
}

impl Problem {
    /// Returns the parameters at the minimum.
    pub fn minimize(&self) -> Vec<f64> {
        let length = self.count * (self.features + 1);
        minimize(length, |parameters| self.evaluate(parameters))
    }

    /// Returns the loss and its gradient.
    pub fn evaluate(&self, parameters: &[f64]) -> (f64, Vec<f64>) {
        let n = self.classes.len();
        let weights: Vec<f32> = parameters
            .chunks_exact(self.features + 1)
            .flat_map(|class| class[..self.features].iter().map(|&weight| weight as f32))
            .collect();
        let biases: Vec<f64> = parameters
            .chunks_exact(self.features + 1)
            .map(|class| class[self.features])
            .collect();
        let share = n.div_ceil(PARTS);
        let parts: Vec<_> = (0..PARTS)
            .map(|part| part * share..((part + 1) * share).min(n))
            .collect();
        let threads = thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(PARTS);
        let mut results: Vec<(usize, Part)> = thread::scope(|scope| {
            let (parts, weights, biases) = (&parts, &weights, &biases);
            let work = |thread: usize| {
                scope.spawn(move || {
                    let parts = parts.iter().enumerate().skip(thread).step_by(threads);
                    let result = |(part, rows): (usize, &std::ops::Range<usize>)| {
                        (part, self.part(weights, biases, rows.clone()))
                    };
                    parts.map(result).collect::<Vec<_>>()
                })
            };
            let workers: Vec<_> = (0..threads).map(work).collect();
            let join =
                |worker: thread::ScopedJoinHandle<'_, Vec<(usize, Part)>>| match worker.join() {
                    Ok(results) => results,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
            workers.into_iter().flat_map(join).collect()
        });
        results.sort_by_key(|&(part, _)| part);
        let mut loss = 0.0;
        let mut gradient = vec![0.0; parameters.len()];
        for (_, part) in &results {
            loss += part.loss / n as f64;
            let classes = gradient.chunks_exact_mut(self.features + 1);
            let sums = part.weights.chunks_exact(self.features).zip(&part.biases);
            for (class, (weights, bias)) in classes.zip(sums) {
                for (element, &sum) in class.iter_mut().zip(weights) {
                    *element += f64::from(sum) / n as f64;
                }
                class[self.features] += bias / n as f64;
            }
        }
        let classes = parameters.chunks_exact(self.features + 1);
        for (class, gradient) in classes.zip(gradient.chunks_exact_mut(self.features + 1)) {
            for (weight, element) in class.iter().zip(gradient).take(self.features) {
                loss += 0.5 * self.l2 * weight * weight;
                *element += self.l2 * weight;
            }
        }
        (loss, gradient)
    }

    /// Returns the sum of the losses of `rows`, and its gradient.
    fn part(&self, weights: &[f32], biases: &[f64], rows: std::ops::Range<usize>) -> Part {
        let mut part = Part {
            loss: 0.0,
            weights: vec![0.0; weights.len()],
            biases: vec![0.0; self.count],
        };
        let mut logits = vec![0.0; self.count];
        for row in rows {
            let vector = &self.vectors[row * self.features..][..self.features];
            let classes = weights.chunks_exact(self.features).zip(biases);
            for (logit, (weights, bias)) in logits.iter_mut().zip(classes) {
                *logit = f64::from(inner_product(weights, vector)) + bias;
            }
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
            part.loss += largest + total.ln() - logits[self.classes[row]];
            for (class, logit) in logits.iter().enumerate() {
                let expected = f64::from(u8::from(class == self.classes[row]));
                let difference = (logit - largest).exp() / total - expected;
                part.biases[class] += difference;
                let sums = &mut part.weights[class * self.features..][..self.features];
                dispatch(AddScaled {
                    sums,
                    factor: difference as f32,
                    vector,
                });
            }
        }
        part
    }
}

/// Loss and gradient of some vectors.
struct Part {
    loss: f64,
    /// `[classes, features]`.
    weights: Vec<f32>,
    biases: Vec<f64>,
}

/// Adds a multiple of a vector to sums.
struct AddScaled<'a> {
    sums: &'a mut [f32],
    factor: f32,
    vector: &'a [f32],
}

impl Vectorize for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let length = self.sums.len().min(self.vector.len());
        for index in 0..length {
            self.sums[index] += self.factor * self.vector[index];
        }
    }
}
