//! `receptive summary`: the cost of every layer of a network.

use std::io::Write;

use crate::args::SummaryArgs;
use crate::error::CliError;
use crate::json::write_json;
use crate::registry;

/// Writes the summary as a table or as JSON.
///
/// # Errors
///
/// [`CliError`] when the network is unknown, does not accept the input or the number of classes, or
/// the output cannot be written.
pub fn run(args: &SummaryArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let classes = args.classes.unwrap_or(model.classes);
    let input = args.input.unwrap_or(model.input.shape());
    let mut summary = model.summary(classes, input, args.train)?;
    if let Some(depth) = args.depth {
        summary = summary.grouped(depth);
    }
    if args.json {
        return write_json(&summary, out);
    }
    writeln!(out, "{summary}")?;
    Ok(())
}
