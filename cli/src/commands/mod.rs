//! One file for each command.

pub mod bench;
pub mod classify;
pub mod compile;
pub mod completions;
pub mod convert;
pub mod draw;
#[cfg(feature = "train")]
pub mod eval;
pub mod inspect;
pub mod models;
pub mod run;
pub mod summary;
#[cfg(feature = "train")]
pub mod train;

use std::io::Write;

use serde::Serialize;

use crate::error::CliError;

/// Writes `value` as indented JSON and a line's end.
fn write_json(value: &impl Serialize, out: &mut dyn Write) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)?;
    writeln!(out, "{text}")?;
    Ok(())
}
