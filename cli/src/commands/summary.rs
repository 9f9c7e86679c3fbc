//! `receptive summary`: what every layer of a network costs.

use std::io::Write;

use super::write_json;
use crate::args::SummaryArgs;
use crate::error::CliError;
use crate::registry;

/// Writes the table.
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
