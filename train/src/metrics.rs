//! Loss, top-1 and top-5 accuracy over images.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Running sums of loss and correct predictions over images.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricSums {
    /// Sum of the losses of the images.
    pub loss: f64,
    /// Number of images.
    pub count: u64,
    /// Number of images whose class has the highest score.
    pub top1: u64,
    /// Number of images whose class is among the five highest scores.
    pub top5: u64,
}

/// Mean loss and accuracy over images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricMeans {
    /// Mean loss.
    pub loss: f64,
    /// Top-1 accuracy, from 0 to 1.
    pub top1: f64,
    /// Top-5 accuracy, from 0 to 1.
    pub top5: f64,
    /// Number of images.
    pub count: u64,
}

impl MetricSums {
    /// Returns the sums of a mini-batch with a mean loss, logits `[images, classes]` and true classes.
    pub fn of(loss: f64, logits: &[f32], labels: &[usize]) -> Self {
        let mut sums = Self {
            loss: loss * labels.len() as f64,
            count: labels.len() as u64,
            ..Self::default()
        };
        for (scores, &label) in scores_and_labels(logits, labels) {
            let rank = rank(scores, label);
            sums.top1 += u64::from(rank < 1);
            sums.top5 += u64::from(rank < 5);
        }
        sums
    }

    /// Returns the sums as numbers that [`from_numbers`](Self::from_numbers) reads, for a message.
    pub(crate) fn to_numbers(self) -> [u64; 4] {
        [self.loss.to_bits(), self.count, self.top1, self.top5]
    }

    pub(crate) fn from_numbers([loss, count, top1, top5]: [u64; 4]) -> Self {
        Self {
            loss: f64::from_bits(loss),
            count,
            top1,
            top5,
        }
    }

    /// Returns the means over the images; `None` if there are none.
    pub fn means(&self) -> Option<MetricMeans> {
        let fraction = |sum: u64| sum as f64 / self.count as f64;
        (self.count > 0).then(|| MetricMeans {
            loss: self.loss / self.count as f64,
            top1: fraction(self.top1),
            top5: fraction(self.top5),
            count: self.count,
        })
    }
}

impl AddAssign for MetricSums {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.count += other.count;
        self.top1 += other.top1;
        self.top5 += other.top5;
    }
}

/// Iterates over the images: the scores of an image, `[classes]`, and its true class.
pub fn scores_and_labels<'a>(
    logits: &'a [f32],
    labels: &'a [usize],
) -> impl Iterator<Item = (&'a [f32], &'a usize)> {
    let classes = logits.len() / labels.len().max(1);
    logits.chunks_exact(classes.max(1)).zip(labels)
}

/// Returns the rank of the class `label`, from 0: the number of classes with a higher score.
///
/// Of two equal scores, the lower class index ranks first. A NaN score of another class ranks above
/// `label`; a NaN score of `label` ranks last.
pub fn rank(scores: &[f32], label: usize) -> usize {
    let own = scores[label];
    let above = |&(class, &score): &(usize, &f32)| match score.partial_cmp(&own) {
        Some(order) => order.is_gt() || order.is_eq() && class < label,
        None => class != label || own.is_nan(),
    };
    scores.iter().enumerate().filter(above).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A checkpoint stores the sums of a partial epoch as JSON.
        #[test]
        fn sums_round_trip_through_json(loss in prop::num::f64::NORMAL) {
            let sums = MetricSums { loss, ..MetricSums::default() };
            let json = serde_json::to_string(&sums).expect("numbers");
            prop_assert_eq!(serde_json::from_str::<MetricSums>(&json).expect("numbers"), sums);
        }
    }

    #[test]
    fn ranks_count_from_the_highest_score() {
        let scores = [1.0, 3.0, 2.0, 3.0];
        assert_eq!([0, 1, 2, 3].map(|label| rank(&scores, label)), [3, 0, 2, 1]);
        assert!(rank(&[f32::NAN; 3], 0) > 0);
    }

    #[test]
    fn means_are_over_images() {
        let mut sums = MetricSums::default();
        assert_eq!(sums.means(), None);
        sums += MetricSums::of(2.0, &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], &[0, 1, 1]);
        sums += MetricSums::of(6.0, &[1.0, 0.0], &[0]);
        let means = sums.means().expect("images");
        assert_eq!((means.loss, means.top1, means.top5), (3.0, 0.75, 1.0));
    }
}
