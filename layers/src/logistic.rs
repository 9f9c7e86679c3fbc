//! Multinomial logistic regression on vectors, such as embeddings: a new head for a network.
//!
//! The loss is the mean cross-entropy plus `l2 / (2 n)` times the squared length of the weights of features that
//! are scaled to a standard deviation of 1, for `n` vectors; `1 / l2` is scikit-learn's `C`. The loss is convex, and
//! is minimized by L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5).

use std::collections::VecDeque;
use std::num::NonZero;
use std::thread;

use receptive_kernels::cpu::{Vectorize, dispatch};

use crate::vectors::{VectorSet, inner_product};

/// Parts of the vectors whose losses and gradients are added in order, so that results do not depend on the
/// number of threads.
const PARTS: usize = 8;

/// Pairs of steps and changes of the gradient that approximate the curvature.
const MEMORY: usize = 10;

/// Largest number of steps.
const MAX_STEPS: usize = 200;

/// Largest element of the gradient at the minimum.
const TOLERANCE: f64 = 1e-5;

/// A linear classifier of vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    /// `[classes, features]` in row-major order.
    weights: Vec<f32>,
    /// Bias of each class.
    biases: Vec<f32>,
}

/// Why a regression cannot be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogisticError {
    /// There are not as many classes of vectors as vectors.
    #[error("there are {found} classes of vectors, expected {vectors}, one for each vector")]
    Length {
        /// Number of given classes.
        found: usize,
        /// Number of vectors.
        vectors: usize,
    },
    /// A class is out of range.
    #[error("a vector has class {found}, expected 0 to {}", classes.saturating_sub(1))]
    Class {
        /// The class.
        found: usize,
        /// Number of classes.
        classes: usize,
    },
    /// There are fewer than two vectors or classes.
    #[error("{vectors} vectors of {classes} classes are too few, expected at least two of each")]
    TooFew {
        /// Number of vectors.
        vectors: usize,
        /// Number of classes.
        classes: usize,
    },
}

impl LogisticRegression {
    /// Fits a regression to the vectors `rows` of `set`. `classes[row]` is the class of vector `row`, from 0 to
    /// `count - 1`; `l2` is the strength of the regularization, at least 0. Computes on all cores.
    ///
    /// # Errors
    ///
    /// [`LogisticError`] if a class is missing or out of range, or there are too few vectors or classes.
    ///
    /// # Panics
    ///
    /// If a row is out of range.
    pub fn fit(
        set: &VectorSet,
        rows: &[usize],
        classes: &[usize],
        count: usize,
        l2: f64,
    ) -> Result<Self, LogisticError> {
        check(set, classes, count)?;
        if rows.len() < 2 || count < 2 {
            return Err(LogisticError::TooFew {
                vectors: rows.len(),
                classes: count,
            });
        }
        let scaling = Scaling::new(set, rows);
        let problem = Problem {
            vectors: scaling.apply(set, rows),
            features: set.length(),
            classes: rows.iter().map(|&row| classes[row]).collect(),
            count,
            l2: l2 / rows.len() as f64,
        };
        Ok(scaling.regression(&problem.minimize()))
    }

    /// Returns the weights, `[classes, features]` in row-major order.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Returns the bias of each class.
    pub fn biases(&self) -> &[f32] {
        &self.biases
    }

    /// Returns the score of each class before softmax.
    ///
    /// # Panics
    ///
    /// If the vector has another length than the features.
    pub fn logits(&self, vector: &[f32]) -> Vec<f32> {
        let weights = self
            .weights
            .chunks_exact(self.weights.len() / self.biases.len());
        let scores = weights.zip(&self.biases).map(|(weights, bias)| {
            assert_eq!(weights.len(), vector.len(), "the vector has another length");
            inner_product(weights, vector) + bias
        });
        scores.collect()
    }

    /// Returns the class with the highest score, the first one of equal ones.
    ///
    /// # Panics
    ///
    /// As [`logits`](Self::logits).
    pub fn predict(&self, vector: &[f32]) -> usize {
        let logits = self.logits(vector);
        let best = |best: usize, class: usize| match logits[class] > logits[best] {
            true => class,
            false => best,
        };
        (0..logits.len()).fold(0, best)
    }
}

