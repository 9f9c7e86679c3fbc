//! `receptive completions`: the completion script of a shell.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::error::CliError;

/// Writes the script.
///
/// # Errors
///
/// [`CliError::Output`] when `out` cannot be written.
pub fn run(args: &CompletionsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "receptive", &mut script);
    out.write_all(&script)?;
    Ok(())
}
