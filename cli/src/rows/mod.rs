//! Results of many images, one row for each image, in files that other tools read.
//!
//! A file is written row by row under the name `FILE.part` and renamed when it is complete. An
//! interrupted run can therefore be continued: [`RowFile::open`] finds the rows that are whole.

mod csv;
mod file;
mod jsonl;
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod row;
mod settings;

pub use csv::io_error;
pub use file::{Opened, RowFile, to_standard_output};
pub use part::paths_file;
pub use row::{Answer, Columns, Failure, Row, WrittenRow};
pub use settings::{Settings, settings};
