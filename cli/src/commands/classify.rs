//! `receptive classify`: the most probable classes of images.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use receptive_layers::classifier::{Classifier, Prediction};
use receptive_layers::image;
use serde::Serialize;
use terminal_size::{Width, terminal_size};

use crate::args::ClassifyArgs;
use crate::bars;
use crate::classifier;
use crate::error::{CliError, one_line, print_error};
use crate::json::write_json;
use crate::progress::image_bar;
use crate::registry;

/// Width of a terminal that does not report one, in columns.
const DEFAULT_COLUMNS: usize = 80;

/// Classifies every image and prints the results, and an error for each image that fails. The exit
/// code is 0 if no image fails, 1 if some fail, 2 if all fail.
///
/// # Errors
///
/// [`CliError`] when there is no image, the network cannot be opened, or the output cannot be
/// written.
pub fn run(args: &ClassifyArgs, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let images = expand_folders(&args.images)?;
    let model = registry::model(&args.model)?;
    let classifier = classifier::open(&model, args)?;
    let progress = image_bar(images.len());
    let columns = io::stdout().is_terminal().then(|| {
        terminal_size().map_or(DEFAULT_COLUMNS, |(Width(columns), _)| usize::from(columns))
    });

    let mut results = Vec::new();
    let mut failed = 0;
    for path in &images {
        let result = classify(&classifier, path, args.top).map(|predictions| Classification {
            image: path.display().to_string(),
            model: model.name,
            predictions,
        });
        progress.suspend(|| -> Result<(), CliError> {
            match result {
                Ok(result) if args.json => results.push(result),
                Ok(result) => write_text(&result, columns, out)?,
                Err(error) => {
                    failed += 1;
                    print_error(&error);
                }
            }
            Ok(())
        })?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    if args.json {
        write_json(&results, out)?;
    }
    Ok(ExitCode::from(match failed {
        0 => 0,
        some if some < images.len() => 1,
        _ => 2,
    }))
}

/// The predictions for one image.
#[derive(Serialize)]
struct Classification {
    image: String,
    model: &'static str,
    predictions: Vec<Prediction>,
}

/// Returns the `top` most probable classes of the image at `path`, or an error that names the image.
fn classify(classifier: &Classifier, path: &Path, top: usize) -> Result<Vec<Prediction>, String> {
    let photo = image::open(path).map_err(|error| one_line(&error))?;
    let classification = classifier
        .classify(&photo)
        .map_err(|error| format!("{}: {}", path.display(), one_line(&error)))?;
    Ok(classification.top(top))
}

/// Writes bars for a terminal with the given number of columns, or plain lines without a terminal.
fn write_text(
    result: &Classification,
    columns: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let predictions: Vec<(&str, f32)> = result
        .predictions
        .iter()
        .map(|prediction| (prediction.label.as_str(), prediction.probability))
        .collect();
    writeln!(out, "{}", result.image)?;
    match columns {
        Some(columns) => {
            for row in bars::rows(&predictions, columns) {
                writeln!(out, "{row}")?;
            }
        }
        None => {
            for (label, probability) in predictions {
                writeln!(out, "  {label} {}", bars::percent(probability))?;
            }
        }
    }
    Ok(())
}

/// Replaces every folder in `paths` by the images in it, sorted by name.
fn expand_folders(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut images = Vec::new();
    for path in paths {
        if path.is_dir() {
            images.extend(images_in(path)?);
        } else {
            images.push(path.clone());
        }
    }
    Ok(images)
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let error = |source| CliError::Folder {
        path: folder.to_owned(),
        source,
    };
    let mut images = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if is_image(&path) && !path.is_dir() {
            images.push(path);
        }
    }
    if images.is_empty() {
        return Err(CliError::EmptyFolder {
            path: folder.to_owned(),
            extensions: image::EXTENSIONS,
        });
    }
    images.sort();
    Ok(images)
}

fn is_image(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| {
            image::EXTENSIONS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(extension))
        })
}
