//! Mixup and CutMix.

use std::ops::Range;

use rand::RngExt;
use rand_distr::{Beta, Distribution};
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// Mixes every image of a mini-batch, and its target, with a partner image. The targets become soft
/// targets.
///
/// The partner of image `i` of `n` is image `n - 1 - i`. The mini-batch is in shuffled order, so
/// the partner is random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Mix {
    /// `x = l x + (1 - l) x'`, with the same formula for the targets. `l` is drawn from
    /// Beta(alpha, alpha) for each mini-batch (Zhang et al. 2017, mixup: Beyond Empirical Risk
    /// Minimization).
    Mixup {
        /// Parameter of the Beta distribution, above 0 and up to 100; 0.2 for the paper's ImageNet
        /// models.
        alpha: f64,
    },
    /// Replaces a rectangle of the image with the same rectangle of the partner image. The weight
    /// of the partner's target is the rectangle's fraction of the image area (Yun et al. 2019,
    /// CutMix: Regularization Strategy to Train Strong Classifiers, section 3.1).
    Cutmix {
        /// Parameter of the Beta distribution, above 0 and up to 100; 1 in the paper.
        alpha: f64,
    },
}

impl Mix {
    pub(crate) fn validate(&self) -> Result<(), InvalidConfig> {
        let (Self::Mixup { alpha } | Self::Cutmix { alpha }) = *self;
        let valid = alpha > 0.0 && alpha <= 100.0;
        InvalidConfig::unless(valid, "alpha", alpha, "above 0 and up to 100")
    }

    /// Mixes `images` `[batch, channels, height, width]` and `targets` `[batch, classes]` in place.
    pub fn apply(
        &self,
        images: &mut [f32],
        shape: [usize; 4],
        targets: &mut [f32],
        random: &mut Random,
    ) {
        let [batch, _, height, width] = shape;
        let weight = match *self {
            Self::Mixup { alpha } => {
                let weight = sample_beta(alpha, random);
                blend(images, batch, weight);
                weight
            }
            Self::Cutmix { alpha } => {
                let weight = sample_beta(alpha, random);
                let [rows, columns] = rectangle(height, width, 1.0 - weight, random);
                swap_rectangles(images, shape, &rows, &columns);
                1.0 - (rows.len() * columns.len()) as f32 / (height * width) as f32
            }
        };
        blend(targets, batch, weight);
    }
}

/// Draws a number from Beta(alpha, alpha).
fn sample_beta(alpha: f64, random: &mut Random) -> f32 {
    // `validate` has checked that both parameters are positive and finite.
    Beta::new(alpha, alpha).map_or(1.0, |beta| beta.sample(random)) as f32
}

/// Replaces row `i` of `batch` rows with `weight * row[i] + (1 - weight) * row[batch - 1 - i]`.
fn blend(rows: &mut [f32], batch: usize, weight: f32) {
    let length = rows.len() / batch;
    for first in 0..batch / 2 {
        let (low, high) = rows.split_at_mut((batch - 1 - first) * length);
        let low = &mut low[first * length..(first + 1) * length];
        for (a, b) in low.iter_mut().zip(&mut high[..length]) {
            let (x, y) = (*a, *b);
            *a = weight * x + (1.0 - weight) * y;
            *b = weight * y + (1.0 - weight) * x;
        }
    }
}

/// Returns the rows and columns of a rectangle that covers `fraction` of the area. Its centre has a
/// uniform distribution; the rectangle is clipped at the edges.
fn rectangle(height: usize, width: usize, fraction: f32, random: &mut Random) -> [Range<usize>; 2] {
    [height, width].map(|length| {
        let cut = (length as f32 * fraction.sqrt()) as usize;
        let centre = random.random_range(0..length);
        let start = centre.saturating_sub(cut / 2);
        start..(centre + cut - cut / 2).min(length)
    })
}

/// Exchanges the rectangle between each image and its partner.
fn swap_rectangles(
    images: &mut [f32],
    [batch, channels, height, width]: [usize; 4],
    rows: &Range<usize>,
    columns: &Range<usize>,
) {
    let length = channels * height * width;
    for first in 0..batch / 2 {
        let partner = (batch - 1 - first) * length;
        for plane in 0..channels {
            for row in rows.clone() {
                let line = (plane * height + row) * width;
                for column in columns.clone() {
                    images.swap(first * length + line + column, partner + line + column);
                }
            }
        }
    }
}
