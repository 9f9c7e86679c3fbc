//! Loss functions.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

/// Loss function of class scores and target distributions; the training loss is its mean over the
/// images of a mini-batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Loss {
    /// Softmax cross entropy: `-sum_c t_c log softmax(s)_c`.
    CrossEntropy {
        /// Label smoothing: the probability mass of each target that is spread evenly over all
        /// classes, at least 0 and below 1 (Szegedy et al. 2015, Rethinking the Inception
        /// Architecture, section 7). Default 0.
        #[serde(default)]
        smoothing: f64,
    },
    /// Maximum a posteriori loss for radial basis outputs: `y_D + log(e^-j + sum_c e^-y_c)`, where
    /// the penalties `y` are the negated scores and `D` is the true class (LeCun et al. 1998,
    /// section II.C, eq. 9). The loss lowers the penalty of the true class and raises the other
    /// penalties until they are well above `j`. The competition between classes prevents the
    /// collapse in which all images have the same output.
    MaximumAPosteriori {
        /// Penalty of the background (no class), above 0. The paper gives no value.
        j: f64,
    },
}

impl Loss {
    pub(crate) fn validate(&self) -> Result<(), InvalidConfig> {
        match *self {
            Self::CrossEntropy { smoothing } => {
                InvalidConfig::unless_probability("smoothing", smoothing)
            }
            Self::MaximumAPosteriori { j } => {
                let valid = j > 0.0 && j.is_finite();
                InvalidConfig::unless(valid, "j", j, "above 0")
            }
        }
    }

    /// Returns the label smoothing of the targets.
    pub fn smoothing(&self) -> f64 {
        match *self {
            Self::CrossEntropy { smoothing } => smoothing,
            Self::MaximumAPosteriori { .. } => 0.0,
        }
    }

    /// Returns the loss of `scores` against `targets`, both `[images, classes]`, summed over the
    /// images.
    pub fn sum(&self, scores: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        match *self {
            Self::CrossEntropy { .. } => (log_softmax(scores, 1) * targets).sum().neg(),
            Self::MaximumAPosteriori { j } => {
                // Log-sum-exp: subtracting the largest exponent prevents overflow.
                let largest = scores.clone().detach().max_dim(1).clamp_min(-j);
                let others = (scores.clone() - largest.clone()).exp().sum_dim(1);
                let background = (largest.clone().neg() - j).exp();
                let log = (others + background).log() + largest;
                log.sum() - (scores * targets).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn sum(loss: &Loss, scores: [[f32; 3]; 2], targets: [[f32; 3]; 2]) -> f64 {
        let device = Device::flex();
        let scores = Tensor::from_data(scores, &device);
        let targets = Tensor::from_data(targets, &device);
        loss.sum(scores, targets).into_scalar::<f64>()
    }

    #[test]
    fn cross_entropy_of_soft_targets_matches_the_formula() {
        let loss = Loss::CrossEntropy { smoothing: 0.0 };
        let scores = [[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]];
        let targets = [[0.2, 0.7, 0.1], [0.0, 0.0, 1.0]];
        let expected: f64 = scores
            .iter()
            .zip(&targets)
            .map(|(scores, targets)| {
                let total: f64 = scores.iter().map(|&s| f64::from(s).exp()).sum();
                let terms = scores.iter().zip(targets);
                -terms
                    .map(|(&s, &t)| f64::from(t) * (f64::from(s) - total.ln()))
                    .sum::<f64>()
            })
            .sum();
        assert!((sum(&loss, scores, targets) - expected).abs() < 1e-5);
    }

    #[test]
    fn the_map_loss_matches_the_formula_and_does_not_overflow() {
        let loss = Loss::MaximumAPosteriori { j: 0.1 };
        let penalties = [[0.3_f32, 4.0, 7.0], [900.0, 1000.0, 800.0]];
        let scores = penalties.map(|row| row.map(|y| -y));
        let targets = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let first = 0.3 + (f64::exp(-0.1) + f64::exp(-0.3) + f64::exp(-4.0) + f64::exp(-7.0)).ln();
        let second = 1000.0 - 0.1;
        assert!((sum(&loss, scores, targets) - first - second).abs() < 1e-3);
    }
}
