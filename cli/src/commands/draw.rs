//! `receptive draw`: a drawing of a network.

use std::io::Write;

use receptive_layers::drawing::{Diagram, Volumes};
use serde::Serialize;

use crate::args::{DrawArgs, DrawFormat, DrawStyle};
use crate::error::CliError;
use crate::picture;
use crate::resolve::{GraphOptions, NetworkSource};
use crate::same_file::check_output;

/// Draws the network and writes the drawing to the file of `--output`, or else to standard output.
///
/// # Errors
///
/// [`CliError`] when the network is unknown, does not accept the input or the number of classes, or
/// the drawing cannot be written.
pub fn run(args: &DrawArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let source = NetworkSource::named(&args.model)?;
    let format = format(args)?;
    if let Some(output) = &args.output {
        check_output(output, source.path())?;
    }
    let graph = source.graph(&GraphOptions {
        classes: args.classes,
        input: args.input,
        train: args.train,
        batch: None,
    })?;
    let diagram = Diagram::from_graph(&graph, source.name(), args.depth);
    let text = match args.style {
        DrawStyle::Graph => match format {
            DrawFormat::Svg => diagram.svg(),
            DrawFormat::Dot => diagram.dot(),
            DrawFormat::Json => json(&diagram)?,
        },
        DrawStyle::Blocks => {
            let volumes = Volumes::from_diagram(&diagram);
            match format {
                DrawFormat::Svg => volumes.svg(),
                DrawFormat::Dot => volumes.dot(),
                DrawFormat::Json => json(&volumes)?,
            }
        }
    };
    match &args.output {
        None => out.write_all(text.as_bytes())?,
        Some(path) => picture::save(text.as_bytes(), path)?,
    }
    Ok(())
}

/// Returns the format of `--format`, else of the extension of the file, else SVG.
///
/// # Errors
///
/// [`CliError::DrawFormat`] for an unknown extension without `--format`.
fn format(args: &DrawArgs) -> Result<DrawFormat, CliError> {
    let from_extension = args.output.as_ref().map(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(DrawFormat::Svg),
            Some("dot" | "gv") => Ok(DrawFormat::Dot),
            Some("json") => Ok(DrawFormat::Json),
            _ => Err(CliError::DrawFormat { path: path.clone() }),
        }
    });
    match (args.format, from_extension) {
        (Some(format), _) => Ok(format),
        (None, Some(format)) => format,
        (None, None) => Ok(DrawFormat::Svg),
    }
}

fn json(drawing: &impl Serialize) -> Result<String, CliError> {
    Ok(serde_json::to_string_pretty(drawing)? + "\n")
}