/// Returns the class of each vector that a regression predicts which is fitted to the other vectors: those of
/// other folds. The vectors of each class are dealt to `folds` folds in turn, so every fold has nearly the same
/// shares of classes.
///
/// # Errors
///
/// As [`LogisticRegression::fit`].
pub fn cross_validate(
    set: &VectorSet,
    classes: &[usize],
    count: usize,
    folds: usize,
    l2: f64,
) -> Result<Vec<usize>, LogisticError> {
    check(set, classes, count)?;
    let fold_of = folds_of(classes, count, folds);
    let mut predictions = vec![0; set.len()];
    for fold in 0..folds {
        let rows: Vec<usize> = (0..set.len()).filter(|&row| fold_of[row] != fold).collect();
        let regression = LogisticRegression::fit(set, &rows, classes, count, l2)?;
        for row in (0..set.len()).filter(|&row| fold_of[row] == fold) {
            predictions[row] = regression.predict(set.vector(row));
        }
    }
    Ok(predictions)
}

/// Returns the fold of each vector.
pub fn folds_of(classes: &[usize], count: usize, folds: usize) -> Vec<usize> {
    // Classes begin at different folds, so that folds of many small classes have the same size.
    let mut next: Vec<usize> = (0..count).collect();
    let mut fold_of = Vec::with_capacity(classes.len());
    for &class in classes {
        fold_of.push(next[class] % folds.max(1));
        next[class] += 1;
    }
    fold_of
}

fn check(set: &VectorSet, classes: &[usize], count: usize) -> Result<(), LogisticError> {
    if classes.len() != set.len() {
        return Err(LogisticError::Length {
            found: classes.len(),
            vectors: set.len(),
        });
    }
    match classes.iter().find(|&&class| class >= count) {
        Some(&found) => Err(LogisticError::Class {
            found,
            classes: count,
        }),
        None => Ok(()),
    }
}

/// Mean and inverse standard deviation of each feature.
struct Scaling {
    means: Vec<f64>,
    /// 0 for a feature that is the same in all vectors.
    inverses: Vec<f64>,
}

impl Scaling {
    fn new(set: &VectorSet, rows: &[usize]) -> Self {
        let (n, features) = (rows.len() as f64, set.length());
        let mut means = vec![0.0; features];
        for &row in rows {
            for (mean, &value) in means.iter_mut().zip(set.vector(row)) {
                *mean += f64::from(value) / n;
            }
        }
        let mut variances = vec![0.0; features];
        for &row in rows {
            for ((variance, mean), &value) in variances.iter_mut().zip(&means).zip(set.vector(row))
            {
                *variance += (f64::from(value) - mean).powi(2) / n;
            }
        }
        let inverse = |variance: f64| {
            if variance > 0.0 {
                1.0 / variance.sqrt()
            } else {
                0.0
            }
        };
        Self {
            inverses: variances.into_iter().map(inverse).collect(),
            means,
        }
    }

    /// Returns the scaled vectors `rows`, `[rows, features]`.
    fn apply(&self, set: &VectorSet, rows: &[usize]) -> Vec<f32> {
        let mut scaled = Vec::with_capacity(rows.len() * set.length());
        for &row in rows {
            let features = set.vector(row).iter().zip(&self.means).zip(&self.inverses);
            scaled.extend(
                features
                    .map(|((&value, mean), inverse)| ((f64::from(value) - mean) * inverse) as f32),
            );
        }
        scaled
    }

    /// Returns the regression of unscaled vectors for parameters of scaled ones.
    fn regression(&self, parameters: &[f64]) -> LogisticRegression {
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for class in parameters.chunks_exact(self.means.len() + 1) {
            let (bias, scaled) = (class[self.means.len()], &class[..self.means.len()]);
            let unscaled: Vec<f64> = scaled
                .iter()
                .zip(&self.inverses)
                .map(|(w, i)| w * i)
                .collect();
            let shift: f64 = unscaled
                .iter()
                .zip(&self.means)
                .map(|(w, mean)| w * mean)
                .sum();
            weights.extend(unscaled.iter().map(|&weight| weight as f32));
            biases.push((bias - shift) as f32);
        }
        LogisticRegression { weights, biases }
    }
}

/// A minimization. Parameters are `[classes, features + 1]`; the last one of a class is its bias.
struct Problem {
    /// `[vectors, features]`, scaled.
    vectors: Vec<f32>,
    features: usize,
    /// Class of each vector.
    classes: Vec<usize>,
    /// Number of classes.
    count: usize,
    /// Factor of half the squared length of the weights.
    l2: f64,
}

