//! The metrics file of a run, `metrics.jsonl`.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::curves;
use crate::error::TrainError;
use crate::records::{EpochRecord, Record, StepRecord};

/// Writer and reader of `metrics.jsonl`.
pub struct History {
    path: PathBuf,
    file: BufWriter<File>,
    start: Instant,
}

impl History {
    /// Creates an empty file.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        Self::open(
            path,
            OpenOptions::new().create(true).write(true).truncate(true),
        )
    }

    /// Opens the file and truncates it to `length` bytes, its length at the checkpoint. The resumed
    /// run writes the later records again.
    pub fn reopen(path: &Path, length: u64) -> Result<Self, TrainError> {
        let mut history = Self::open(path, OpenOptions::new().create(true).append(true))?;
        let file = history.file.get_mut();
        let truncate = || {
            let length = length.min(file.metadata()?.len());
            file.set_len(length)
        };
        truncate().map_err(|source| history.write_error(source))?;
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

    fn write_error(&self, source: std::io::Error) -> TrainError {
        TrainError::Write {
            path: self.path.clone(),
            source,
        }
    }

    /// Appends the record of a step.
    pub fn step(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        self.append(&Record::Step(record.clone()))
    }

    /// Appends the record of an epoch.
    pub fn epoch(&mut self, record: &EpochRecord) -> Result<(), TrainError> {
        self.append(&Record::Epoch(record.clone()))
    }

    fn append(&mut self, record: &Record) -> Result<(), TrainError> {
        let mut write = || {
            serde_json::to_writer(&mut self.file, record)?;
            self.file.write_all(b"\n")
        };
        write().map_err(|source| self.write_error(source))
    }

    /// Writes all records to the disk and returns the length of the file in bytes.
    pub fn flush(&mut self) -> Result<u64, TrainError> {
        let mut flush = || {
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
            self.file.seek(std::io::SeekFrom::End(0))
        };
        flush().map_err(|source| self.write_error(source))
    }

    /// Returns the time since the run was started or resumed.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Reads the records of all epochs.
    fn epochs(&self) -> Result<Vec<EpochRecord>, TrainError> {
        let unreadable = |reason: String| TrainError::Read {
            path: self.path.clone(),
            reason,
        };
        let text = fs::read_to_string(&self.path).map_err(|e| unreadable(e.to_string()))?;
        let records = text.lines().map(serde_json::from_str::<Record>);
        let epochs = records.filter_map(|record| match record {
            Ok(Record::Epoch(record)) => Some(Ok(record)),
            Ok(Record::Step(_)) => None,
            Err(error) => Some(Err(unreadable(error.to_string()))),
        });
        epochs.collect()
    }

    /// Reads the record of the last epoch. The file must have been flushed.
    pub fn last_epoch(&self) -> Result<Option<EpochRecord>, TrainError> {
        Ok(self.epochs()?.pop())
    }

    /// Draws the chart of all epochs to the SVG file at `path`. The file must have been flushed.
    pub fn draw(&self, path: &Path) -> Result<(), TrainError> {
        curves::draw(&self.epochs()?, path)
    }
}
