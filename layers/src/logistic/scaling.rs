//! Scaling of features to mean 0 and standard deviation 1.

use crate::vectors::VectorSet;

/// Mean and inverse standard deviation of each feature.
pub struct Scaling {
    means: Vec<f64>,
    /// 0 for a feature that is the same in all vectors.
    inverses: Vec<f64>,
}

impl Scaling {
    /// Returns the scaling of the vectors `rows`.
    pub fn new(set: &VectorSet, rows: &[usize]) -> Self {
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
    pub fn apply(&self, set: &VectorSet, rows: &[usize]) -> Vec<f32> {
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

    /// Returns the weights and biases of unscaled vectors for parameters of scaled ones.
    pub fn unscaled(&self, parameters: &[f64]) -> (Vec<f32>, Vec<f32>) {
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
        (weights, biases)
    }
}
