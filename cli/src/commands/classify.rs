//! `receptive classify`: what images show.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use receptive_layers::{image, labels};
use serde::Serialize;
use terminal_size::{Width, terminal_size};

use super::write_json;
use crate::args::ClassifyArgs;
use crate::bars;
use crate::classifier::Classifier;
use crate::complain;
use crate::error::{CliError, one_line};

/// Columns of a terminal that does not tell its width.
const COLUMNS: usize = 80;

/// Classifies every image; those that fail are told on standard error and turn the exit code to 1,
/// or to 2 where none succeeds.
pub fn run(args: &ClassifyArgs, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let images = collect(&args.images)?;
    let mut classifier = Classifier::open(args)?;
    let progress = progress(images.len());
    let columns = io::stdout()
        .is_terminal()
        .then(|| terminal_size().map_or(COLUMNS, |(Width(columns), _)| usize::from(columns)));

    let mut answers = Vec::new();
    let mut failed = 0;
    for path in &images {
        let answer = classify(&mut classifier, path, args.top);
        progress.suspend(|| -> Result<(), CliError> {
            match answer {
                Ok(answer) if args.json => answers.push(answer),
                Ok(answer) => write_text(&answer, columns, out)?,
                Err(error) => {
                    failed += 1;
                    complain(&error);
                }
            }
            Ok(())
        })?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    if args.json {
        write_json(&answers, out)?;
    }
    Ok(ExitCode::from(match failed {
        0 => 0,
        some if some < images.len() => 1,
        _ => 2,
    }))
}

/// What one image shows.
#[derive(Serialize)]
struct Answer {
    image: String,
    model: &'static str,
    predictions: Vec<Prediction>,
}

#[derive(Serialize)]
struct Prediction {
    index: usize,
    label: String,
    probability: f32,
}

fn classify(classifier: &mut Classifier, path: &Path, top: usize) -> Result<Answer, String> {
    let photo = image::open(path).map_err(|error| one_line(&error))?;
    let probabilities = classifier
        .probabilities(&photo)
        .map_err(|error| format!("{}: {}", path.display(), one_line(&error)))?;
    let predictions = labels::top_k(&probabilities, top)
        .into_iter()
        .map(|(index, probability)| Prediction {
            index,
            label: classifier.label(index),
            probability,
        })
        .collect();
    Ok(Answer {
        image: path.display().to_string(),
        model: classifier.model,
        predictions,
    })
}

/// Bars where `columns` of a terminal are there to draw in, plain lines otherwise.
fn write_text(answer: &Answer, columns: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let predictions: Vec<(&str, f32)> = answer
        .predictions
        .iter()
        .map(|prediction| (prediction.label.as_str(), prediction.probability))
        .collect();
    writeln!(out, "{}", answer.image)?;
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

/// The images to classify: folders give way to the images in them, sorted by name.
fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
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
    let cannot = |source| CliError::Folder {
        path: folder.to_owned(),
        source,
    };
    let mut images = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
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

/// A bar on standard error, hidden for a single image and where standard error is no terminal.
fn progress(images: usize) -> ProgressBar {
    if images < 2 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(images as u64).with_style(style)
}
