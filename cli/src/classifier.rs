//! The classifier that `receptive classify` names.

use std::path::{Path, PathBuf};

use receptive_layers::classifier::{Classifier, ClassifierError};
use receptive_layers::compile::Outputs;
use receptive_layers::image::{self, RgbImage};
use receptive_layers::labels::MNIST;

use crate::args::{ClassifierArgs, ClassifyArgs, Engine};
use crate::engine::Runner;
use crate::error::{CliError, one_line};
use crate::explain_error::ExplainError;
use crate::explainer::{MapExplainer, Preview, check_is_outside, create_folder, picture_path};
use crate::label_file;
use crate::onnx_classifier;
use crate::predict::{NOT_DRAWN, Predictor, Prepared, Workers};
use crate::registry::Model;
use crate::resolve::{NetworkSource, ResolvedModel};
use crate::rows::{Answer, Failure};
use crate::weights::Description;

/// Largest length of a side of an explaining picture, in pixels.
const LONGEST: usize = 512;

/// Computes the most probable classes of images.
pub struct TopClasses {
    /// The classifier.
    pub classifier: Classifier,
    top: usize,
    inversion: Inversion,
    pictures: Option<Pictures>,
}

/// Pictures that explain the answers.
struct Pictures {
    folder: PathBuf,
    explainer: MapExplainer,
}

/// Images that are inverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inversion {
    /// Every image.
    All,
    /// Images with a light border.
    OnPaper,
    /// No image.
    None,
}

impl Inversion {
    /// Returns the images that are inverted for a network with these labels: by default, digits on light paper,
    /// since MNIST's digits are light ink on a dark background.
    pub fn new(args: &ClassifierArgs, labels: &[String]) -> Self {
        match (args.invert, args.no_invert) {
            (true, _) => Self::All,
            (false, false) if labels.iter().eq(MNIST.iter()) => Self::OnPaper,
            _ => Self::None,
        }
    }

    /// Inverts `photo` if it is one of these images, and returns whether it is.
    pub fn apply(self, photo: &mut RgbImage) -> bool {
        let inverted = match self {
            Self::All => true,
            Self::OnPaper => image::is_on_light_paper(photo),
            Self::None => false,
        };
        if inverted {
            image::invert(photo);
        }
        inverted
    }
}

impl TopClasses {
    /// Opens the network `source` with the weights and labels that `args` name.
    ///
    /// # Errors
    ///
    /// [`CliError`] when the weights or labels cannot be used, or pictures are requested that cannot be computed.
    pub fn open(
        source: &NetworkSource,
        args: &ClassifyArgs,
        workers: &Workers,
    ) -> Result<Self, CliError> {
        let (classifier, explainer) = match source {
            NetworkSource::Registered(model) => open(model, args, workers)?,
            NetworkSource::File(file) => (onnx_classifier::open(file, args, workers)?, None),
        };
        let pictures = args.explain.clone().zip(explainer);
        if let Some(folder) = &args.explain {
            check_is_outside(folder, &args.input.images)?;
            create_folder(folder)?;
        }
        Ok(Self {
            top: args.top,
            inversion: Inversion::new(&args.classifier, classifier.labels()),
            classifier,
            pictures: pictures.map(|(folder, explainer)| Pictures { folder, explainer }),
        })
    }

    /// Returns the answer for the image at index `image` of a batch, and draws its picture.
    fn answer(
        &self,
        outputs: &Outputs,
        image: usize,
        logits: &[f32],
        prepared: &Prepared,
    ) -> Result<Answer, Failure> {
        let classification = self.classifier.classification(logits);
        let classification = classification.map_err(|error| Failure::from(&error))?;
        let predictions = classification.top(self.top);
        if let (Some(pictures), Some((path, preview)), Some(best)) =
            (&self.pictures, &prepared.picture, predictions.first())
        {
            let map = pictures.explainer.map(outputs, image, best.index);
            let map = map.map_err(|error| Failure::from(&error))?;
            let folder = path.parent().unwrap_or(path);
            let drawn = match create_folder(folder) {
                Ok(()) => preview.save(&map, path),
                Err(error) => Err(error.into()),
            };
            drawn.map_err(|error| Failure {
                kind: NOT_DRAWN,
                reason: one_line(&error),
            })?;
        }
        Ok(Answer::Classes {
            predictions,
            inverted: prepared.inverted,
        })
    }
}

