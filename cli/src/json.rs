//! JSON output.

use std::io::Write;

use serde::Serialize;

use crate::error::CliError;

/// Writes `value` as indented JSON, followed by a newline.
///
/// # Errors
///
/// [`CliError::Output`] when `out` cannot be written.
pub fn write_json(value: &impl Serialize, out: &mut dyn Write) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)?;
    writeln!(out, "{text}")?;
    Ok(())
}
