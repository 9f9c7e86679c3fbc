//! Rows as an Apache Parquet file.
//!
//! A Parquet file cannot be continued: its metadata are at its end. The file under construction is
//! therefore a list of segments, each a length and a Parquet file of a few hundred rows. The finished
//! file is made from the segments.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, FixedSizeListBuilder, Float32Builder, Int32Builder, ListBuilder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use receptive_layers::atomic_file::AtomicFile;

use super::row::{Answer, Columns, Row, RowWriter, WrittenRow};

/// Rows of a segment. A killed run loses at most these rows.
const SEGMENT_ROWS: usize = 256;

/// Rows of a row group of the finished file.
const GROUP_ROWS: usize = 4096;

/// Size of the largest segment, in bytes.
const MAX_SEGMENT: u64 = 1 << 30;

/// Writes rows to segments, and at the end the segments to a Parquet file.
pub struct ParquetRows {
    segments: File,
    columns: Columns,
    schema: SchemaRef,
    rows: Vec<Row>,
    target: PathBuf,
}

impl ParquetRows {
    /// Writes rows of these columns to the end of `segments`, and finally to `target`.
    ///
    /// # Errors
    ///
    /// There are more columns than Arrow counts.
    pub fn new(segments: File, columns: Columns, target: &Path) -> io::Result<Self> {
        Ok(Self {
            segments,
            columns,
            schema: schema(columns)?,
            rows: Vec::new(),
            target: target.to_owned(),
        })
    }

    /// Writes the buffered rows as a segment.
    fn write_segment(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let columns = columns(&self.rows, self.columns)?;
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(io::Error::other)?;
        let mut bytes = vec![0; 8];
        let mut writer = ArrowWriter::try_new(&mut bytes, self.schema.clone(), Some(properties()))?;
        writer.write(&batch)?;
        writer.close()?;
        let length = (bytes.len() - 8) as u64;
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        self.segments.write_all(&bytes)?;
        self.rows.clear();
        Ok(())
    }
}

impl RowWriter for ParquetRows {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        self.rows.push(row.clone());
        if self.rows.len() == SEGMENT_ROWS {
            self.write_segment()?;
        }
        Ok(())
    }

    /// Does nothing: the sizes of segments must not depend on time, nor must the finished file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.write_segment()?;
        self.segments.rewind()?;
        let mut file = AtomicFile::create(&self.target)?;
        let mut writer =
            ArrowWriter::try_new(file.file_mut(), self.schema.clone(), Some(properties()))?;
        while let Some(segment) = read_segment(&mut self.segments)? {
            for batch in ParquetRecordBatchReader::try_new(segment, SEGMENT_ROWS)? {
                writer.write(&batch.map_err(io::Error::other)?)?;
            }
        }
        writer.close()?;
        file.commit()
    }
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by("receptive".to_owned())
        .build()
}

/// Returns the columns' names and types.
fn schema(columns: Columns) -> io::Result<SchemaRef> {
    let list = |kind| DataType::List(Arc::new(Field::new_list_field(kind, true)));
    let mut fields = vec![Field::new("path", DataType::Utf8, false)];
    match columns {
        Columns::Classes { .. } => fields.extend([
            Field::new("index", DataType::Int32, true),
            Field::new("label", DataType::Utf8, true),
            Field::new("probability", DataType::Float32, true),
            Field::new("top_indices", list(DataType::Int32), true),
            Field::new("top_labels", list(DataType::Utf8), true),
            Field::new("top_probabilities", list(DataType::Float32), true),
            Field::new("inverted", DataType::Boolean, true),
        ]),
        Columns::Vector { length } => {
            let length = i32::try_from(length).map_err(io::Error::other)?;
            let item = Arc::new(Field::new_list_field(DataType::Float32, true));
            let vector = DataType::FixedSizeList(item, length);
            fields.push(Field::new("vector", vector, true));
        }
    }
    fields.push(Field::new("error", DataType::Utf8, true));
    Ok(Arc::new(Schema::new(fields)))
}

