//! Progress as lines of text.

use std::io::Write;
use std::time::{Duration, Instant};

use receptive_layers::printable;

use super::interface::{Monitor, RunInfo};
use crate::metrics::MetricMeans;
use crate::records::{EpochRecord, StepRecord};

/// Minimum time between two lines within an epoch.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Writes the progress of a run as lines of text: one line per epoch, and one line every ten
/// seconds within an epoch. Write errors are ignored, so that they do not end the run.
pub struct Plain<W> {
    out: W,
    epochs: usize,
    images: usize,
    last_line: Instant,
}

impl<W: Write> Plain<W> {
    /// Returns a monitor that writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            epochs: 0,
            images: 0,
            last_line: Instant::now(),
        }
    }

    /// Returns the writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}", printable(text));
        let _ = self.out.flush();
        self.last_line = Instant::now();
    }
}

impl<W: Write> Monitor for Plain<W> {
    fn start_run(&mut self, info: &RunInfo) {
        self.epochs = info.epochs;
        let &RunInfo {
            train_images,
            validation_images,
            first_epoch,
            epochs,
        } = info;
        let from = match first_epoch {
            1 => String::new(),
            later => format!(", from epoch {later}"),
        };
        self.line(&format!(
            "{train_images} training and {validation_images} validation images, {epochs} epochs{from}"
        ));
    }

    fn start_training(&mut self, _epoch: usize, images: usize) {
        self.images = images;
    }

    fn step(&mut self, record: &StepRecord, images: usize, means: Option<MetricMeans>) {
        if self.last_line.elapsed() < LINE_INTERVAL {
            return;
        }
        let (loss, top1) = means.map_or((record.loss, f64::NAN), |means| (means.loss, means.top1));
        let text = format!(
            "epoch {}/{}  {images}/{} images  loss {loss:.4}  top-1 {:.2} %  lr {:.3e}",
            record.epoch,
            self.epochs,
            self.images,
            100.0 * top1,
            record.rate
        );
        self.line(&text);
    }

    fn start_validation(&mut self, _epoch: usize, _images: usize) {}

    fn validated(&mut self, _images: usize) {}

    fn end_epoch(&mut self, record: &EpochRecord, is_best: bool) {
        let EpochRecord {
            epoch,
            train,
            validation,
            seconds,
            ..
        } = record;
        let text = format!(
            "epoch {epoch}/{}  training loss {:.4} top-1 {:.2} %  validation loss {:.4} top-1 {:.2} %{}  {seconds:.1} s",
            self.epochs,
            train.loss,
            100.0 * train.top1,
            validation.loss,
            100.0 * validation.top1,
            if is_best { " (best)" } else { "" },
        );
        self.line(&text);
    }

    fn skipped(&mut self, error: &str) {
        self.line(&format!("skipped: {error}"));
    }

    fn warning(&mut self, message: &str) {
        self.line(&format!("warning: {message}"));
    }

    fn end_run(&mut self) {}
}
