//! `receptive classify`: the most probable classes of images.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use receptive_layers::classifier::{Classifier, Prediction};
use receptive_layers::{printable, sha256};
use serde::Serialize;
use terminal_size::{Width, terminal_size};

use crate::args::ClassifyArgs;
use crate::bars;
use crate::classifier::TopClasses;
use crate::error::{CliError, print_error};
use crate::inputs::Inputs;
use crate::predict::{self, Workers};
use crate::resolve::NetworkSource;
use crate::rows::{self, Answer, Columns, Row, Settings};
use crate::same_file::check_output;

/// Width of a terminal that does not report one, in columns.
const DEFAULT_COLUMNS: usize = 80;

/// Classifies every image, and prints the results or writes a row for each image. Without rows, prints an
/// error for each image that fails. The exit code is 0 if no image fails, 1 if some fail, 2 if all fail.
///
/// # Errors
///
/// [`CliError`] when there is no image, the network cannot be opened, or the output cannot be
/// written.
pub fn run(args: &ClassifyArgs, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let source = NetworkSource::named(&args.classifier.model.name)?;
    if let Some(output) = args.output.file() {
        let files = [
            source.path(),
            args.classifier.model.weights.as_deref(),
            args.classifier.labels.as_deref(),
        ];
        check_output(output, files.into_iter().flatten())?;
    }
    let inputs = Inputs::open(&args.input)?;
    let as_rows = args.output.output.is_some() || args.output.format.is_some();
    let images = inputs.known_count().filter(|_| !as_rows);
    let workers = Workers::new(images, &args.compute)?;
    let predictor = TopClasses::open(&source, args, &workers)?;
    let summary = if as_rows {
        let settings = settings(args, source.path(), &predictor.classifier)?;
        let columns = Columns::Classes { top: args.top };
        predict::write(
            &predictor,
            inputs,
            &workers,
            &args.output,
            columns,
            &settings,
        )?
    } else {
        let mut text = TextResults::begin(source.name(), args.json, out)?;
        let run = predict::run(
            &predictor,
            inputs,
            &workers,
            &[],
            Path::new(""),
            |row, progress| progress.suspend(|| text.write(row)),
        );
        let summary = run?;
        text.end()?;
        Some(summary)
    };
    Ok(summary.map_or(ExitCode::SUCCESS, |summary| {
        summary.print(args.output.file().is_some(), as_rows);
        summary.exit_code()
    }))
}

/// Returns the settings that determine the rows of `args`, with a network in `file`, an ONNX file.
fn settings(
    args: &ClassifyArgs,
    file: Option<&Path>,
    classifier: &Classifier,
) -> Result<Settings, CliError> {
    let mut settings = rows::settings(
        "classify",
        &args.classifier.model,
        file,
        &args.compute,
        &args.input,
        classifier.preprocessing(),
    )?;
    let inversion = match (args.classifier.invert, args.classifier.no_invert) {
        (true, _) => "all",
        (_, true) => "none",
        _ => "by border",
    };
    settings.insert("inversion".to_owned(), inversion.to_owned());
    if let Some(folder) = &args.explain {
        let folder = folder.display().to_string();
        settings.insert("pictures".to_owned(), folder);
    }
    settings.insert("top".to_owned(), args.top.to_string());
    let digest = sha256::of_reader(classifier.labels().join("\n").as_bytes())?;
    settings.insert("labels".to_owned(), format!("of SHA-256 {digest}"));
    Ok(settings)
}

/// The predictions for one image.
#[derive(Serialize)]
struct Classification<'a> {
    image: &'a str,
    model: &'a str,
    /// Whether the image was inverted.
    inverted: bool,
    predictions: &'a [Prediction],
}

/// Results as text, or as an array of JSON objects, as they are computed.
struct TextResults<'a> {
    model: &'a str,
    json: bool,
    /// Number of columns of a terminal; `None` without a terminal.
    columns: Option<usize>,
    written: usize,
    out: &'a mut dyn Write,
}

impl<'a> TextResults<'a> {
    fn begin(model: &'a str, json: bool, out: &'a mut dyn Write) -> Result<Self, CliError> {
        if json {
            write!(out, "[")?;
        }
        let columns = io::stdout().is_terminal().then(|| {
            terminal_size().map_or(DEFAULT_COLUMNS, |(Width(columns), _)| usize::from(columns))
        });
        Ok(Self {
            model,
            json,
            columns,
            written: 0,
            out,
        })
    }

    /// Writes a result, or prints an error to standard error.
    fn write(&mut self, row: &Row) -> Result<(), CliError> {
        let (predictions, inverted) = match &row.answer {
            Ok(Answer::Classes {
                predictions,
                inverted,
            }) => (predictions, *inverted),
            Ok(Answer::Vector(_)) => return Ok(()),
            Err(failure) => {
                print_error(&format!("{} {}", row.path, failure.reason));
                return Ok(());
            }
        };
        let result = Classification {
            image: &row.path,
            model: self.model,
            inverted,
            predictions,
        };
        if self.json {
            let separator = if self.written > 0 { "," } else { "" };
            let object = serde_json::to_string_pretty(&result)?;
            let object = object.replace('\n', "\n  ");
            write!(self.out, "{separator}\n  {object}")?;
        } else {
            write_text(&result, self.columns, self.out)?;
        }
        self.written += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), CliError> {
        if self.json {
            let newline = if self.written > 0 { "\n" } else { "" };
            writeln!(self.out, "{newline}]")?;
        }
        Ok(())
    }
}

/// Writes bars for a terminal with the given number of columns, or plain lines without a terminal.
fn write_text(
    result: &Classification<'_>,
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
    writeln!(out, "{}{inverted}", printable(result.image))?;
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
