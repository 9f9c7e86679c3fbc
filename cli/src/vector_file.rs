//! Files of vectors that `receptive embed` wrote.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use npyz::{NpyHeader, Order};
use receptive_kernels::allocator::try_allocate;
use receptive_layers::vectors::{VectorSet, VectorsError};
use serde::Deserialize;

use crate::args::RowFormat;
use crate::error::print_note;
use crate::rows::{Columns, paths_file};
use crate::vector_error::VectorFileError;

/// Number of elements of the longest vector in an array.
const MAX_LENGTH: usize = 1 << 24;

/// The vectors of images.
pub struct ImageVectors {
    /// Path of each image.
    pub paths: Vec<String>,
    /// The vectors, in the order of `paths`.
    pub vectors: VectorSet,
    /// Number of images without a vector, which are left out.
    pub left_out: usize,
}

/// Rows of a file, before they are a set of vectors.
#[derive(Default)]
struct Rows {
    paths: Vec<String>,
    values: Vec<f32>,
    length: Option<usize>,
    left_out: usize,
}

impl Rows {
    /// Adds a row; without a vector, counts it.
    fn push(&mut self, path: String, vector: Option<&[f32]>) -> Result<(), String> {
        let Some(vector) = vector.filter(|vector| !vector.iter().all(|value| value.is_nan()))
        else {
            self.left_out += 1;
            return Ok(());
        };
        let length = *self.length.get_or_insert(vector.len());
        if vector.len() != length {
            return Err(format!(
                "the vector of {path} has {} elements, expected {length} as in the rows before",
                vector.len()
            ));
        }
        try_allocate(|| self.values.try_reserve(length)).map_err(|error| error.to_string())?;
        self.values.extend_from_slice(vector);
        self.paths.push(path);
        Ok(())
    }
}

impl ImageVectors {
    /// Reads the file of vectors at `path`.
    ///
    /// # Errors
    ///
    /// [`VectorFileError`] if the file cannot be read or contains no vectors.
    pub fn open(path: &Path) -> Result<Self, VectorFileError> {
        let content = |reason: String| VectorFileError::Content {
            path: path.to_owned(),
            reason,
        };
        let extension = path.extension().unwrap_or_default();
        let named = |format: &RowFormat| extension.eq_ignore_ascii_case(format.extension());
        let format = RowFormat::ALL.into_iter().find(named);
        let rows = match format {
            None => {
                return Err(VectorFileError::Format {
                    path: path.to_owned(),
                });
            }
            Some(RowFormat::Jsonl) => read_jsonl(path),
            Some(RowFormat::Csv) => read_csv(path),
            Some(RowFormat::Npy) => read_npy(path),
            Some(RowFormat::Parquet) => read_parquet(path),
        };
        let rows = rows.map_err(|error| match error {
            RowsError::Read(path, source) => VectorFileError::Read { path, source },
            RowsError::Content(reason) => content(reason),
        })?;
        let length = rows
            .length
            .ok_or_else(|| content("it has no vector".to_owned()))?;
        let vectors = VectorSet::new(rows.values, length).map_err(|error| match error {
            VectorsError::NotFinite { index } => content(format!(
                "the vector of {} has an infinite value or NaN",
                rows.paths[index]
            )),
            error => content(error.to_string()),
        })?;
        Ok(Self {
            paths: rows.paths,
            vectors,
            left_out: rows.left_out,
        })
    }
}

impl ImageVectors {
    /// Prints the number of images without a vector, if there are any.
    pub fn print_left_out(&self, path: &Path) {
        if self.left_out > 0 {
            let path = path.display();
            print_note(&format!(
                "{path}: images without a vector: {}",
                self.left_out
            ));
        }
    }
}

/// Why rows cannot be read.
enum RowsError {
    Read(PathBuf, io::Error),
    Content(String),
}

impl From<String> for RowsError {
    fn from(reason: String) -> Self {
        Self::Content(reason)
    }
}

fn open(path: &Path) -> Result<File, RowsError> {
    File::open(path).map_err(|source| RowsError::Read(path.to_owned(), source))
}

fn read_jsonl(path: &Path) -> Result<Rows, RowsError> {
    #[derive(Deserialize)]
    struct Row {
        path: String,
        vector: Option<Vec<f32>>,
    }
    let mut rows = Rows::default();
    for (number, line) in BufReader::new(open(path)?).lines().enumerate() {
        let line = line.map_err(|source| RowsError::Read(path.to_owned(), source))?;
        let row: Row =
            serde_json::from_str(&line).map_err(|error| format!("line {}: {error}", number + 1))?;
        rows.push(row.path, row.vector.as_deref())?;
    }
    Ok(rows)
}

