//! `receptive eval`: the accuracy of a network on labelled images.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use receptive_layers::{metadata, printable, sha256};
use receptive_train::cluster::{Cluster, Message, check_equal};
use receptive_train::data::{DataSplits, Dataset, EvaluationData, Relabelled};
use receptive_train::loader::{Batch, Division, Loader, Preprocessing};
use receptive_train::recipe::Recipe;
use receptive_train::{ClassAccuracy, ConfusionMatrix, TrainError};
use serde::Serialize;

use crate::args::EvalArgs;
use crate::cluster;
use crate::digits;
use crate::engine::Runner;
use crate::error::{CliError, print_note};
use crate::json::write_json;
use crate::registry;
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
    cluster::run(&args.ranks, |cluster| run_rank(args, out, cluster))
}

fn run_rank(args: &EvalArgs, out: &mut dyn Write, cluster: &dyn Cluster) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    if args.data.is_none() && model.input.channels != 1 {
        return Err(CliError::NoData { model: model.name });
    }
    let weights = ModelWeights::open(&model, &args.weights, args.key.key())?;
    let data = match &args.data {
        Some(folder) => DataSplits::open_for_evaluation(folder).map_err(TrainError::from)?,
        None => {
            let data = digits::open().map_err(TrainError::from)?;
            EvaluationData {
                classes: data.classes,
                images: data.validation,
                left_out: data.left_out,
            }
        }
    };
    check_ranks(&args.weights, &data, cluster)?;
    let (classes, dataset) = match_classes(&weights, data.classes, data.images)?;
    let [channels, height, width] = weights.description.input;
    let preprocessing = match &args.recipe {
        Some(path) => Recipe::open(path, &[])?.preprocessing(channels, height)?,
        None => weights.description.preprocessing,
    };
    let input = [BATCH, channels, height, width];
    let mut runner = Runner::from_weights(weights, input, &args.compute)?;
    let loader = Loader {
        dataset,
        preprocessing: Preprocessing::evaluation(&preprocessing, channels, classes.len()),
        mix: None,
        batch: BATCH,
        division: Division::Batches {
            rank: cluster.rank(),
            ranks: cluster.ranks(),
        },
        shuffle: false,
        seed: 0,
        workers: 1,
        skip_bad: args.skip_bad,
    };
    let is_first = cluster.rank() == 0;
    if is_first && !data.left_out.is_empty() {
        print_note(&format!("left out of the folders: {}", data.left_out));
    }
    let (confusion, skipped) = evaluate(&mut runner, &loader, classes, cluster)?;
    if !is_first {
        return Ok(());
    }
    if let Some(path) = &args.confusion {
        confusion.draw(path)?;
    }
    report(args, &confusion, skipped, out)
}

/// Returns the names of the classes of `weights`, and the images with these classes.
///
/// If the weights have names, a class of the data is the class of the weights with its name; the data
/// may lack classes. If none of the names of the data are those of published weights, or the weights
/// have no names, the classes of the data are those of the weights in order.
///
/// # Errors
///
/// [`CliError::UnknownClass`] when a class of the data is not a class of the weights,
/// [`CliError::OtherClasses`] when the classes are in order and their numbers differ.
fn match_classes(
    weights: &ModelWeights,
    names: Vec<String>,
    dataset: Arc<dyn Dataset>,
) -> Result<(Vec<String>, Arc<dyn Dataset>), CliError> {
    let description = &weights.description;
    let origin = || weights.origin.clone();
    let known = |name: &String| {
        let mut indices =
            (0..description.labels.len()).filter(|&index| description.labels[index] == *name);
        // Two classes of ImageNet are called "crane": such a name is not the name of a class.
        indices.next().filter(|_| indices.next().is_none())
    };
    let by_name: Vec<Option<usize>> = names.iter().map(known).collect();
    let any_known = by_name.iter().any(Option::is_some);
    if !(description.own_labels || any_known) {
        if description.classes != names.len() {
            return Err(CliError::OtherClasses {
                origin: origin(),
                known: description.classes,
                found: names.len(),
            });
        }
        return Ok((names, dataset));
    }
    let mut indices = Vec::with_capacity(names.len());
    for (name, index) in names.iter().zip(by_name) {
        indices.push(index.ok_or_else(|| CliError::UnknownClass {
            origin: origin(),
            class: name.clone(),
            known: listed(&description.labels),
        })?);
    }
    let dataset = Relabelled::new(dataset, indices);
    Ok((description.labels.clone(), Arc::new(dataset)))
}

/// Returns the first few of `names`.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len() {
        ..=SHOWN => shown,
        more => format!("{shown} and {} more", more - SHOWN),
    }
}

