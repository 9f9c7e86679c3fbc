//! `receptive draw`: a picture of a network.

use std::io::Write;
use std::path::Path;

use receptive_layers::atomic_file::AtomicFile;
use receptive_layers::drawing::{Diagram, Volumes};
use serde::Serialize;

use crate::args::{DrawArgs, DrawFormat, DrawStyle};
use crate::error::CliError;
use crate::registry;

/// Writes the picture, to standard output where no file is named.
pub fn run(args: &DrawArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let format = format(args)?;
    let classes = args.classes.unwrap_or(model.classes);
    let input = args.input.unwrap_or(model.input.shape());
    let graph = model.graph(classes, input, args.train)?;
    let diagram = Diagram::from_graph(&graph, model.name, args.depth);
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
        Some(path) => write(path, &text).map_err(|error| CliError::Picture {
            path: path.clone(),
            message: error.to_string(),
        })?,
    }
    Ok(())
}

/// The format that is asked for, or that the file's extension names.
fn format(args: &DrawArgs) -> Result<DrawFormat, CliError> {
    let named = args.output.as_ref().map(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(DrawFormat::Svg),
            Some("dot" | "gv") => Ok(DrawFormat::Dot),
            Some("json") => Ok(DrawFormat::Json),
            _ => Err(CliError::DrawFormat { path: path.clone() }),
        }
    });
    match (args.format, named) {
        (Some(format), _) => Ok(format),
        (None, Some(named)) => named,
        (None, None) => Ok(DrawFormat::Svg),
    }
}

fn json(drawing: &impl Serialize) -> Result<String, CliError> {
    Ok(serde_json::to_string_pretty(drawing)? + "\n")
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes())?;
    file.commit()
}