impl Predictor for TopClasses {
    fn prepare(&self, path: &str, mut photo: RgbImage) -> (Vec<f32>, Prepared) {
        let picture = self.pictures.as_ref().map(|pictures| {
            let preview = Preview::new(&photo, self.classifier.preprocessing(), LONGEST);
            (picture_path(&pictures.folder, path), preview)
        });
        let inverted = self.inversion.apply(&mut photo);
        let prepared = Prepared { inverted, picture };
        (self.classifier.prepare(&photo), prepared)
    }

    fn run(
        &self,
        images: &[f32],
        prepared: &[Prepared],
    ) -> Result<Vec<Result<Answer, Failure>>, ClassifierError> {
        let outputs = self.classifier.run(images)?;
        let logits = outputs.iter().next().map_or(&[][..], |(_, logits)| logits);
        let classes = (logits.len() / prepared.len().max(1)).max(1);
        let images = logits.chunks(classes).zip(prepared).enumerate();
        let answers = images
            .map(|(image, (logits, prepared))| self.answer(&outputs, image, logits, prepared));
        Ok(answers.collect())
    }

    fn max_batch(&self) -> usize {
        self.classifier.max_batch()
    }

    fn shorter_side(&self) -> usize {
        self.classifier.preprocessing().resize
    }
}

fn open(
    model: &Model,
    args: &ClassifyArgs,
    workers: &Workers,
) -> Result<(Classifier, Option<MapExplainer>), CliError> {
    args.preprocessing.refuse(model.name)?;
    if args.explain.is_some() && workers.compute.engine()? == Engine::Eager {
        return Err(ExplainError::Engine.into());
    }
    let resolved = ResolvedModel::open(
        model,
        args.classifier.model.weights.as_deref(),
        args.classifier.model.key.key(),
        &workers.compute,
    )?;
    let labels = class_labels(args.classifier.labels.as_deref(), resolved.description())?;
    let preprocessing = resolved.description().preprocessing;
    if args.explain.is_some() {
        let ResolvedModel::Weights(weights) = resolved else {
            let path = args.classifier.model.weights.clone().unwrap_or_default();
            return Err(ExplainError::Plan { path }.into());
        };
        let (threads, tuning) = (workers.compute.threads, &workers.compute.tuning);
        let (plan, explainer) =
            MapExplainer::compile(*weights, None, workers.batch, threads, tuning)?;
        let classifier = Classifier::from_plan(plan, preprocessing, labels)?;
        return Ok((classifier, Some(explainer)));
    }
    let [channels, height, width] = resolved.description().input;
    let runner = Runner::new(
        resolved,
        [workers.batch, channels, height, width],
        &workers.compute,
    )?;
    let classifier = match runner {
        Runner::Compiled(plan) => Classifier::from_plan(*plan, preprocessing, labels)?,
        Runner::Eager { network, device } => Classifier::from_forward(
            move |images| network.forward(images),
            device,
            channels,
            preprocessing,
            labels,
        ),
    };
    Ok((classifier, None))
}

/// Reads the labels from `file`, or else returns those of the weights.
///
/// # Errors
///
/// [`CliError`] when the file cannot be read, or has not one label for each class.
pub fn class_labels(
    file: Option<&Path>,
    description: &Description,
) -> Result<Vec<String>, CliError> {
    let Some(path) = file else {
        return Ok(description.labels.clone());
    };
    label_file::open(path, description.classes)
}
