//! `receptive probe`: a head for new classes, trained on vectors.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use receptive_layers::logistic::{LogisticRegression, cross_validate};
use receptive_layers::printable;
use receptive_layers::vectors::VectorSet;
use receptive_layers::weights::Format;
use serde::Serialize;

use crate::args::ProbeArgs;
use crate::error::{CliError, print_note};
use crate::head::Head;
use crate::json::write_json;
use crate::registry::{self, Model};
use crate::vector_file::ImageVectors;
use crate::weights::ModelWeights;

/// Largest deviation of the squared length of a normalized vector from 1.
const NORMALIZED: f32 = 1e-3;

/// Trains heads by cross-validation and prints their accuracy; with `--output`, writes the network with a head
/// that is trained on all images.
///
/// # Errors
///
/// [`CliError`] when the vectors or labels cannot be read or do not fit each other or the network, or the weights
/// cannot be written.
pub fn run(args: &ProbeArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let images = ImageVectors::open(&args.vectors)?;
    images.print_left_out(&args.vectors);
    let labelled = Labelled::new(args, images)?;
    let (set, classes, names) = (&labelled.vectors, &labelled.classes, &labelled.names);
    let fewest = (0..names.len())
        .map(|class| classes.iter().filter(|&&found| found == class).count())
        .enumerate()
        .min_by_key(|&(_, count)| count);
    if let Some((class, count)) = fewest.filter(|&(_, count)| count < args.folds) {
        print_note(&format!(
            "class {} has {count} images, fewer than the {} folds",
            names[class], args.folds
        ));
    }
    // Opened before the computation, so that unusable weights cost no time.
    let model = registry::model(&args.model.name)?;
    let output = match &args.output {
        Some(path) => {
            let format = Format::from_extension(path);
            let format = format.ok_or_else(|| CliError::Format { path: path.clone() })?;
            Some((path, format, open_head(args, &model, set)?))
        }
        None => None,
    };
    let probe = |error| CliError::Probe {
        path: args.vectors.clone(),
        source: error,
    };
    let predictions =
        cross_validate(set, classes, names.len(), args.folds, args.l2).map_err(probe)?;
    let report = Report::new(&predictions, classes, names, args.folds);
    if let Some((path, format, head)) = output {
        let rows: Vec<usize> = (0..set.len()).collect();
        let regression = LogisticRegression::fit(set, &rows, classes, names.len(), args.l2);
        head.write(&regression.map_err(probe)?, names, path, format)?;
    }
    if args.json {
        return write_json(&report, out);
    }
    report.write(out)?;
    Ok(())
}

/// Vectors with classes.
struct Labelled {
    vectors: VectorSet,
    /// Class of each vector.
    classes: Vec<usize>,
    /// Name of each class, in alphabetical order.
    names: Vec<String>,
}

impl Labelled {
    /// Finds the label of each image. Images without a label are left out.
    fn new(args: &ProbeArgs, images: ImageVectors) -> Result<Self, CliError> {
        let labels: Vec<Option<String>> = match &args.labels {
            Some(file) => {
                let labels = read_labels(file)?;
                (images.paths.iter())
                    .map(|path| labels.get(path).cloned())
                    .collect()
            }
            None => images.paths.iter().map(|path| folder_name(path)).collect(),
        };
        let names: BTreeSet<&String> = labels.iter().flatten().collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        let unlabelled = labels.iter().filter(|label| label.is_none()).count();
        if names.len() < 2 {
            return Err(CliError::FewLabels {
                path: args.labels.clone().unwrap_or_else(|| args.vectors.clone()),
                found: names.len(),
                unlabelled,
                images: labels.len(),
            });
        }
        if unlabelled > 0 {
            print_note(&format!(
                "{unlabelled} of {} images have no label",
                labels.len()
            ));
        }
        let (mut values, mut classes) = (Vec::new(), Vec::new());
        for (index, label) in labels.iter().enumerate() {
            let Some(label) = label else { continue };
            values.extend_from_slice(images.vectors.vector(index));
            classes.extend(names.binary_search(label));
        }
        let vectors = VectorSet::new(values, images.vectors.length());
        let vectors = vectors.map_err(|error| CliError::Compute(error.to_string()))?;
        Ok(Self {
            vectors,
            classes,
            names,
        })
    }
}

