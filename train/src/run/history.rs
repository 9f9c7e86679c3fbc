//! The metrics file of a run, `metrics.jsonl`.
//!
//! The file draws curves. A run does not depend on it: lines that cannot be read are left out.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use super::curves;
use crate::error::TrainError;
use crate::records::{EpochRecord, Record, StepRecord};

/// Longest line in bytes, several times the longest record.
const MAX_LINE: u64 = 64 * 1024;

/// Writer and reader of `metrics.jsonl`.
pub struct History {
    path: PathBuf,
    file: BufWriter<File>,
}

/// Damage of the metrics file that was found when a run resumed.
#[derive(Debug, PartialEq)]
pub struct Damage {
    path: PathBuf,
    /// Number of whole lines before the damage.
    lines: usize,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} was damaged and is cut after its last whole line, line {}; the curves lack the records after it",
            self.path.display(),
            self.lines
        )
    }
}

impl History {
    /// Creates an empty file.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        Self::open(
            path,
            OpenOptions::new().create(true).write(true).truncate(true),
        )
    }

    /// Opens the file and truncates it to `length` bytes, its length at the checkpoint, or to the
    /// whole lines before the first damage. The resumed run writes the later records again.
    pub fn reopen(path: &Path, length: u64) -> Result<(Self, Option<Damage>), TrainError> {
        let mut history = Self::open(path, OpenOptions::new().create(true).append(true))?;
        let (lines, intact) = intact_lines(path, length);
        let truncate = history.file.get_mut().set_len(intact);
        truncate.map_err(|source| history.write_error(source))?;
        let damage = (intact < length).then(|| Damage {
            path: path.to_owned(),
            lines,
        });
        Ok((history, damage))
    }

    fn open(path: &Path, options: &mut OpenOptions) -> Result<Self, TrainError> {
        let file = options.open(path).map_err(|source| TrainError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
        })
    }

    fn write_error(&self, source: io::Error) -> TrainError {
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
            self.file.seek(io::SeekFrom::End(0))
        };
        flush().map_err(|source| self.write_error(source))
    }

    /// Reads the records of all epochs.
    fn epochs(&self) -> Vec<EpochRecord> {
        let lines = Lines::open(&self.path).into_iter().flatten();
        lines
            .filter_map(|line| match line.record {
                Some(Record::Epoch(record)) => Some(record),
                _ => None,
            })
            .collect()
    }

    /// Reads the record of the last epoch. The file must have been flushed.
    pub fn last_epoch(&self) -> Option<EpochRecord> {
        self.epochs().pop()
    }

    /// Draws the chart of all epochs to the SVG file at `path`. The file must have been flushed.
    pub fn draw(&self, path: &Path) -> Result<(), TrainError> {
        curves::draw(&self.epochs(), path)
    }
}

/// Returns the number and the length in bytes of the records before the first damage, within the
/// first `length` bytes.
fn intact_lines(path: &Path, length: u64) -> (usize, u64) {
    let mut intact = (0, 0);
    for line in Lines::open(path).into_iter().flatten() {
        if !line.intact || line.end > length {
            break;
        }
        intact = (intact.0 + 1, line.end);
    }
    intact
}

/// Line of the file.
struct Line {
    /// Whether the line is whole JSON.
    intact: bool,
    /// The record; `None` if the line is damaged, or has a value that is not finite.
    record: Option<Record>,
    /// Offset of the next line, in bytes.
    end: u64,
}

/// Iterator over the lines of the file. Ends at a line that cannot be read.
struct Lines {
    reader: BufReader<File>,
    end: u64,
}

impl Lines {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            reader: BufReader::new(File::open(path)?),
            end: 0,
        })
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut text = Vec::new();
        let mut limited = (&mut self.reader).take(MAX_LINE);
        let length = limited.read_until(b'\n', &mut text).ok()?;
        if length == 0 {
            return None;
        }
        self.end += length as u64;
        let text = text.strip_suffix(b"\n").unwrap_or_default();
        let record = serde_json::from_slice(text).ok();
        Some(Line {
            intact: record.is_some() || serde_json::from_slice::<IgnoredAny>(text).is_ok(),
            record,
            end: self.end,
        })
    }
}
