//! Opening of the classifier that `receptive classify` names.

use receptive_layers::classifier::Classifier;
use receptive_layers::labels;

use crate::args::ClassifyArgs;
use crate::engine::Runner;
use crate::error::CliError;
use crate::registry::Model;
use crate::resolve::ResolvedModel;

/// Opens `model` with the weights and labels that `args` name.
///
/// # Errors
///
/// [`CliError`] when the weights or labels cannot be used.
pub fn open(model: &Model, args: &ClassifyArgs) -> Result<Classifier, CliError> {
    let resolved = ResolvedModel::open(model, args.weights.as_deref(), &args.compute)?;
    let labels = class_labels(args, model, resolved.classes())?;
    let preprocessing = resolved.preprocessing();
    let (channels, crop) = (model.input.channels, preprocessing.crop);
    let runner = Runner::new(resolved, [1, channels, crop, crop], &args.compute)?;
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

/// Reads the labels of `classes` classes from the file that `args` name, or else returns the
/// published labels; none if the number of classes is not the published one.
fn class_labels(
    args: &ClassifyArgs,
    model: &Model,
    classes: usize,
) -> Result<Vec<String>, CliError> {
    let Some(path) = &args.labels else {
        let published = if classes == model.classes {
            model.labels.names()
        } else {
            Vec::new()
        };
        return Ok(published.into_iter().map(str::to_owned).collect());
    };
    let labels = labels::open(path)?;
    if labels.len() != classes {
        return Err(CliError::LabelCount {
            path: path.clone(),
            found: labels.len(),
            classes,
        });
    }
    Ok(labels)
}
