//! Opening of the classifier that `receptive classify` names.

use receptive_layers::classifier::Classifier;
use receptive_layers::labels;

use crate::args::ClassifyArgs;
use crate::engine::Runner;
use crate::error::CliError;
use crate::registry::Model;
use crate::resolve::ResolvedModel;
use crate::weights::Description;

/// Opens `model` with the weights and labels that `args` name.
///
/// # Errors
///
/// [`CliError`] when the weights or labels cannot be used.
pub fn open(model: &Model, args: &ClassifyArgs) -> Result<Classifier, CliError> {
    let resolved = ResolvedModel::open(
        model,
        args.weights.as_deref(),
        args.key.key(),
        &args.compute,
    )?;
    let description = resolved.description();
    let labels = class_labels(args, description)?;
    let preprocessing = description.preprocessing;
    let [channels, height, width] = description.input;
    let runner = Runner::new(resolved, [1, channels, height, width], &args.compute)?;
    Ok(match runner {
        Runner::Compiled(plan) => Classifier::from_plan(*plan, preprocessing, labels)?,
        Runner::Eager { network, device } => Classifier::from_forward(
            move |images| network.forward(images),
            device,
            channels,
            preprocessing,
            labels,
        ),
    })
}

/// Reads the labels from the file that `args` name, or else returns those of the weights.
fn class_labels(args: &ClassifyArgs, description: &Description) -> Result<Vec<String>, CliError> {
    let Some(path) = &args.labels else {
        return Ok(description.labels.clone());
    };
    let labels = labels::open(path)?;
    if labels.len() != description.classes {
        return Err(CliError::LabelCount {
            path: path.clone(),
            found: labels.len(),
            classes: description.classes,
        });
    }
    Ok(labels)
}
