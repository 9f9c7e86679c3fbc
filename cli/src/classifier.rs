//! The classifier that `receptive classify` names.

use receptive_layers::classifier::{Classifier, ClassifierError};
use receptive_layers::image::{self, RgbImage};
use receptive_layers::labels::{self, MNIST};

use crate::args::ClassifyArgs;
use crate::engine::Runner;
use crate::error::CliError;
use crate::predict::{Predictor, Workers};
use crate::registry::Model;
use crate::resolve::ResolvedModel;
use crate::rows::Answer;
use crate::weights::Description;

/// Computes the most probable classes of images.
pub struct TopClasses {
    /// The classifier.
    pub classifier: Classifier,
    top: usize,
    inversion: Inversion,
}

/// Images that are inverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inversion {
    All,
    /// Images with a light border.
    OnPaper,
    None,
}

impl TopClasses {
    /// Opens `model` with the weights and labels that `args` name.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the weights or labels cannot be used.
    pub fn open(model: &Model, args: &ClassifyArgs, workers: &Workers) -> Result<Self, CliError> {
        let classifier = open(model, args, workers)?;
        // MNIST's digits are light ink on a dark background.
        let digits = classifier.labels().iter().eq(MNIST.iter());
        Ok(Self {
            classifier,
            top: args.top,
            inversion: match (args.invert, args.no_invert) {
                (true, _) => Inversion::All,
                (false, false) if digits => Inversion::OnPaper,
                _ => Inversion::None,
            },
        })
    }
}

impl Predictor for TopClasses {
    fn prepare(&self, mut photo: RgbImage) -> (Vec<f32>, bool) {
        let inverted = match self.inversion {
            Inversion::All => true,
            Inversion::OnPaper => image::is_on_light_paper(&photo),
            Inversion::None => false,
        };
        if inverted {
            image::invert(&mut photo);
        }
        (self.classifier.prepare(&photo), inverted)
    }

    fn run(
        &self,
        images: &[f32],
        inverted: &[bool],
    ) -> Result<Vec<Result<Answer, ClassifierError>>, ClassifierError> {
        let logits = self.classifier.run(images)?.into_first();
        let classes = (logits.len() / inverted.len().max(1)).max(1);
        let answers = logits
            .chunks(classes)
            .zip(inverted)
            .map(|(logits, &inverted)| {
                let classification = self.classifier.classification(logits)?;
                Ok(Answer::Classes {
                    predictions: classification.top(self.top),
                    inverted,
                })
            });
        Ok(answers.collect())
    }

    fn max_batch(&self) -> usize {
        self.classifier.max_batch()
    }

    fn shorter_side(&self) -> usize {
        self.classifier.preprocessing().resize
    }
}

fn open(model: &Model, args: &ClassifyArgs, workers: &Workers) -> Result<Classifier, CliError> {
    let resolved = ResolvedModel::open(
        model,
        args.model.weights.as_deref(),
        args.model.key.key(),
        &workers.compute,
    )?;
    let description = resolved.description();
    let labels = class_labels(args, description)?;
    let preprocessing = description.preprocessing;
    let [channels, height, width] = description.input;
    let runner = Runner::new(
        resolved,
        [workers.batch, channels, height, width],
        &workers.compute,
    )?;
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
