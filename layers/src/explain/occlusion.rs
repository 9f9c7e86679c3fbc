//! Explanation by occlusion.

use std::num::NonZero;
use std::ops::ControlFlow;

use super::heatmap::Heatmap;
use crate::classifier::Classifier;
use crate::engine::ClassifierError;
use crate::pipeline;

/// The positions and the size of the window that covers a part of the image.
///
/// The image is divided into `places * places` equal cells. For each cell, a square window around the cell's
/// centre is covered with the mean colour of the training images, 0 after normalization; the cell's value is the
/// decrease of the class score (Zeiler and Fergus 2014, section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occlusion {
    /// Number of rows and of columns of the map.
    pub places: usize,
    /// Height and width of the window in pixels of the prepared image.
    pub window: usize,
}

impl Occlusion {
    /// Returns `places * places` windows, each twice as wide as a cell, for images of `size` by `size` pixels.
    pub fn new(places: usize, size: usize) -> Self {
        Self {
            places,
            window: (2 * size).div_ceil(places.max(1)),
        }
    }

    /// Computes the map of class `class` for a prepared image `[channels, size, size]`, by batches on `workers`
    /// threads.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Class`] if there is no such class, and the errors of
    /// [`Classifier::run`].
    ///
    /// # Panics
    ///
    /// If [`places`](Self::places) is 0, or `image` is not one image.
    pub fn map(
        &self,
        classifier: &Classifier,
        image: &[f32],
        class: usize,
        workers: NonZero<usize>,
    ) -> Result<Heatmap, ClassifierError> {
        let size = classifier.preprocessing().crop;
        let whole = score(classifier, image, 1, class)?[0];
        let count = self.places * self.places;
        let mut values = Vec::with_capacity(count);
        let mut failed = None;
        // Few places are divided among all workers.
        let batch = classifier.max_batch().min(count.div_ceil(workers.get()));
        pipeline::run(
            0..count,
            batch,
            workers,
            |places| {
                let images = places
                    .iter()
                    .flat_map(|&place| self.covered(image, size, place));
                let images: Vec<f32> = images.collect();
                match score(classifier, &images, places.len(), class) {
                    Ok(scores) => scores.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error)],
                }
            },
            |score| match score {
                Ok(score) => {
                    values.push(whole - score);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            },
        );
        match failed {
            Some(error) => Err(error),
            None => Ok(Heatmap::new(self.places, self.places, values)),
        }
    }

    /// Returns the image with the window of the cell `place` covered.
    fn covered(&self, image: &[f32], size: usize, place: usize) -> Vec<f32> {
        let range = |cell: usize| {
            // Twice the centre and half the window, in half pixels.
            let centre = (2 * cell + 1) * size / self.places;
            let start = (centre.saturating_sub(self.window) / 2).min(size - 1);
            // At least one pixel.
            start..((centre + self.window) / 2).clamp(start + 1, size)
        };
        let (rows, columns) = (range(place / self.places), range(place % self.places));
        let mut image = image.to_vec();
        for (index, row) in image.chunks_exact_mut(size).enumerate() {
            if rows.contains(&(index % size)) {
                row[columns.clone()].fill(0.0);
            }
        }
        image
    }
}

/// Computes the score of class `class` for each of `count` prepared images.
fn score(
    classifier: &Classifier,
    images: &[f32],
    count: usize,
    class: usize,
) -> Result<Vec<f32>, ClassifierError> {
    let scores = classifier.run(images)?.into_first();
    let classes = scores.len() / count;
    if class >= classes {
        return Err(ClassifierError::Class {
            requested: class,
            classes,
        });
    }
    let scores: Vec<f32> = scores
        .iter()
        .skip(class)
        .step_by(classes)
        .copied()
        .collect();
    match scores.iter().all(|score| score.is_finite()) {
        true => Ok(scores),
        false => Err(ClassifierError::NotFinite),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_centred_on_their_cells_and_end_at_the_edge() {
        let occlusion = Occlusion::new(4, 8);
        assert_eq!(occlusion.window, 4);
        let covered = |place: usize| {
            let image = occlusion.covered(&[1.0; 2 * 64], 8, place);
            let rows: Vec<usize> = (0..8)
                .filter(|row| image[row * 8..][..8].contains(&0.0))
                .collect();
            let columns: Vec<usize> = (0..8)
                .filter(|column| image.iter().skip(*column).step_by(8).any(|&v| v == 0.0))
                .collect();
            assert_eq!(image[..64], image[64..]);
            let zeros = image.iter().filter(|&&value| value == 0.0).count();
            assert_eq!(zeros, 2 * rows.len() * columns.len());
            (rows, columns)
        };
        assert_eq!(covered(0), (vec![0, 1, 2], vec![0, 1, 2]));
        assert_eq!(covered(5), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]));
        assert_eq!(covered(15), (vec![5, 6, 7], vec![5, 6, 7]));
        // More places than pixels.
        let many = Occlusion::new(24, 8);
        for place in 0..24 {
            let image = many.covered(&[1.0; 64], 8, place);
            assert_eq!(
                image.iter().filter(|&&value| value == 0.0).count(),
                1,
                "{place}"
            );
        }
    }
}
