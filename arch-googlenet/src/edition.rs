//! The differences between the paper's network and torchvision's.

use burn::nn::Initializer;
use serde::{Deserialize, Serialize};

/// A version of GoogLeNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Edition {
    /// The paper's network (Table 1): convolutions with biases, local response normalization before
    /// and after conv2, 5x5 convolutions in the inception modules, 3x3 pools between stages.
    ///
    /// The paper specifies no initialisation. Initial weights are those of BVLC's replication in
    /// Caffe: uniform in `±sqrt(3 / fan_in)`, biases of 0.2, and of 0 in the classifiers.
    Paper,
    /// torchvision's network: batch norm of epsilon 1e-3 after every convolution, 3x3 convolutions
    /// in place of 5x5, a 2x2 pool4.
    ///
    /// Weights start normal with standard deviation 0.01, and the biases of fully connected layers
    /// at 0. torchvision truncates the distribution at ±2, 200 standard deviations, which has no
    /// effect.
    Torchvision,
}

impl Edition {
    /// Returns the initial distribution of weights.
    pub(crate) fn initializer(self) -> Initializer {
        match self {
            Self::Paper => Initializer::KaimingUniform {
                gain: 1.0,
                fan_out_only: false,
            },
            Self::Torchvision => Initializer::Normal {
                mean: 0.0,
                std: 0.01,
            },
        }
    }

    /// Returns the initial value of all biases except the classifiers', which start at 0.
    pub(crate) fn bias(self) -> f64 {
        match self {
            Self::Paper => 0.2,
            Self::Torchvision => 0.0,
        }
    }
}