/// Returns the name of the folder of the image at `path`.
fn folder_name(path: &str) -> Option<String> {
    let folder = Path::new(path).parent()?.file_name()?;
    Some(folder.to_string_lossy().into_owned())
}

/// Reads the columns `path` and `label` of a CSV file.
fn read_labels(file: &Path) -> Result<HashMap<String, String>, CliError> {
    let failed = |reason: String| CliError::LabelTable {
        path: file.to_owned(),
        reason,
    };
    let opened = File::open(file).map_err(|error| failed(error.to_string()))?;
    let mut reader = csv::Reader::from_reader(BufReader::new(opened));
    let names = reader
        .headers()
        .map_err(|error| failed(error.to_string()))?;
    let column = |name: &str| names.iter().position(|found| found == name);
    let (Some(path), Some(label)) = (column("path"), column("label")) else {
        let found: Vec<&str> = names.iter().collect();
        let found = found.join(", ");
        return Err(failed(format!(
            "its columns are {found}, expected path and label"
        )));
    };
    let mut labels = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| failed(error.to_string()))?;
        let field = |index: usize| record.get(index).unwrap_or_default().to_owned();
        if !field(label).is_empty() {
            labels.insert(field(path), field(label));
        }
    }
    Ok(labels)
}

/// Opens the weights of the network whose embeddings the vectors are.
fn open_head<'a>(
    args: &ProbeArgs,
    model: &'a Model,
    set: &VectorSet,
) -> Result<Head<'a>, CliError> {
    let weights = match &args.model.weights {
        Some(path) => ModelWeights::open(model, path, args.model.key.key())?,
        None => ModelWeights::pretrained(model)?,
    };
    let unit = |index: usize| {
        let vector = set.vector(index);
        let square: f32 = vector.iter().map(|value| value * value).sum();
        (square - 1.0).abs() < NORMALIZED
    };
    if (0..set.len()).all(unit) {
        return Err(CliError::NormalizedVectors {
            path: args.vectors.clone(),
        });
    }
    let head = Head::new(weights)?;
    let expected = head.features();
    if expected != set.length() {
        return Err(CliError::VectorLength {
            path: args.vectors.clone(),
            found: set.length(),
            model: args.model.name.clone(),
            expected,
        });
    }
    Ok(head)
}

/// The accuracy of the heads of a cross-validation.
#[derive(Serialize)]
struct Report<'a> {
    /// Share of the images that are classified correctly.
    accuracy: f64,
    images: usize,
    folds: usize,
    classes: Vec<ClassReport<'a>>,
}

#[derive(Serialize)]
struct ClassReport<'a> {
    label: &'a str,
    images: usize,
    /// Share of the class's images that are classified correctly.
    accuracy: f64,
}

impl<'a> Report<'a> {
    fn new(predictions: &[usize], classes: &[usize], names: &'a [String], folds: usize) -> Self {
        let right = |class: Option<usize>| {
            let pairs = predictions.iter().zip(classes);
            let of_class = pairs.filter(|&(_, &found)| class.is_none_or(|class| class == found));
            let (mut right, mut all) = (0, 0);
            for (predicted, class) in of_class {
                all += 1;
                right += usize::from(predicted == class);
            }
            (all, right as f64 / f64::from(all.max(1) as u32))
        };
        let class = |(class, name): (usize, &'a String)| {
            let (images, accuracy) = right(Some(class));
            ClassReport {
                label: name,
                images,
                accuracy,
            }
        };
        Self {
            accuracy: right(None).1,
            images: classes.len(),
            folds,
            classes: names.iter().enumerate().map(class).collect(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let width = (self.classes.iter()).map(|class| printable(class.label).chars().count());
        let width = width.max().unwrap_or(0).max("all classes".len());
        writeln!(out, "{:width$}  IMAGES  ACCURACY %", "CLASS")?;
        for class in &self.classes {
            let (label, percent) = (printable(class.label), 100.0 * class.accuracy);
            writeln!(out, "{label:width$}  {:6}  {percent:10.1}", class.images)?;
        }
        let percent = 100.0 * self.accuracy;
        writeln!(
            out,
            "{:width$}  {:6}  {percent:10.1}",
            "all classes", self.images
        )?;
        Ok(())
    }
}