impl Problem {
    /// Returns the parameters at the minimum, by L-BFGS from zero.
    fn minimize(&self) -> Vec<f64> {
        let mut parameters = vec![0.0; self.count * (self.features + 1)];
        let (mut loss, mut gradient) = self.evaluate(&parameters);
        let mut history: VecDeque<Curvature> = VecDeque::new();
        for _ in 0..MAX_STEPS {
            if gradient.iter().all(|element| element.abs() <= TOLERANCE) {
                break;
            }
            let direction = direction(&history, &gradient);
            let slope = dot(&direction, &gradient);
            // Without history, the first step has length 1 or less.
            let mut step = match history.is_empty() {
                true => 1.0 / dot(&gradient, &gradient).sqrt().max(1.0),
                false => 1.0,
            };
            let next = loop {
                let moved = parameters.iter().zip(&direction).map(|(p, d)| p + step * d);
                let moved: Vec<f64> = moved.collect();
                let (new_loss, new_gradient) = self.evaluate(&moved);
                if new_loss <= loss + 1e-4 * step * slope {
                    break Some((moved, new_loss, new_gradient));
                }
                step *= 0.5;
                // The loss is at the precision of its sums.
                if step < 1e-10 {
                    break None;
                }
            };
            let Some((moved, new_loss, new_gradient)) = next else {
                break;
            };
            let curvature = Curvature::new(
                moved.iter().zip(&parameters).map(|(a, b)| a - b).collect(),
                new_gradient
                    .iter()
                    .zip(&gradient)
                    .map(|(a, b)| a - b)
                    .collect(),
            );
            history.extend(curvature);
            if history.len() > MEMORY {
                history.pop_front();
            }
            (parameters, loss, gradient) = (moved, new_loss, new_gradient);
        }
        parameters
    }

