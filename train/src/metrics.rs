//! How well images were told apart.

use serde::{Deserialize, Serialize};

/// Sums over images: of losses, and of those whose class was among the highest scores.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricSums {
    /// The sum of the images' losses.
    pub loss: f64,
    /// Images.
    pub count: u64,
    /// Those whose class scored highest.
    pub top1: u64,
    /// Those whose class scored among the five highest.
    pub top5: u64,
}

/// Means over images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// The mean loss.
    pub loss: f64,
    /// The part whose class scored highest, from 0 to 1.
    pub top1: f64,
    /// The part whose class scored among the five highest, from 0 to 1.
    pub top5: f64,
    /// Images.
    pub count: u64,
}

impl MetricSums {
    /// Adds a batch: its mean loss, its scores `[images, classes]` and its classes.
    pub fn add(&mut self, loss: f64, logits: &[f32], labels: &[usize]) {
        self.loss += loss * labels.len() as f64;
        self.count += labels.len() as u64;
        for (scores, &label) in rows(logits, labels) {
            let place = place(scores, label);
            self.top1 += u64::from(place < 1);
            self.top5 += u64::from(place < 5);
        }
    }

    /// The means; `None` of no images.
    pub fn means(&self) -> Option<Means> {
        let part = |sum: u64| sum as f64 / self.count as f64;
        (self.count > 0).then(|| Means {
            loss: self.loss / self.count as f64,
            top1: part(self.top1),
            top5: part(self.top5),
            count: self.count,
        })
    }
}

/// The scores of each image with its class.
pub fn rows<'a>(
    logits: &'a [f32],
    labels: &'a [usize],
) -> impl Iterator<Item = (&'a [f32], &'a usize)> {
    let classes = logits.len() / labels.len().max(1);
    logits.chunks_exact(classes.max(1)).zip(labels)
}

/// How many classes score higher than `label`, or the same and come before it; what is not a number
/// scores higher than all.
pub fn place(scores: &[f32], label: usize) -> usize {
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
        /// What a run keeps of an epoch so far.
        #[test]
        fn sums_are_read_as_they_were_written(loss in prop::num::f64::NORMAL) {
            let sums = MetricSums { loss, ..MetricSums::default() };
            let json = serde_json::to_string(&sums).expect("numbers");
            prop_assert_eq!(serde_json::from_str::<MetricSums>(&json).expect("numbers"), sums);
        }
    }

    #[test]
    fn places_count_from_the_highest_score() {
        let scores = [1.0, 3.0, 2.0, 3.0];
        assert_eq!(
            [0, 1, 2, 3].map(|label| place(&scores, label)),
            [3, 0, 2, 1]
        );
        assert!(place(&[f32::NAN; 3], 0) > 0);
    }

    #[test]
    fn means_are_over_images() {
        let mut sums = MetricSums::default();
        assert_eq!(sums.means(), None);
        sums.add(2.0, &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], &[0, 1, 1]);
        sums.add(6.0, &[1.0, 0.0], &[0]);
        let means = sums.means().expect("images");
        assert_eq!((means.loss, means.top1, means.top5), (3.0, 0.75, 1.0));
    }
}
