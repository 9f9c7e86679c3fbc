//! Images in a column of Parquet files, such as those of the Hugging Face Hub.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::GenericBinaryType;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait, RecordBatch, StructArray};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use receptive_layers::image::ImageError;

use super::input::{Content, Input, Unread};
use crate::error::CliError;

/// Rows that are read at once.
const ROWS: usize = 16;

/// Counts the rows of the file at `path`.
///
/// # Errors
///
/// [`CliError::Archive`] if the file cannot be read.
pub fn count(path: &Path) -> Result<u64, CliError> {
    let rows = || -> Result<i64, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file);
        let builder = builder.map_err(|error| error.to_string())?;
        Ok(builder.metadata().file_metadata().num_rows())
    };
    match rows() {
        // A file without rows is an error, which is a row.
        Ok(rows) => Ok(u64::try_from(rows).unwrap_or(0).max(1)),
        Err(reason) => Err(CliError::Archive {
            path: path.to_owned(),
            source: io::Error::other(reason),
        }),
    }
}

/// Returns the images in the column `column` of the file at `path`: of type binary, or of type struct
/// with a field `bytes` and perhaps a field `path`, as in data sets of the Hugging Face Hub. The path of
/// an image ends with that field, or else with the number of the row. If the file cannot be read, the
/// last image is the error.
pub fn images(
    path: PathBuf,
    column: String,
    unread: Unread,
) -> Box<dyn Iterator<Item = Input> + Send> {
    let archive = path.display().to_string();
    let mut batches = open(&path, &column);
    let mut row = 0;
    let mut ended = false;
    let next = move || {
        if ended {
            return None;
        }
        let batch = match &mut batches {
            Ok(batches) => batches.next(),
            Err(reason) => Some(Err(std::mem::take(reason))),
        };
        let batch = match batch {
            None if row > 0 => return None,
            None => Err("the file has no rows".to_owned()),
            Some(batch) => batch,
        };
        let batch = match batch {
            Ok(batch) => batch,
            Err(reason) => {
                // The reader may return the same error without end.
                ended = true;
                unread.next();
                return Some(vec![Input {
                    path: archive.clone(),
                    content: Content::Failed(ImageError::Read(io::Error::other(reason))),
                }]);
            }
        };
        let images = batch.column(0);
        let inputs = (0..batch.num_rows()).map(|index| {
            row += 1;
            let (content, name) = image(images, index, unread.next());
            let name = name.unwrap_or_else(|| (row - 1).to_string());
            Input {
                path: format!("{archive}/{name}"),
                content,
            }
        });
        Some(inputs.collect())
    };
    Box::new(std::iter::from_fn(next).flatten())
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>> + Send>;

fn open(path: &Path, column: &str) -> Result<Batches, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    let fields = builder.schema().fields();
    let Some((index, field)) = fields.find(column) else {
        let known: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        return Err(format!(
            "it has no column {column:?}, which --image-column chooses; its columns are {}",
            known.join(", ")
        ));
    };
    let is_image = |kind: &DataType| matches!(kind, DataType::Binary | DataType::LargeBinary);
    let accepted = match field.data_type() {
        DataType::Struct(fields) => {
            (fields.iter()).any(|field| field.name() == "bytes" && is_image(field.data_type()))
        }
        kind => is_image(kind),
    };
    if !accepted {
        return Err(format!(
            "the column {column:?} has type {}, expected binary, or a struct with a binary field `bytes`",
            field.data_type()
        ));
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), [index]);
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build();
    let reader = reader.map_err(|error| error.to_string())?;
    Ok(Box::new(
        reader.map(|batch| batch.map_err(|error| error.to_string())),
    ))
}

/// Returns the image in row `row`, and its path.
fn image(column: &ArrayRef, row: usize, unread: bool) -> (Content, Option<String>) {
    let value = |column| if unread { None } else { binary(column, row) };
    let (bytes, name) = match column.as_any().downcast_ref::<StructArray>() {
        Some(fields) => {
            let name = fields
                .column_by_name("path")
                .and_then(|paths| text(paths, row));
            let bytes = fields
                .column_by_name("bytes")
                .filter(|_| !fields.is_null(row));
            (bytes.and_then(value), name)
        }
        None => (value(column), None),
    };
    let content = match bytes {
        _ if unread => Content::Skipped,
        Some(bytes) => Content::Bytes(bytes),
        None => Content::Failed(ImageError::Read(io::Error::other("the row has no image"))),
    };
    (content, name)
}

fn binary(column: &ArrayRef, row: usize) -> Option<Vec<u8>> {
    fn value<O: OffsetSizeTrait>(column: &ArrayRef, row: usize) -> Option<Vec<u8>> {
        let bytes = column.as_bytes_opt::<GenericBinaryType<O>>()?;
        (!bytes.is_null(row)).then(|| bytes.value(row).to_vec())
    }
    value::<i32>(column, row).or_else(|| value::<i64>(column, row))
}

fn text(column: &ArrayRef, row: usize) -> Option<String> {
    let text = column.as_string_opt::<i32>()?;
    (!text.is_null(row)).then(|| text.value(row).to_owned())
}
