//! Classification of images: preprocessing, inference, softmax and class labels.

use receptive_layers::image::RgbImage;
use receptive_layers::labels;
use receptive_layers::preprocessing::Preprocessing;

use crate::args::ClassifyArgs;
use crate::engine::Runner;
use crate::error::CliError;
use crate::preprocessing;
use crate::registry::{self, Model};
use crate::resolve::ResolvedModel;

/// A network that computes the class probabilities of images.
pub struct Classifier {
    /// Name of the network.
    pub model: &'static str,
    runner: Runner,
    preprocessing: Preprocessing,
    channels: usize,
    labels: Vec<String>,
}

impl Classifier {
    /// Opens the network, weights and labels that `args` name.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the network is unknown, or its weights or labels cannot be used.
    pub fn open(args: &ClassifyArgs) -> Result<Self, CliError> {
        let model = registry::model(&args.model)?;
        let resolved = ResolvedModel::open(&model, args.weights.as_deref(), &args.compute)?;
        let classes = resolved.classes();
        let preprocessing = resolved.preprocessing();
        let (channels, crop) = (model.input.channels, preprocessing.crop);
        let runner = Runner::new(resolved, [1, channels, crop, crop], &args.compute)?;
        Ok(Self {
            model: model.name,
            runner,
            preprocessing,
            channels,
            labels: class_labels(args, &model, classes)?,
        })
    }

    /// Computes the probability of every class.
    ///
    /// # Errors
    ///
    /// [`CliError::Compute`] when the device fails, [`CliError::NotFinite`] when a probability is
    /// infinite or not a number.
    pub fn probabilities(&mut self, photo: &RgbImage) -> Result<Vec<f32>, CliError> {
        let values = preprocessing::apply(&self.preprocessing, photo, self.channels);
        let crop = self.preprocessing.crop;
        let logits = self
            .runner
            .logits(&values, [1, self.channels, crop, crop])?;
        let probabilities = receptive_layers::softmax(&logits);
        if probabilities.iter().any(|p| !p.is_finite()) {
            return Err(CliError::NotFinite);
        }
        Ok(probabilities)
    }

    /// Label of a class, or its index for a network without labels.
    pub fn label(&self, class: usize) -> String {
        self.labels
            .get(class)
            .cloned()
            .unwrap_or_else(|| format!("class {class}"))
    }
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
