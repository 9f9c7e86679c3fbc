//! `receptive summary`: the cost of every layer of a network.

use std::io::Write;

use receptive_layers::printable;

use crate::args::SummaryArgs;
use crate::error::CliError;
use crate::json::write_json;
use crate::resolve::{GraphOptions, NetworkSource};

/// Writes the summary as a table or as JSON.
///
/// # Errors
///
/// [`CliError`] when the network is unknown, does not accept the input or the number of classes, or
/// the output cannot be written.
pub fn run(args: &SummaryArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let source = NetworkSource::named(&args.model)?;
    let graph = source.graph(&GraphOptions {
        classes: args.classes,
        input: args.input,
        train: args.train,
        batch: None,
    })?;
    let mut summary = source.summary(&graph)?;
    if let Some(depth) = args.depth {
        summary = summary.grouped(depth);
    }
    if args.json {
        return write_json(&summary, out);
    }
    // The names of layers are those of a file.
    for line in summary.to_string().lines() {
        writeln!(out, "{}", printable(line))?;
    }
    Ok(())
}
