//! AlexNet's PCA colour augmentation.

use rand_distr::{Distribution, StandardNormal};
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use crate::image::{Image, to_sample};
use crate::random::Random;

/// Adds a random combination of the principal components of ImageNet's RGB values to every pixel
/// (Krizhevsky et al. 2012, section 4.1): `[p1 p2 p3] [a1 l1, a2 l2, a3 l3]`, where each `a` has a
/// normal distribution with mean 0. All pixels of an image receive the same sum. Grey images are
/// unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lighting {
    /// Standard deviation of each `a`, from 0 to 10; default 0.1, as in the paper.
    #[serde(default = "default_deviation")]
    pub deviation: f64,
}

fn default_deviation() -> f64 {
    0.1
}

/// Square roots of the eigenvalues of the covariance of ImageNet's RGB values in `[0, 1]`. The
/// paper does not print them; these values are from Facebook's `fb.resnet.torch`.
const EIGENVALUE_ROOTS: [f32; 3] = [0.2175, 0.0188, 0.0045];

/// The eigenvectors, `[channel, eigenvector]`.
const EIGENVECTORS: [[f32; 3]; 3] = [
    [-0.5675, 0.7192, 0.4009],
    [-0.5808, -0.0045, -0.8140],
    [-0.5836, -0.6948, 0.4203],
];

impl Lighting {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        let valid = (0.0..=10.0).contains(&self.deviation);
        InvalidConfig::unless(valid, "deviation", self.deviation, "from 0 to 10")
    }

    pub(super) fn apply(&self, mut image: Image, random: &mut Random) -> Image {
        let drawn: [f32; 3] = std::array::from_fn(|_| StandardNormal.sample(random));
        if image.channels != 3 {
            return image;
        }
        let light = EIGENVECTORS.map(|vector| {
            let sum: f32 = (0..3)
                .map(|i| vector[i] * drawn[i] * EIGENVALUE_ROOTS[i])
                .sum();
            255.0 * self.deviation as f32 * sum
        });
        for pixel in image.samples.chunks_exact_mut(3) {
            for (sample, light) in pixel.iter_mut().zip(light) {
                *sample = to_sample(f32::from(*sample) + light);
            }
        }
        image
    }
}
