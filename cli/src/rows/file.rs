//! A file of rows that appears complete under its path, and that a later run can continue.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use receptive_layers::atomic_file::{self, Destination};

use super::csv::{self, CsvRows};
use super::jsonl::{self, JsonlRows};
use super::npy::{self, NpyRows};
#[cfg(feature = "parquet")]
use super::parquet::{self, ParquetRows};
use super::part::{Part, paths_file};
use super::row::{Columns, Row, RowWriter, WrittenRow};
use super::settings::Settings;
use crate::args::{OutputArgs, RowFormat};
use crate::error::CliError;

/// Longest time that a row waits in a buffer while further rows follow.
const FLUSH_INTERVAL: Duration = Duration::from_millis(250);

/// A file of rows.
pub struct RowFile {
    path: PathBuf,
    writer: Box<dyn RowWriter>,
    /// The files under construction; the first one is renamed to `path`.
    parts: Vec<Part>,
    /// Whether `writer` makes the finished file from the file under construction.
    assembled: bool,
    flushed: Instant,
}

/// A file of rows that is opened.
pub enum Opened {
    /// The file and the rows that an interrupted run wrote to it.
    Rows(RowFile, Vec<WrittenRow>),
    /// The run that is to be continued is complete.
    Complete,
}

impl RowFile {
    /// Opens the file at `path` for rows of these columns; with `--resume`, after the rows of an
    /// interrupted run.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the format is unknown or does not fit the columns, the file cannot be written,
    /// an interrupted run exists and `--resume` is not given, or the interrupted run had other
    /// `settings`.
    pub fn open(
        path: &Path,
        args: &OutputArgs,
        columns: Columns,
        settings: &Settings,
    ) -> Result<Opened, CliError> {
        let format = format(path, args.format)?;
        if format == RowFormat::Npy && matches!(columns, Columns::Classes { .. }) {
            return Err(CliError::NpyClasses {
                path: path.to_owned(),
            });
        }
        if format == RowFormat::Parquet && cfg!(not(feature = "parquet")) {
            return Err(CliError::WithoutParquet {
                path: path.to_owned(),
            });
        }
        let failed = |source| CliError::Rows {
            path: path.to_owned(),
            source,
        };
        match atomic_file::destination(path).map_err(failed)? {
            Destination::Append(device) => {
                if args.resume {
                    return Err(CliError::ResumeDevice { path: device });
                }
                let file = OpenOptions::new().append(true).open(&device);
                let writer = stream(file.map_err(failed)?, format, columns, path)?;
                Ok(Opened::Rows(
                    Self::new(path, writer, Vec::new()),
                    Vec::new(),
                ))
            }
            Destination::Replace(target) => {
                if args.resume && !Part::exists(&target) && target.exists() {
                    return Ok(Opened::Complete);
                }
                Self::open_parts(path, &target, format, columns, settings, args.resume)
            }
        }
    }

    fn new(path: &Path, writer: Box<dyn RowWriter>, parts: Vec<Part>) -> Self {
        Self {
            path: path.to_owned(),
            writer,
            parts,
            assembled: false,
            flushed: Instant::now(),
        }
    }

