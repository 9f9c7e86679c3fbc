//! What happened, a line of JSON each.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::curves;
use crate::error::TrainError;
use crate::metrics::Means;

/// A line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// Of a step.
    Step(StepRecord),
    /// Of an epoch.
    Epoch(EpochRecord),
}

/// A step of the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step, from 1.
    pub step: u64,
    /// The learning rate.
    pub rate: f64,
    /// The batch's mean loss, before the step.
    pub loss: f64,
}

/// An epoch and its validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Steps so far.
    pub step: u64,
    /// The training images, as they were seen, before each step.
    pub train: Means,
    /// The validation images after the epoch.
    pub validation: Means,
    /// Training images that could not be read.
    pub skipped: u64,
    /// Time since the run began, its pauses left out.
    pub seconds: f64,
}

/// The run's `metrics.jsonl`.
pub struct History {
    path: PathBuf,
    file: BufWriter<File>,
    start: Instant,
}

impl History {
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        Self::open(
            path,
            OpenOptions::new().create(true).write(true).truncate(true),
        )
    }

    /// The file with its first `length` bytes alone: what came after them happens again.
    pub fn reopen(path: &Path, length: u64) -> Result<Self, TrainError> {
        let mut history = Self::open(path, OpenOptions::new().create(true).append(true))?;
        let file = history.file.get_mut();
        let cut = || {
            let length = length.min(file.metadata()?.len());
            file.set_len(length)
        };
        cut().map_err(|source| history.unwritable(source))?;
        Ok(history)
    }

    fn open(path: &Path, options: &mut OpenOptions) -> Result<Self, TrainError> {
        let file = options.open(path).map_err(|source| TrainError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            start: Instant::now(),
        })
    }

    fn unwritable(&self, source: std::io::Error) -> TrainError {
        TrainError::Write {
            path: self.path.clone(),
            source,
        }
    }

    pub fn step(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        self.line(&Line::Step(record.clone()))
    }

    pub fn epoch(&mut self, record: &EpochRecord) -> Result<(), TrainError> {
        self.line(&Line::Epoch(record.clone()))
    }

    fn line(&mut self, line: &Line) -> Result<(), TrainError> {
        let mut write = || {
            serde_json::to_writer(&mut self.file, line)?;
            self.file.write_all(b"\n")
        };
        write().map_err(|source| self.unwritable(source))
    }

    /// Puts every line on the disk; the file's length.
    pub fn flush(&mut self) -> Result<u64, TrainError> {
        let mut flush = || {
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
            self.file.seek(std::io::SeekFrom::End(0))
        };
        flush().map_err(|source| self.unwritable(source))
    }

    /// Time since this part of the run began.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The epochs so far.
    fn epochs(&self) -> Result<Vec<EpochRecord>, TrainError> {
        let unreadable = |reason: String| TrainError::Read {
            path: self.path.clone(),
            reason,
        };
        let text = fs::read_to_string(&self.path).map_err(|e| unreadable(e.to_string()))?;
        let lines = text.lines().map(serde_json::from_str::<Line>);
        let epochs = lines.filter_map(|line| match line {
            Ok(Line::Epoch(record)) => Some(Ok(record)),
            Ok(Line::Step(_)) => None,
            Err(error) => Some(Err(unreadable(error.to_string()))),
        });
        epochs.collect()
    }

    /// The last epoch, flushed before.
    pub fn last_epoch(&self) -> Result<Option<EpochRecord>, TrainError> {
        Ok(self.epochs()?.pop())
    }

    /// Draws the epochs so far, flushed before.
    pub fn draw(&self, path: &Path) -> Result<(), TrainError> {
        curves::draw(&self.epochs()?, path)
    }
}
