//! Multinomial logistic regression on vectors, such as embeddings: a new head for a network.
//!
//! The loss is the mean cross-entropy plus `l2 / (2 n)` times the squared length of the weights of features that
//! are scaled to a standard deviation of 1, for `n` vectors; `1 / l2` is scikit-learn's `C`. The loss is convex, and
//! is minimized by L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5).

mod lbfgs;
mod loss;
mod scaling;
#[cfg(test)]
mod tests;

use loss::Problem;
use scaling::Scaling;

use crate::vectors::{VectorSet, inner_product};

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
        let (weights, biases) = scaling.unscaled(&problem.minimize());
        Ok(Self { weights, biases })
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
