//! Where the paper's network and torchvision's differ.

use burn::nn::Initializer;
use serde::{Deserialize, Serialize};

/// Which GoogLeNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edition {
    /// Table 1: convolutions with biases, local response normalization around conv2, true 5x5
    /// convolutions, all pools between stages 3x3.
    ///
    /// The paper names no initialisation. Weights start as in BVLC's replication in Caffe: uniform
    /// within `sqrt(3 / fan in)`, biases 0.2, those of the classifiers 0.
    Paper,
    /// torchvision's: batch norm of epsilon 1e-3 after every convolution, 3x3 convolutions in place
    /// of the 5x5, a last pool of 2x2.
    ///
    /// Weights start normal of deviation 0.01 (torchvision's truncation, at 2, is 200 deviations
    /// out), the biases of the fully connected layers at 0.
    Torchvision,
}

impl Edition {
    /// How weights start.
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

    /// How biases start, the classifiers' apart.
    pub(crate) fn bias(self) -> f64 {
        match self {
            Self::Paper => 0.2,
            Self::Torchvision => 0.0,
        }
    }
}
