//! `receptive eval`: the accuracy of a network on labelled images.

use std::io::Write;

use receptive_train::data::DataSplits;
use receptive_train::loader::{Loader, Preprocessing};
use receptive_train::recipe::Recipe;
use receptive_train::{ClassAccuracy, ConfusionMatrix, TrainError};
use serde::Serialize;

use crate::args::EvalArgs;
use crate::digits;
use crate::engine::Runner;
use crate::error::CliError;
use crate::json::write_json;
use crate::registry::{self, Model};
use crate::weights::ModelWeights;

/// Number of images in a batch.
const BATCH: usize = 16;

/// The report as JSON.
#[derive(Serialize)]
struct AccuracyReport {
    top1: f64,
    top5: f64,
    count: u64,
    loss: f64,
    skipped: usize,
    per_class: Vec<ClassAccuracy>,
}

/// Evaluates the network and prints the report.
///
/// # Errors
///
/// [`CliError`] when the weights do not fit the network or the data, an image cannot be read, or
/// the output cannot be written.
pub fn run(args: &EvalArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let recipe = recipe(args, &model)?;
    let (classes, dataset) = match &args.data {
        Some(folder) => DataSplits::open_for_evaluation(folder).map_err(TrainError::from)?,
        None if model.input.channels == 1 => {
            let data = digits::open().map_err(TrainError::from)?;
            (data.classes, data.validation)
        }
        None => return Err(CliError::NoData { model: model.name }),
    };
    let weights = ModelWeights::open(&model, &args.weights)?;
    let known = weights.classes();
    if known != classes.len() {
        return Err(CliError::OtherClasses {
            path: args.weights.clone(),
            known,
            found: classes.len(),
        });
    }
    let [_, channels, height, width] = model.input.shape();
    let input = [BATCH, channels, height, width];
    let mut runner = Runner::from_weights(weights, input, &args.compute)?;
    let loader = Loader {
        dataset,
        preprocessing: Preprocessing {
            transforms: recipe.data.evaluate,
            normalisation: recipe.data.normalise,
            shape: [channels, height, width],
            classes: classes.len(),
            smoothing: 0.0,
        },
        mix: None,
        batch: BATCH,
        shuffle: false,
        seed: 0,
        workers: 1,
        skip_bad: args.skip_bad,
    };
    let (confusion, skipped) = evaluate(&mut runner, &loader, classes)?;
    if let Some(path) = &args.confusion {
        confusion.draw(path)?;
    }
    report(args, &confusion, skipped, out)
}

/// Runs the images of `loader` through the network. Returns the confusion matrix and the number of
/// images that could not be read.
fn evaluate(
    runner: &mut Runner,
    loader: &Loader,
    classes: Vec<String>,
) -> Result<(ConfusionMatrix, usize), CliError> {
    let mut confusion = ConfusionMatrix::new(classes);
    let mut skipped = 0;
    for batch in loader.epoch(0, 0) {
        let batch = batch.map_err(TrainError::from)?;
        skipped += batch.skipped.len();
        if !batch.is_empty() {
            let logits = runner.logits(&batch.images, batch.shape)?;
            if logits.iter().any(|logit| !logit.is_finite()) {
                return Err(CliError::NotFinite);
            }
            confusion.add(&logits, &batch.labels);
        }
    }
    Ok((confusion, skipped))
}

/// Prints the report as text or as JSON.
fn report(
    args: &EvalArgs,
    confusion: &ConfusionMatrix,
    skipped: usize,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let means = confusion.means().ok_or(CliError::NothingRead)?;
    let report = AccuracyReport {
        top1: means.top1,
        top5: means.top5,
        count: means.count,
        loss: means.loss,
        skipped,
        per_class: confusion.per_class(),
    };
    if args.json {
        return write_json(&report, out);
    }
    let percent = |fraction: f64| format!("{:.2} %", 100.0 * fraction);
    writeln!(
        out,
        "{} images: top-1 {}, top-5 {}, loss {:.4}",
        report.count,
        percent(report.top1),
        percent(report.top5),
        report.loss
    )?;
    if skipped > 0 {
        writeln!(out, "{skipped} images could not be read and were skipped")?;
    }
    let width = report
        .per_class
        .iter()
        .map(|class| class.class.chars().count());
    let width = width.max().unwrap_or(0);
    for ClassAccuracy { class, count, top1 } in &report.per_class {
        let top1 = top1.map_or("-".to_owned(), percent);
        writeln!(out, "  {class:<width$}  {top1:>8}  of {count}")?;
    }
    Ok(())
}

/// Returns the recipe that describes the preprocessing of images: the recipe of `--recipe`, else
/// `recipe.toml` in the folder of the weights or in its parent folder, else the default recipe of
/// the network.
fn recipe(args: &EvalArgs, model: &Model) -> Result<Recipe, CliError> {
    let beside = || {
        let folders = args.weights.ancestors().skip(1).take(2);
        folders
            .map(|folder| folder.join("recipe.toml"))
            .find(|path| path.is_file())
    };
    match args.recipe.clone().or_else(beside) {
        Some(path) => Ok(Recipe::open(&path, &[])?),
        None => Ok(model.default_recipe(false, &[])?),
    }
}