    /// Opens the files under construction of the file at `path`, which is `target` after symbolic links.
    fn open_parts(
        path: &Path,
        target: &Path,
        format: RowFormat,
        columns: Columns,
        settings: &Settings,
        resume: bool,
    ) -> Result<Opened, CliError> {
        let failed = |source| CliError::Rows {
            path: path.to_owned(),
            source,
        };
        let mut settings = settings.clone();
        settings.insert("format".to_owned(), format.extension().to_owned());
        let part = Part::open(target)?;
        let length = part.file.metadata().map_err(failed)?.len();
        if length > 0 && !resume {
            return Err(CliError::InterruptedRows {
                path: target.to_owned(),
            });
        }
        if length > 0 || (resume && part.has_settings()) {
            part.check_settings(&settings)?;
        } else {
            part.write_settings(&settings)?;
        }
        let mut parts = vec![part];
        let (writer, rows) = match (format, columns) {
            (RowFormat::Jsonl, _) => jsonl_rows(&mut parts[0].file),
            (RowFormat::Csv, _) => csv_rows(&mut parts[0].file, columns),
            (RowFormat::Npy, Columns::Vector { length }) => {
                let names = paths_file(target);
                if length > 0 && !Part::exists(&names) {
                    // The run was interrupted after the file of paths, and before the array, got its
                    // name. Without such a file, all rows are written again.
                    let _ = std::fs::rename(&names, Part::name(&names));
                }
                let mut paths = Part::open(&names)?;
                let opened = npy_rows(&mut parts[0].file, &mut paths.file, length);
                parts.push(paths);
                opened
            }
            #[cfg(feature = "parquet")]
            (RowFormat::Parquet, _) => parquet_rows(&mut parts[0].file, columns, target),
            // `open` refuses other combinations.
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
        .map_err(failed)?;
        let file = Self {
            assembled: format == RowFormat::Parquet,
            ..Self::new(path, writer, parts)
        };
        Ok(Opened::Rows(file, rows))
    }

    /// Writes a row.
    ///
    /// # Errors
    ///
    /// [`CliError::Rows`] when the file cannot be written. The rows before stay in the file under
    /// construction.
    pub fn write(&mut self, row: &Row) -> Result<(), CliError> {
        let mut written = self.writer.write(row);
        if self.flushed.elapsed() >= FLUSH_INTERVAL {
            written = written.and_then(|()| self.writer.flush());
            self.flushed = Instant::now();
        }
        written.map_err(|source| self.failed(source))
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    ///
    /// [`CliError::Rows`] when the file cannot be written.
    pub fn finish(self) -> Result<(), CliError> {
        let Self {
            path,
            writer,
            parts,
            assembled,
            ..
        } = self;
        writer
            .finish()
            .map_err(|source| CliError::Rows { path, source })?;
        for part in &parts {
            part.sync()?;
        }
        // The file that gives its name to the others appears last.
        for part in parts.iter().rev() {
            if assembled {
                part.remove();
            } else {
                part.commit()?;
            }
        }
        if let Some(part) = parts.first() {
            part.remove_settings();
        }
        Ok(())
    }

    /// Deletes the files under construction.
    pub fn discard(self) {
        for part in &self.parts {
            part.remove();
        }
        if let Some(part) = self.parts.first() {
            part.remove_settings();
        }
    }

    fn failed(&self, source: io::Error) -> CliError {
        CliError::Rows {
            path: self.path.clone(),
            source,
        }
    }
}

/// A writer, and the rows that the file contains before.
type Resumed = (Box<dyn RowWriter>, Vec<WrittenRow>);

fn jsonl_rows(file: &mut File) -> io::Result<Resumed> {
    let rows = jsonl::whole_rows(file)?;
    Ok((Box::new(JsonlRows::new(file.try_clone()?)), rows))
}

fn csv_rows(file: &mut File, columns: Columns) -> io::Result<Resumed> {
    let rows = csv::whole_rows(file, columns, u64::MAX)?;
    let header = file.metadata()?.len() == 0;
    let writer = CsvRows::new(file.try_clone()?, columns, header)?;
    Ok((Box::new(writer), rows))
}

fn npy_rows(array: &mut File, paths: &mut File, length: usize) -> io::Result<Resumed> {
    let rows = npy::whole_rows(array, paths, length)?;
    let (array, paths) = (array.try_clone()?, paths.try_clone()?);
    let writer = NpyRows::new(array, paths, length, rows.len() as u64)?;
    Ok((Box::new(writer), rows))
}

#[cfg(feature = "parquet")]
fn parquet_rows(file: &mut File, columns: Columns, target: &Path) -> io::Result<Resumed> {
    let rows = parquet::whole_rows(file)?;
    let writer = ParquetRows::new(file.try_clone()?, columns, target)?;
    Ok((Box::new(writer), rows))
}

/// Returns the writer of rows to a device or a pipe, in a format that is written from beginning to end.
fn stream(
    file: File,
    format: RowFormat,
    columns: Columns,
    path: &Path,
) -> Result<Box<dyn RowWriter>, CliError> {
    match format {
        RowFormat::Jsonl => Ok(Box::new(JsonlRows::new(file))),
        RowFormat::Csv => match CsvRows::new(file, columns, true) {
            Ok(rows) => Ok(Box::new(rows)),
            Err(source) => Err(CliError::Rows {
                path: path.to_owned(),
                source,
            }),
        },
        RowFormat::Parquet | RowFormat::Npy => Err(CliError::DeviceFormat {
            path: path.to_owned(),
            format: format.extension(),
        }),
    }
}

/// Returns the writer of rows to standard output.
///
/// # Errors
///
/// [`CliError::DeviceFormat`] for a format that needs a file, [`CliError::Output`] when standard output
/// cannot be written.
pub fn to_standard_output(
    format: RowFormat,
    columns: Columns,
) -> Result<Box<dyn RowWriter>, CliError> {
    match format {
        RowFormat::Jsonl => Ok(Box::new(JsonlRows::new(io::stdout()))),
        RowFormat::Csv => Ok(Box::new(CsvRows::new(io::stdout(), columns, true)?)),
        RowFormat::Parquet | RowFormat::Npy => Err(CliError::DeviceFormat {
            path: "standard output".into(),
            format: format.extension(),
        }),
    }
}

/// Returns the given format, or else that of the extension of `path`.
fn format(path: &Path, given: Option<RowFormat>) -> Result<RowFormat, CliError> {
    let extension = path.extension().unwrap_or_default();
    let named = |format: &RowFormat| extension.eq_ignore_ascii_case(format.extension());
    let format = given.or_else(|| RowFormat::ALL.into_iter().find(named));
    format.ok_or_else(|| CliError::RowFormat {
        path: path.to_owned(),
    })
}
