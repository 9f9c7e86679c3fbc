//! AlexNet's change of the light.

use rand_distr::{Distribution, StandardNormal};
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::to_sample;
use crate::picture::Picture;
use crate::random::Random;

/// Adds to every pixel the same multiple of the principal components of ImageNet's colours (Krizhevsky
/// et al. 2012, section 4.1): `[p1 p2 p3] [a1 l1, a2 l2, a3 l3]`, each `a` normal with mean 0. Grey
/// pictures stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lighting {
    /// The deviation of each `a`, from 0 to 10; the paper's is 0.1.
    #[serde(default = "paper")]
    pub deviation: f64,
}

fn paper() -> f64 {
    0.1
}

/// Eigenvalues of the covariance of ImageNet's samples in `[0, 1]`, their square roots: the paper
/// does not print them, these are the ones of Facebook's `fb.resnet.torch`.
const VALUES: [f32; 3] = [0.2175, 0.0188, 0.0045];

/// For red, green and blue: that channel of each of the three eigenvectors.
const VECTORS: [[f32; 3]; 3] = [
    [-0.5675, 0.7192, 0.4009],
    [-0.5808, -0.0045, -0.8140],
    [-0.5836, -0.6948, 0.4203],
];

impl Lighting {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        let valid = (0.0..=10.0).contains(&self.deviation);
        InvalidConfig::unless(valid, "deviation", self.deviation, "from 0 to 10")
    }

    pub(super) fn apply(&self, mut picture: Picture, random: &mut Random) -> Picture {
        let drawn: [f32; 3] = std::array::from_fn(|_| StandardNormal.sample(random));
        if picture.channels != 3 {
            return picture;
        }
        let light = VECTORS.map(|vector| {
            let sum: f32 = (0..3).map(|i| vector[i] * drawn[i] * VALUES[i]).sum();
            255.0 * self.deviation as f32 * sum
        });
        for pixel in picture.samples.chunks_exact_mut(3) {
            for (sample, light) in pixel.iter_mut().zip(light) {
                *sample = to_sample(f32::from(*sample) + light);
            }
        }
        picture
    }
}