fn read_csv(path: &Path) -> Result<Rows, RowsError> {
    let mut reader = csv::Reader::from_reader(BufReader::new(open(path)?));
    let failed = |error: csv::Error| RowsError::Content(error.to_string());
    let width = reader.headers().map_err(failed)?.len();
    let names = reader.headers().map_err(failed)?;
    let columns = Columns::Vector {
        length: width.saturating_sub(2),
    };
    if width < 3 || names.iter().ne(columns.names()) {
        let expected = "the columns are not path, 0, 1, … and error".to_owned();
        return Err(RowsError::Content(expected));
    }
    let mut rows = Rows::default();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let path = record.get(0).unwrap_or_default().to_owned();
        let values = record.iter().skip(1).take(width - 2).map(str::parse);
        let vector: Result<Vec<f32>, _> = values.collect();
        let has_error = record.get(width - 1).is_some_and(|error| !error.is_empty());
        match vector {
            _ if has_error => rows.push(path, None)?,
            Ok(vector) => rows.push(path, Some(&vector))?,
            Err(error) => Err(format!("the vector of {path}: {error}"))?,
        }
    }
    Ok(rows)
}

/// Reads the array, and the paths in the CSV file beside it.
fn read_npy(path: &Path) -> Result<Rows, RowsError> {
    let content = |error: io::Error| RowsError::Content(error.to_string());
    let mut array = BufReader::with_capacity(1 << 20, open(path)?);
    let header = NpyHeader::from_reader(&mut array).map_err(content)?;
    let kind = header.dtype().descr();
    let (&[count, length], Order::C, "<f4") =
        (header.shape(), header.order(), kind.trim_matches('\''))
    else {
        return Err(format!(
            "it has shape {:?} and elements {kind}, expected [images, features] of '<f4'",
            header.shape()
        )
        .into());
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_LENGTH {
        return Err(
            format!("its vectors have {length} elements, expected at most {MAX_LENGTH}").into(),
        );
    }
    let names = paths_file(path);
    let mut reader = csv::Reader::from_reader(BufReader::new(open(&names)?));
    let mut records = reader.records();
    let mut rows = Rows::default();
    let mut bytes = vec![0; 4 * length];
    let mut vector = vec![0.0; length];
    for _ in 0..count {
        let record = match records.next() {
            Some(record) => record.map_err(|error| error.to_string())?,
            None => Err(format!("{} has fewer rows than the array", names.display()))?,
        };
        array.read_exact(&mut bytes).map_err(content)?;
        for (value, bytes) in vector.iter_mut().zip(bytes.as_chunks().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        let name = record.get(0).unwrap_or_default().to_owned();
        rows.push(name, Some(&vector))?;
    }
    if records.next().is_some() {
        Err(format!("{} has more rows than the array", names.display()))?;
    }
    Ok(rows)
}

#[cfg(feature = "parquet")]
fn read_parquet(path: &Path) -> Result<Rows, RowsError> {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float32Type;
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let builder =
        ParquetRecordBatchReaderBuilder::try_new(open(path)?).map_err(|error| error.to_string())?;
    let columns = ["path", "vector"];
    let fields = builder.schema().fields();
    if let Some(missing) = columns.iter().find(|name| fields.find(name).is_none()) {
        return Err(format!("it has no column {missing:?}").into());
    }
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["path", "vector.list.element"]);
    let mask = match builder
        .parquet_schema()
        .columns()
        .iter()
        .any(|column| column.path().string() == "vector.list.element")
    {
        true => mask,
        false => ProjectionMask::all(),
    };
    let reader = builder
        .with_projection(mask)
        .build()
        .map_err(|error| error.to_string())?;
    let mut rows = Rows::default();
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        let column = |name| batch.column_by_name(name).ok_or("a column is missing");
        let (paths, vectors) = (column("path")?, column("vector")?);
        let paths = paths
            .as_string_opt::<i32>()
            .ok_or("the column path is not text")?;
        let kind = || format!("the column vector has type {}", vectors.data_type());
        for row in 0..batch.num_rows() {
            let vector = if let Some(vectors) = vectors.as_fixed_size_list_opt() {
                (!vectors.is_null(row)).then(|| vectors.value(row))
            } else if let Some(vectors) = vectors.as_list_opt::<i32>() {
                (!vectors.is_null(row)).then(|| vectors.value(row))
            } else {
                return Err(kind().into());
            };
            let vector = match &vector {
                None => None,
                Some(vector) => {
                    let vector = vector.as_primitive_opt::<Float32Type>().ok_or_else(kind)?;
                    Some(&vector.values()[..])
                }
            };
            rows.push(paths.value(row).to_owned(), vector)?;
        }
    }
    Ok(rows)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(_path: &Path) -> Result<Rows, RowsError> {
    let reason = "this program is built without Parquet; build it with --features parquet";
    Err(RowsError::Content(reason.to_owned()))
}

impl From<&str> for RowsError {
    fn from(reason: &str) -> Self {
        Self::Content(reason.to_owned())
    }
}