    /// Returns the loss and its gradient.
    fn evaluate(&self, parameters: &[f64]) -> (f64, Vec<f64>) {
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

/// A step and the change of the gradient along it.
struct Curvature {
    step: Vec<f64>,
    change: Vec<f64>,
    /// Inverse of their inner product, which is positive.
    inverse: f64,
}

impl Curvature {
    /// Returns `None` if the change is too small to divide by.
    fn new(step: Vec<f64>, change: Vec<f64>) -> Option<Self> {
        let product = dot(&step, &change);
        (product > f64::MIN_POSITIVE).then(|| Self {
            inverse: 1.0 / product,
            step,
            change,
        })
    }
}

/// Returns the direction of descent: minus the gradient times an approximation of the inverse Hessian.
fn direction(history: &VecDeque<Curvature>, gradient: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|element| -element).collect();
    let mut factors = Vec::with_capacity(history.len());
    for curvature in history.iter().rev() {
        let factor = curvature.inverse * dot(&curvature.step, &direction);
        for (element, change) in direction.iter_mut().zip(&curvature.change) {
            *element -= factor * change;
        }
        factors.push(factor);
    }
    if let Some(last) = history.back() {
        let scale = 1.0 / (last.inverse * dot(&last.change, &last.change));
        for element in &mut direction {
            *element *= scale;
        }
    }
    for (curvature, factor) in history.iter().zip(factors.into_iter().rev()) {
        let correction = factor - curvature.inverse * dot(&curvature.change, &direction);
        for (element, step) in direction.iter_mut().zip(&curvature.step) {
            *element += correction * step;
        }
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors around a centre for each class, `spread` away from it.
    fn clusters(
        count: usize,
        classes: usize,
        features: usize,
        spread: f32,
    ) -> (VectorSet, Vec<usize>) {
        let mut state = 3_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let centres: Vec<f32> = (0..classes * features).map(|_| random()).collect();
        let class_of: Vec<usize> = (0..count).map(|row| row % classes).collect();
        let values = class_of
            .iter()
            .flat_map(|class| &centres[class * features..][..features]);
        let values: Vec<f32> = values.copied().collect();
        let values = values.into_iter().map(|value| value + spread * random());
        (
            VectorSet::new(values.collect(), features).unwrap(),
            class_of,
        )
    }

    fn problem(set: &VectorSet, classes: &[usize], count: usize, l2: f64) -> Problem {
        let rows: Vec<usize> = (0..set.len()).collect();
        Problem {
            vectors: Scaling::new(set, &rows).apply(set, &rows),
            features: set.length(),
            classes: classes.to_vec(),
            count,
            l2,
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (set, classes) = clusters(23, 3, 5, 1.0);
        let problem = problem(&set, &classes, 3, 0.1);
        let parameters: Vec<f64> = (0..18).map(|i| f64::from(i % 7) * 0.25 - 0.5).collect();
        let (_, gradient) = problem.evaluate(&parameters);
        for index in 0..parameters.len() {
            let loss = |step: f64| {
                let mut moved = parameters.clone();
                moved[index] += step;
                problem.evaluate(&moved).0
            };
            // Steps that float32 represents.
            let slope = (loss(1.0 / 128.0) - loss(-1.0 / 128.0)) * 64.0;
            assert!(
                (slope - gradient[index]).abs() < 1e-4,
                "{slope} and {}",
                gradient[index]
            );
        }
    }

    #[test]
    fn the_gradient_is_zero_at_the_minimum() {
        let (set, classes) = clusters(60, 4, 9, 1.5);
        let problem = problem(&set, &classes, 4, 0.01);
        let parameters = problem.minimize();
        let (loss, gradient) = problem.evaluate(&parameters);
        assert!(
            gradient.iter().all(|element| element.abs() < 1e-4),
            "{gradient:?}"
        );
        // The loss of equal probabilities is ln 4.
        assert!(loss < 1.0, "{loss}");
    }

    #[test]
    fn separate_classes_are_found_and_features_may_have_any_scale() {
        let (set, classes) = clusters(120, 5, 16, 0.4);
        let rows: Vec<usize> = (0..120).collect();
        let fit = |set: &VectorSet| LogisticRegression::fit(set, &rows, &classes, 5, 1.0).unwrap();
        let regression = fit(&set);
        assert!(
            rows.iter()
                .all(|&row| regression.predict(set.vector(row)) == classes[row])
        );
        let scaled: Vec<f32> = rows
            .iter()
            .flat_map(|&row| {
                let features = set.vector(row).iter().enumerate();
                features.map(|(feature, value)| value * 4_f32.powi(feature as i32 - 8) + 1.0)
            })
            .collect();
        let scaled = VectorSet::new(scaled, 16).unwrap();
        let other = fit(&scaled);
        for &row in &rows {
            let (a, b) = (
                regression.logits(set.vector(row)),
                other.logits(scaled.vector(row)),
            );
            for (a, b) in a.iter().zip(&b) {
                assert!((a - b).abs() < 0.02, "{a} and {b}");
            }
        }
        let predictions = cross_validate(&set, &classes, 5, 4, 1.0).unwrap();
        let right = predictions
            .iter()
            .zip(&classes)
            .filter(|(a, b)| a == b)
            .count();
        assert!(right >= 114, "{right}");
    }

    #[test]
    fn a_constant_feature_has_no_weight() {
        let values = vec![0.0, 7.0, 1.0, 7.0, 0.1, 7.0, 0.9, 7.0];
        let set = VectorSet::new(values, 2).unwrap();
        let regression = LogisticRegression::fit(&set, &[0, 1, 2, 3], &[0, 1, 0, 1], 2, 1.0);
        let regression = regression.unwrap();
        assert_eq!(
            (regression.weights()[1], regression.weights()[3]),
            (0.0, 0.0)
        );
        assert_eq!(regression.predict(&[0.2, 7.0]), 0);
    }

    #[test]
    fn folds_have_equal_shares_of_classes() {
        let classes: Vec<usize> = (0..100).map(|row| usize::from(row % 10 == 0)).collect();
        let folds = folds_of(&classes, 2, 5);
        for fold in 0..5 {
            let in_fold = |class: usize| {
                (0..100)
                    .filter(|&row| folds[row] == fold && classes[row] == class)
                    .count()
            };
            assert_eq!((in_fold(0), in_fold(1)), (18, 2));
        }
    }

    #[test]
    fn wrong_classes_are_refused() {
        let (set, classes) = clusters(6, 2, 3, 0.1);
        let fit = |rows: &[usize], classes: &[usize], count| {
            LogisticRegression::fit(&set, rows, classes, count, 1.0).unwrap_err()
        };
        let length = LogisticError::Length {
            found: 5,
            vectors: 6,
        };
        assert_eq!(fit(&[0, 1], &classes[..5], 2), length);
        assert_eq!(
            fit(&[0, 1], &classes, 1),
            LogisticError::Class {
                found: 1,
                classes: 1
            }
        );
        let few = LogisticError::TooFew {
            vectors: 1,
            classes: 2,
        };
        assert_eq!(fit(&[0], &classes, 2), few);
    }
}
