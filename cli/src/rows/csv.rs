//! Rows as comma-separated values (RFC 4180, with newlines for line ends).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use csv::{ErrorKind, ReaderBuilder, Terminator, Writer, WriterBuilder};

use super::row::{Answer, Columns, Row, RowWriter, WrittenRow};

/// Writes each row as a line of comma-separated values.
pub struct CsvRows<W: Write> {
    out: Writer<W>,
    columns: Columns,
}

impl<W: Write> CsvRows<W> {
    /// Writes rows of these columns to `out`, after the line of the names of columns if `header`.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn new(out: W, columns: Columns, header: bool) -> io::Result<Self> {
        let mut out = WriterBuilder::new()
            .terminator(Terminator::Any(b'\n'))
            .from_writer(out);
        if header {
            out.write_record(columns.names()).map_err(io_error)?;
        }
        Ok(Self { out, columns })
    }
}

impl<W: Write> RowWriter for CsvRows<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        let out = &mut self.out;
        out.write_field(&row.path).map_err(io_error)?;
        let width = match self.columns {
            Columns::Classes { top } => 3 * top + 1,
            Columns::Vector { length } => length,
        };
        match &row.answer {
            Ok(Answer::Classes {
                predictions,
                inverted,
            }) => {
                for prediction in predictions {
                    out.write_field(prediction.index.to_string())
                        .map_err(io_error)?;
                    out.write_field(&prediction.label).map_err(io_error)?;
                    out.write_field(prediction.probability.to_string())
                        .map_err(io_error)?;
                }
                // Networks with fewer classes than requested have empty columns.
                for _ in 3 * predictions.len() + 1..width {
                    out.write_field("").map_err(io_error)?;
                }
                out.write_field(inverted.to_string()).map_err(io_error)?;
                out.write_field("").map_err(io_error)?;
            }
            Ok(Answer::Vector(vector)) => {
                for value in vector {
                    out.write_field(value.to_string()).map_err(io_error)?;
                }
                out.write_field("").map_err(io_error)?;
            }
            Err(failure) => {
                for _ in 0..width {
                    out.write_field("").map_err(io_error)?;
                }
                out.write_field(&failure.reason).map_err(io_error)?;
            }
        }
        out.write_record(None::<&[u8]>).map_err(io_error)?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the error of the operating system, whose kind may be a closed pipe.
pub fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Reads the whole rows of `file`, at most `limit`, and cuts the file after them, or before the names of
/// the columns if they are not whole.
pub(super) fn whole_rows(
    file: &mut File,
    columns: Columns,
    limit: u64,
) -> io::Result<Vec<WrittenRow>> {
    let length = whole_length(BufReader::new(&mut *file))?;
    file.set_len(length)?;
    file.rewind()?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .from_reader(BufReader::new(&mut *file));
    let mut rows = Vec::new();
    let mut records = reader.records();
    let mut end = 0;
    while (rows.len() as u64) < limit || end == 0 {
        let Some(record) = records.next() else { break };
        // A line that a loss of power damaged, and all after it are written again.
        let Ok(record) = record else { break };
        let is_header = rows.is_empty() && end == 0;
        if is_header && record.iter().ne(columns.names()) {
            break;
        }
        end = records.reader().position().byte();
        if !is_header {
            rows.push(WrittenRow {
                path: record.get(0).unwrap_or_default().to_owned(),
                failed: record
                    .iter()
                    .next_back()
                    .is_some_and(|error| !error.is_empty()),
            });
        }
    }
    drop(records);
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(rows)
}

/// Returns the length up to the end of the last line, which is a newline outside quotes.
fn whole_length(mut reader: impl Read) -> io::Result<u64> {
    let mut chunk = vec![0; 1 << 16];
    let (mut length, mut position, mut quoted) = (0, 0, false);
    loop {
        let count = reader.read(&mut chunk)?;
        if count == 0 {
            return Ok(length);
        }
        for &byte in &chunk[..count] {
            position += 1;
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => length = position,
                _ => {}
            }
        }
    }
}
