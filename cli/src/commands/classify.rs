//! `receptive classify`: the most probable classes of images.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use receptive_layers::classifier::{Classifier, Prediction};
use receptive_layers::image::{self, LeftOut};
use receptive_layers::labels::MNIST;
use receptive_layers::printable;
use serde::Serialize;
use terminal_size::{Width, terminal_size};

use crate::args::ClassifyArgs;
use crate::bars;
use crate::classifier;
use crate::error::{CliError, one_line, print_error, print_note};
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
    let (images, left_out) = expand_folders(&args.images)?;
    let model = registry::model(&args.model)?;
    let classifier = classifier::open(&model, args)?;
    let progress = image_bar(images.len());
    let columns = io::stdout().is_terminal().then(|| {
        terminal_size().map_or(DEFAULT_COLUMNS, |(Width(columns), _)| usize::from(columns))
    });

    let mut results = Vec::new();
    let mut failed = 0;
    for path in &images {
        let result =
            classify(&classifier, path, args).map(|(predictions, inverted)| Classification {
                image: path.display().to_string(),
                model: model.name,
                inverted,
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
    if !left_out.is_empty() {
        print_note(&format!("left out of the folders: {left_out}"));
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
    /// Whether the image was inverted.
    inverted: bool,
    predictions: Vec<Prediction>,
}

/// Returns the most probable classes of the image at `path` and whether it was inverted, or an error
/// that names the image.
fn classify(
    classifier: &Classifier,
    path: &Path,
    args: &ClassifyArgs,
) -> Result<(Vec<Prediction>, bool), String> {
    let mut photo = image::open(path).map_err(|error| one_line(&error))?;
    // MNIST's digits are light ink on a dark background.
    let digits = classifier.labels().iter().eq(MNIST.iter());
    let on_paper = || digits && image::is_on_light_paper(&photo);
    let inverted = args.invert || (!args.no_invert && on_paper());
    if inverted {
        image::invert(&mut photo);
    }
    let classification = classifier
        .classify(&photo)
        .map_err(|error| format!("{}: {}", path.display(), one_line(&error)))?;
    Ok((classification.top(args.top), inverted))
}

/// Writes bars for a terminal with the given number of columns, or plain lines without a terminal.
fn write_text(
    result: &Classification,
    columns: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let predictions: Vec<(Cow<'_, str>, f32)> = result
        .predictions
        .iter()
        .map(|prediction| (printable(&prediction.label), prediction.probability))
        .collect();
    let predictions: Vec<(&str, f32)> = predictions
        .iter()
        .map(|(label, probability)| (label.as_ref(), *probability))
        .collect();
    let inverted = if result.inverted { " (inverted)" } else { "" };
    writeln!(out, "{}{inverted}", printable(&result.image))?;
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

/// Replaces every folder in `paths` by the images in it and in its sub-folders, and counts what is left
/// out.
fn expand_folders(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, LeftOut), CliError> {
    let (mut images, mut left_out) = (Vec::new(), LeftOut::default());
    for path in paths {
        if !path.is_dir() {
            images.push(path.clone());
            continue;
        }
        let listing = image::list(path)?;
        if listing.images.is_empty() {
            return Err(CliError::EmptyFolder {
                path: path.clone(),
                left_out: listing.left_out,
                extensions: image::EXTENSIONS,
            });
        }
        images.extend(listing.images);
        left_out += listing.left_out;
    }
    Ok((images, left_out))
}