/// Returns the values of the columns.
fn columns(rows: &[Row], columns: Columns) -> io::Result<Vec<ArrayRef>> {
    let mut arrays: Vec<ArrayRef> = vec![text(rows.iter().map(|row| Some(row.path.as_str())))];
    match columns {
        Columns::Classes { .. } => arrays.extend(classes(rows)),
        Columns::Vector { length } => {
            let size = i32::try_from(length).map_err(io::Error::other)?;
            let mut vectors = FixedSizeListBuilder::new(Float32Builder::new(), size);
            for row in rows {
                let vector = match &row.answer {
                    Ok(Answer::Vector(vector)) if vector.len() == length => Some(vector),
                    _ => None,
                };
                match vector {
                    Some(vector) => vectors.values().append_slice(vector),
                    None => vectors.values().append_nulls(length),
                }
                vectors.append(vector.is_some());
            }
            arrays.push(Arc::new(vectors.finish()));
        }
    }
    let errors = rows.iter().map(|row| row.answer.as_ref().err());
    arrays.push(text(errors.map(|failure| Some(failure?.reason.as_str()))));
    Ok(arrays)
}

/// Returns the columns of the most probable classes.
fn classes(rows: &[Row]) -> [ArrayRef; 7] {
    let mut index = Int32Builder::new();
    let mut label = StringBuilder::new();
    let mut probability = Float32Builder::new();
    let mut indices = ListBuilder::new(Int32Builder::new());
    let mut labels = ListBuilder::new(StringBuilder::new());
    let mut probabilities = ListBuilder::new(Float32Builder::new());
    let mut inversion = BooleanBuilder::new();
    for row in rows {
        let (predictions, inverted) = match &row.answer {
            Ok(Answer::Classes {
                predictions,
                inverted,
            }) => (predictions.as_slice(), Some(*inverted)),
            _ => (&[][..], None),
        };
        let best = predictions.first();
        index.append_option(best.map(|best| best.index as i32));
        label.append_option(best.map(|best| &best.label));
        probability.append_option(best.map(|best| best.probability));
        for prediction in predictions {
            indices.values().append_value(prediction.index as i32);
            labels.values().append_value(&prediction.label);
            probabilities.values().append_value(prediction.probability);
        }
        indices.append(inverted.is_some());
        labels.append(inverted.is_some());
        probabilities.append(inverted.is_some());
        inversion.append_option(inverted);
    }
    [
        Arc::new(index.finish()),
        Arc::new(label.finish()),
        Arc::new(probability.finish()),
        Arc::new(indices.finish()),
        Arc::new(labels.finish()),
        Arc::new(probabilities.finish()),
        Arc::new(inversion.finish()),
    ]
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut text = StringBuilder::new();
    for value in values {
        text.append_option(value);
    }
    Arc::new(text.finish())
}

/// Reads the next segment; `None` at the end of the file or of its whole segments.
fn read_segment(file: &mut File) -> io::Result<Option<Bytes>> {
    let mut length = [0; 8];
    match file.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = u64::from_le_bytes(length);
    if length > MAX_SEGMENT {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(((bytes.len() as u64) == length).then(|| bytes.into()))
}

/// Reads the rows of the whole segments, and cuts the file after them.
pub(super) fn whole_rows(file: &mut File) -> io::Result<Vec<WrittenRow>> {
    file.rewind()?;
    let (mut rows, mut end) = (Vec::new(), 0);
    while let Some(segment) = read_segment(file)? {
        // A segment that a loss of power damaged, and all after it are written again.
        let Some(batches) = read_rows(segment) else {
            break;
        };
        // A run that was killed while it made the finished file has a short last segment.
        if batches.len() < SEGMENT_ROWS {
            break;
        }
        rows.extend(batches);
        end = file.stream_position()?;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(rows)
}

fn read_rows(segment: Bytes) -> Option<Vec<WrittenRow>> {
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReader::try_new(segment, SEGMENT_ROWS).ok()? {
        let batch = batch.ok()?;
        let paths = batch.column_by_name("path")?.as_string_opt::<i32>()?;
        let errors = batch.column_by_name("error")?;
        for row in 0..batch.num_rows() {
            rows.push(WrittenRow {
                path: paths.value(row).to_owned(),
                failed: !errors.is_null(row),
            });
        }
    }
    Some(rows)
}
