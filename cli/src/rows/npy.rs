//! Vectors as a NumPy array, beside a CSV file of their paths.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use super::csv::{self, CsvRows};
use super::row::{Answer, Columns, Row, RowWriter, WrittenRow};

/// Bytes of the header of an array of at most 10^18 vectors.
const HEADER: u64 = 128;

/// The columns of the file of paths.
const PATHS: Columns = Columns::Vector { length: 0 };

/// Writes vectors to an array `[rows, length]` of float32, and the path and the error of each row to a CSV
/// file. The vector of an image without an answer is NaN.
pub struct NpyRows {
    array: BufWriter<File>,
    paths: CsvRows<File>,
    length: usize,
    rows: u64,
}

impl NpyRows {
    /// Writes vectors of `length` elements to `array` and their paths to `paths`, after `rows` rows that
    /// the files contain.
    ///
    /// # Errors
    ///
    /// The files cannot be written.
    pub fn new(mut array: File, paths: File, length: usize, rows: u64) -> io::Result<Self> {
        if rows == 0 {
            array.set_len(0)?;
            array.rewind()?;
            array.write_all(&header(0, length)?)?;
        }
        let header = paths.metadata()?.len() == 0;
        Ok(Self {
            array: BufWriter::with_capacity(1 << 18, array),
            paths: CsvRows::new(paths, PATHS, header)?,
            length,
            rows,
        })
    }
}

/// Returns the header of an array `[rows, length]` of float32 in version 1.0 of NumPy's format.
fn header(rows: u64, length: usize) -> io::Result<Vec<u8>> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let description =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {length}), }}");
    let padded = HEADER as usize - MAGIC.len() - 2;
    if description.len() >= padded {
        return Err(io::Error::other("the array has too many rows"));
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(format!("{description:<width$}\n", width = padded - 1).bytes());
    Ok(bytes)
}

impl RowWriter for NpyRows {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        match &row.answer {
            Ok(Answer::Vector(vector)) => {
                for value in vector {
                    self.array.write_all(&value.to_le_bytes())?;
                }
            }
            _ => {
                for _ in 0..self.length {
                    self.array.write_all(&f32::NAN.to_le_bytes())?;
                }
            }
        }
        self.rows += 1;
        let without_vector = Row {
            path: row.path.clone(),
            answer: row.answer.clone().map(|_| Answer::Vector(Vec::new())),
        };
        self.paths.write(&without_vector)
    }

    /// Writes vectors before paths, so that a row with a path has a vector.
    fn flush(&mut self) -> io::Result<()> {
        self.array.flush()?;
        self.paths.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.flush()?;
        let header = header(self.rows, self.length)?;
        let array = self.array.get_mut();
        array.rewind()?;
        array.write_all(&header)
    }
}

/// Returns the number of vectors before those at the end whose bytes, `row` each, are all zero. After a loss
/// of power a file may have its length without its content.
fn without_zeros(array: &mut File, row: u64, mut vectors: u64) -> io::Result<u64> {
    let mut bytes = vec![0; usize::try_from(row).unwrap_or(0)];
    let mut is_cut = false;
    while vectors > 0 {
        array.seek(SeekFrom::Start(HEADER + row * (vectors - 1)))?;
        array.read_exact(&mut bytes)?;
        if bytes.iter().any(|&byte| byte != 0) {
            break;
        }
        vectors -= 1;
        is_cut = true;
    }
    // The row before may end in zeros too.
    Ok(vectors.saturating_sub(u64::from(is_cut)))
}

/// Reads the rows that both files contain whole, and cuts the files after them.
pub(super) fn whole_rows(
    array: &mut File,
    paths: &mut File,
    length: usize,
) -> io::Result<Vec<WrittenRow>> {
    let row = 4 * length as u64;
    let vectors = array.metadata()?.len().saturating_sub(HEADER) / row.max(1);
    let vectors = without_zeros(array, row, vectors)?;
    let rows = csv::whole_rows(paths, PATHS, vectors)?;
    let end = HEADER + row * rows.len() as u64;
    array.set_len(end)?;
    array.seek(SeekFrom::Start(end))?;
    Ok(rows)
}