/// Checks that all ranks evaluate the same weights on the same images.
fn check_ranks(
    weights: &Path,
    data: &EvaluationData,
    cluster: &dyn Cluster,
) -> Result<(), CliError> {
    if cluster.ranks() == 1 {
        return Ok(());
    }
    let digest = fs::File::open(weights).and_then(sha256::of_reader);
    let digest = digest.map_err(|error| TrainError::Read {
        path: weights.to_owned(),
        reason: error.to_string(),
    })?;
    let properties = [
        ("the version", metadata::VERSION.to_owned()),
        ("the SHA-256 of the weights", digest),
        ("the list of classes", data.classes.join(", ")),
        ("the number of images", data.images.len().to_string()),
        (
            "the digest of the images' names, sizes and order",
            data.sha256().map_err(TrainError::from)?,
        ),
    ];
    Ok(check_equal(cluster, &properties).map_err(TrainError::from)?)
}

/// Runs the images of `loader` through the network. Returns the confusion matrix and the number of
/// images that could not be read; on rank 0 those of all ranks, in the order of the images.
fn evaluate(
    runner: &mut Runner,
    loader: &Loader,
    classes: Vec<String>,
    cluster: &dyn Cluster,
) -> Result<(ConfusionMatrix, usize), CliError> {
    let mut confusion = ConfusionMatrix::new(classes);
    let mut skipped = 0;
    let ranks = cluster.ranks();
    let mut batches = loader.epoch(0, 0);
    for _ in 0..loader.batches_per_epoch().div_ceil(ranks) {
        let own = match batches.next() {
            Some(batch) => logits_of(runner, &batch.map_err(TrainError::from)?)?,
            None => BatchLogits::default(),
        };
        let mut messages = vec![Message::default(); ranks];
        messages[0] = own.to_bytes().into();
        let messages = cluster.exchange(messages).map_err(TrainError::from)?;
        if cluster.rank() == 0 {
            for message in messages {
                let BatchLogits {
                    skipped: more,
                    labels,
                    logits,
                } = BatchLogits::from_bytes(&message);
                skipped += more as usize;
                if !labels.is_empty() {
                    confusion.add(&logits, &labels);
                }
            }
        }
    }
    Ok((confusion, skipped))
}

fn logits_of(runner: &mut Runner, batch: &Batch) -> Result<BatchLogits, CliError> {
    let mut evaluated = BatchLogits {
        skipped: batch.skipped.len() as u64,
        ..BatchLogits::default()
    };
    if !batch.is_empty() {
        evaluated.labels.clone_from(&batch.labels);
        evaluated.logits = runner.logits(&batch.images, batch.shape)?;
        if evaluated.logits.iter().any(|logit| !logit.is_finite()) {
            return Err(CliError::NotFinite);
        }
    }
    Ok(evaluated)
}

/// Logits of a mini-batch, as rank 0 gets them.
#[derive(Default)]
struct BatchLogits {
    /// Number of images that could not be read.
    skipped: u64,
    /// Class of each image.
    labels: Vec<usize>,
    /// Logits, `[images, classes]`.
    logits: Vec<f32>,
}

impl BatchLogits {
    fn to_bytes(&self) -> Vec<u8> {
        let Self {
            skipped,
            labels,
            logits,
        } = self;
        let counts = [*skipped, labels.len() as u64];
        let labels = labels.iter().map(|&label| label as u64);
        let numbers = counts.into_iter().chain(labels);
        let mut bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        bytes.extend(logits.iter().flat_map(|logit| logit.to_le_bytes()));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    fn from_bytes(bytes: &[u8]) -> Self {
        let (numbers, _) = bytes.as_chunks();
        let mut numbers = numbers.iter().map(|&number| u64::from_le_bytes(number));
        let skipped = numbers.next().unwrap_or(0);
        let count = numbers.next().unwrap_or(0) as usize;
        let labels: Vec<usize> = numbers.take(count).map(|label| label as usize).collect();
        let logits = bytes.get(8 * (2 + count)..).unwrap_or_default();
        let (logits, _) = logits.as_chunks();
        Self {
            skipped,
            labels,
            logits: logits
                .iter()
                .map(|&logit| f32::from_le_bytes(logit))
                .collect(),
        }
    }
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
        // The data may lack classes of the weights.
        per_class: (confusion.per_class().into_iter())
            .filter(|class| class.count > 0)
            .collect(),
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
        let class = printable(class);
        writeln!(out, "  {class:<width$}  {top1:>8}  of {count}")?;
    }
    Ok(())
}
