//! The confusion matrix of a classifier.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use receptive_layers::printable;
use serde::Serialize;

use crate::error::TrainError;
use crate::metrics::{MetricMeans, MetricSums, scores_and_labels};
use crate::write::write_atomic;

/// Confusion matrix: image counts by true class and by predicted class (the class with the highest
/// score).
#[derive(Debug, Clone)]
pub struct ConfusionMatrix {
    classes: Vec<String>,
    /// `[true class, predicted class]`, row-major.
    counts: Vec<u64>,
    sums: MetricSums,
}

/// Accuracy over the images of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassAccuracy {
    /// Name of the class.
    pub class: String,
    /// Number of images of the class.
    pub count: u64,
    /// Top-1 accuracy over these images, from 0 to 1; `None` if the class has no images.
    pub top1: Option<f64>,
}

impl ConfusionMatrix {
    /// Returns an empty confusion matrix for these class names.
    pub fn new(classes: Vec<String>) -> Self {
        Self {
            counts: vec![0; classes.len() * classes.len()],
            classes,
            sums: MetricSums::default(),
        }
    }

    /// Adds images: their logits `[images, classes]` and their true classes. The loss is the cross
    /// entropy.
    pub fn add(&mut self, logits: &[f32], labels: &[usize]) {
        if labels.is_empty() {
            return;
        }
        let losses =
            scores_and_labels(logits, labels).map(|(scores, &label)| cross_entropy(scores, label));
        let loss = losses.sum::<f64>() / labels.len() as f64;
        self.sums += MetricSums::of(loss, logits, labels);
        for (scores, &label) in scores_and_labels(logits, labels) {
            let predicted =
                scores.iter().enumerate().fold(
                    0,
                    |best, (class, &score)| {
                        if score > scores[best] { class } else { best }
                    },
                );
            self.counts[label * self.classes.len() + predicted] += 1;
        }
    }

    /// Returns the mean metrics over all images; `None` if no image was added.
    pub fn means(&self) -> Option<MetricMeans> {
        self.sums.means()
    }

    /// Returns the accuracy of every class.
    pub fn per_class(&self) -> Vec<ClassAccuracy> {
        let rows = self.counts.chunks_exact(self.classes.len());
        rows.enumerate()
            .map(|(class, row)| {
                let count = row.iter().sum();
                ClassAccuracy {
                    class: self.classes[class].clone(),
                    count,
                    top1: (count > 0).then(|| row[class] as f64 / count as f64),
                }
            })
            .collect()
    }

    /// Draws the matrix to the SVG file at `path`: a row for each true class, a column for each
    /// predicted class. A darker cell holds a larger fraction of its row.
    ///
    /// # Errors
    ///
    /// [`TrainError`] when the matrix cannot be drawn or the file cannot be written.
    pub fn draw(&self, path: &Path) -> Result<(), TrainError> {
        let mut text = String::new();
        self.render(&mut text)
            .map_err(|error| TrainError::Drawing {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        write_atomic(path, text.as_bytes())
    }

    /// Renders the matrix as SVG.
    fn render(&self, text: &mut String) -> Result<(), Box<dyn Error>> {
        let classes = self.classes.len();
        // Names and counts are legible up to about thirty classes.
        let named = classes <= 32;
        let cell = (960 / classes.max(1)).clamp(1, 48) as i32;
        let margin = if named { 140 } else { 16 };
        let side = margin + cell * classes as i32 + 16;
        let area = SVGBackend::with_string(text, (side as u32, side as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        let font = ("sans-serif", 12).into_font().color(&BLACK);
        for (row, counts) in self.counts.chunks_exact(classes).enumerate() {
            let total = counts.iter().sum::<u64>().max(1) as f64;
            let top = margin + cell * row as i32;
            for (column, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let left = margin + cell * column as i32;
                let fraction = count as f64 / total;
                let colour = if row == column { BLUE } else { RED };
                let corners = [(left, top), (left + cell, top + cell)];
                area.draw(&Rectangle::new(
                    corners,
                    colour.mix(0.1 + 0.6 * fraction).filled(),
                ))?;
                if named {
                    let middle = (left + cell / 2, top + cell / 2);
                    let style = font.clone().pos(Pos::new(HPos::Center, VPos::Center));
                    area.draw(&Text::new(count.to_string(), middle, style))?;
                }
            }
            if named {
                let name = printable(&self.classes[row]).into_owned();
                let style = font.clone().pos(Pos::new(HPos::Right, VPos::Center));
                let left = (margin - 6, top + cell / 2);
                area.draw(&Text::new(name.clone(), left, style))?;
                let style = font
                    .clone()
                    .transform(FontTransform::Rotate270)
                    .pos(Pos::new(HPos::Left, VPos::Center));
                let above = (margin + cell * row as i32 + cell / 2, margin - 6);
                area.draw(&Text::new(name, above, style))?;
            }
        }
        area.present()?;
        Ok(())
    }
}

/// Returns the cross entropy `-log softmax(scores)[label]`.
fn cross_entropy(scores: &[f32], label: usize) -> f64 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|&s| f64::from(s - largest).exp()).sum();
    sum.ln() - f64::from(scores[label] - largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion() -> ConfusionMatrix {
        let mut confusion =
            ConfusionMatrix::new(["cat", "dog", "bird"].map(str::to_owned).to_vec());
        let logits = [4.0, 1.0, 0.0, 0.0, 2.0, 1.0, 3.0, 2.0, 1.0];
        confusion.add(&logits, &[0, 1, 1]);
        confusion
    }

    #[test]
    fn images_are_counted_by_true_and_predicted_class() {
        let confusion = confusion();
        assert_eq!(confusion.counts, [1, 0, 0, 1, 1, 0, 0, 0, 0]);
        let classes = confusion.per_class();
        assert_eq!(classes[1].top1, Some(0.5));
        assert_eq!((classes[2].count, classes[2].top1), (0, None));
        let means = confusion.means().expect("images");
        let first = (1.0 + f64::exp(-3.0) + f64::exp(-4.0)).ln();
        let second = (1.0 + f64::exp(-2.0) + f64::exp(-1.0)).ln();
        let third = 1.0 + (1.0 + f64::exp(-1.0) + f64::exp(-2.0)).ln();
        assert!((means.loss - (first + second + third) / 3.0).abs() < 1e-9);
        assert_eq!(means.top5, 1.0);
    }

    #[test]
    fn the_drawing_contains_the_class_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("confusion.svg");
        confusion().draw(&path).expect("drawn");
        let text = std::fs::read_to_string(path).expect("text");
        assert!(text.starts_with("<svg") && text.matches("bird").count() == 2);
    }
}
