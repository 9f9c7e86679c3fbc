//! Classification of photos by an ONNX file.

use receptive_layers::classifier::Classifier;

use crate::args::ClassifyArgs;
use crate::error::CliError;
use crate::label_file;
use crate::onnx_images;
use crate::onnx_network::{OnnxFile, OnnxNetwork};
use crate::predict::Workers;

/// Opens `file` as a classifier with the labels and the preprocessing that `args` name or the file contains.
///
/// # Errors
///
/// [`CliError`] when the file cannot be read or compiled, its input is not an image or its output is not a list of class
/// scores, or an option does not apply.
pub fn open(
    file: &OnnxFile,
    args: &ClassifyArgs,
    workers: &Workers,
) -> Result<Classifier, CliError> {
    let explain = [("--explain", args.explain.is_some())];
    file.refuse(&explain, "expected a network that `receptive models` lists")?;
    let (model, compute) = (&args.classifier.model, &workers.compute);
    let mut network = onnx_images::read(file, model, &args.preprocessing, compute)?;
    let classes = keep_scores(&mut network)?;
    let labels = match &args.classifier.labels {
        Some(path) => label_file::open(path, classes)?,
        None => network.metadata.labels.take().unwrap_or_default(),
    };
    if !labels.is_empty() && labels.len() != classes {
        return Err(CliError::StoredLabels {
            origin: file.path.display().to_string(),
            found: labels.len(),
            classes,
        });
    }
    let (plan, preprocessing) =
        onnx_images::compile(network, &args.preprocessing, workers.batch, compute)?;
    Ok(Classifier::from_plan(plan, preprocessing, labels)?)
}

/// Makes the class scores the only output of `network`, without a softmax that computes probabilities of them, and returns
/// the number of classes.
fn keep_scores(network: &mut OnnxNetwork) -> Result<usize, CliError> {
    let name = network.scores_name();
    let (output, shape) = network.keep_output(name.as_deref())?;
    let classes = match shape[..] {
        [_, classes, ref rest @ ..] if rest.iter().all(|&length| length == 1) => classes,
        _ => {
            return Err(CliError::OnnxScores {
                path: network.file.path.clone(),
                output,
                found: shape,
            });
        }
    };
    if let Some(scores) = network.softmax_operand() {
        network.set_output(output, scores);
    }
    Ok(classes)
}
