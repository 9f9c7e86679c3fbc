//! Rows as JSON objects, one on each line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

use super::row::{Answer, Row, RowWriter, WrittenRow};

/// Writes each row as a JSON object on its line.
pub struct JsonlRows<W: Write> {
    out: BufWriter<W>,
}

/// A row with the names of the columns in all formats. Columns without a value are left out.
#[derive(Serialize)]
struct JsonRow<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_indices: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_labels: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_probabilities: Option<Vec<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inverted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> From<&'a Row> for JsonRow<'a> {
    fn from(row: &'a Row) -> Self {
        let mut json = Self {
            path: &row.path,
            index: None,
            label: None,
            probability: None,
            top_indices: None,
            top_labels: None,
            top_probabilities: None,
            inverted: None,
            vector: None,
            error: None,
        };
        match &row.answer {
            Ok(Answer::Classes {
                predictions,
                inverted,
            }) => {
                let best = predictions.first();
                json.index = best.map(|best| best.index);
                json.label = best.map(|best| best.label.as_str());
                json.probability = best.map(|best| best.probability);
                json.top_indices = Some(predictions.iter().map(|p| p.index).collect());
                json.top_labels = Some(predictions.iter().map(|p| p.label.as_str()).collect());
                json.top_probabilities = Some(predictions.iter().map(|p| p.probability).collect());
                json.inverted = Some(*inverted);
            }
            Ok(Answer::Vector(vector)) => json.vector = Some(vector),
            Err(failure) => json.error = Some(&failure.reason),
        }
        json
    }
}

impl<W: Write> JsonlRows<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out: BufWriter::new(out),
        }
    }
}

impl<W: Write> RowWriter for JsonlRows<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, &JsonRow::from(row))?;
        self.out.write_all(b"\n")
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads the whole rows of `file`, and cuts the file after them.
pub(super) fn whole_rows(file: &mut File) -> io::Result<Vec<WrittenRow>> {
    /// The columns that a resumed run reads.
    #[derive(Deserialize)]
    struct Written {
        path: String,
        error: Option<String>,
    }
    let mut rows = Vec::new();
    let mut end = 0;
    let mut line = Vec::new();
    let mut reader = BufReader::new(&mut *file);
    while reader.read_until(b'\n', &mut line)? > 0 {
        // A line that is cut, or that a loss of power damaged, and all after it are written again.
        let Ok(row) = serde_json::from_slice::<Written>(&line) else {
            break;
        };
        if !line.ends_with(b"\n") {
            break;
        }
        end += line.len() as u64;
        rows.push(WrittenRow {
            path: row.path,
            failed: row.error.is_some(),
        });
        line.clear();
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(rows)
}
