//! What training makes small.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

/// The loss of class scores against targets, a mean over the images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// `-sum_c t_c log softmax(s)_c`.
    CrossEntropy {
        /// The part of each target that is spread evenly over all classes, at least 0 and below 1
        /// (Szegedy et al. 2015, Rethinking the Inception Architecture, section 7); by default 0.
        #[serde(default)]
        smoothing: f64,
    },
    /// `y_D + log(e^-j + sum_c e^-y_c)` of penalties `y`, which are negative scores, `D` the right
    /// class (LeCun et al. 1998, section II.C, eq. 9): the loss for radial basis outputs. Right
    /// penalties fall, the others rise until they are well above `j`, and no code of an output can
    /// draw all images to it.
    MaximumAPosteriori {
        /// The penalty of no class at all, above 0. The paper names no value.
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

    /// The part of each target that is spread over all classes.
    pub fn smoothing(&self) -> f64 {
        match *self {
            Self::CrossEntropy { smoothing } => smoothing,
            Self::MaximumAPosteriori { .. } => 0.0,
        }
    }

    /// The sum over the images of the loss of `scores` against `targets`, both `[images, classes]`.
    pub fn sum(&self, scores: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        match *self {
            Self::CrossEntropy { .. } => (log_softmax(scores, 1) * targets).sum().neg(),
            Self::MaximumAPosteriori { j } => {
                // The largest exponent is taken out of the logarithm, so that none overflows.
                let largest = scores.clone().detach().max_dim(1).clamp_min(-j);
                let others = (scores.clone() - largest.clone()).exp().sum_dim(1);
                let nothing = (largest.clone().neg() - j).exp();
                let log = (others + nothing).log() + largest;
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
    fn cross_entropy_of_soft_targets_is_its_formula() {
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
    fn the_loss_of_1998_is_its_formula_and_does_not_overflow() {
        let loss = Loss::MaximumAPosteriori { j: 0.1 };
        let penalties = [[0.3_f32, 4.0, 7.0], [900.0, 1000.0, 800.0]];
        let scores = penalties.map(|row| row.map(|y| -y));
        let targets = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let first = 0.3 + (f64::exp(-0.1) + f64::exp(-0.3) + f64::exp(-4.0) + f64::exp(-7.0)).ln();
        let second = 1000.0 - 0.1;
        assert!((sum(&loss, scores, targets) - first - second).abs() < 1e-3);
    }
}
