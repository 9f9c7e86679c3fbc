//! Two images at once.

use std::ops::Range;

use rand::RngExt;
use rand_distr::{Beta, Distribution};
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// Every image of a batch mixed with another, and its target with the other's: soft targets.
///
/// The partner of image `i` of `n` is image `n - 1 - i`, which a shuffled order makes a random one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mix {
    /// `x = l x + (1 - l) x'`, the targets alike, `l` from Beta(alpha, alpha) for each batch
    /// (Zhang et al. 2017, mixup: Beyond Empirical Risk Minimization).
    Mixup {
        /// Above 0, up to 100; the paper's ImageNet models have 0.2.
        alpha: f64,
    },
    /// A rectangle of the other image in the place of this one's; its part of the area is that of
    /// the other's target (Yun et al. 2019, CutMix: Regularization Strategy to Train Strong
    /// Classifiers, section 3.1).
    Cutmix {
        /// Above 0, up to 100; the paper's is 1.
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
        let kept = match *self {
            Self::Mixup { alpha } => {
                let kept = draw(alpha, random);
                blend(images, batch, kept);
                kept
            }
            Self::Cutmix { alpha } => {
                let kept = draw(alpha, random);
                let [rows, columns] = rectangle(height, width, 1.0 - kept, random);
                swap(images, shape, &rows, &columns);
                1.0 - (rows.len() * columns.len()) as f32 / (height * width) as f32
            }
        };
        blend(targets, batch, kept);
    }
}

fn draw(alpha: f64, random: &mut Random) -> f32 {
    // Both parameters are positive and finite: `validate` checked them.
    Beta::new(alpha, alpha).map_or(1.0, |beta| beta.sample(random)) as f32
}

/// Row `i` of `batch` becomes `kept` of itself and the rest of row `batch - 1 - i`.
fn blend(rows: &mut [f32], batch: usize, kept: f32) {
    let length = rows.len() / batch;
    for first in 0..batch / 2 {
        let (low, high) = rows.split_at_mut((batch - 1 - first) * length);
        let low = &mut low[first * length..(first + 1) * length];
        for (a, b) in low.iter_mut().zip(&mut high[..length]) {
            let (x, y) = (*a, *b);
            *a = kept * x + (1.0 - kept) * y;
            *b = kept * y + (1.0 - kept) * x;
        }
    }
}

/// The rows and columns of a rectangle with `part` of the area, its centre drawn evenly, cut at the
/// edges.
fn rectangle(height: usize, width: usize, part: f32, random: &mut Random) -> [Range<usize>; 2] {
    [height, width].map(|length| {
        let cut = (length as f32 * part.sqrt()) as usize;
        let centre = random.random_range(0..length);
        let start = centre.saturating_sub(cut / 2);
        start..(centre + cut - cut / 2).min(length)
    })
}

/// Exchanges the rectangle between each image and its partner.
fn swap(
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
