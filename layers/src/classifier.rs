//! Classification of photos: preprocessing, inference, softmax and labels.
//!
//! A [`Classifier`] runs on a compiled plan or on any Burn device, classifies one image or many, and
//! is shared between threads by reference.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use crate::compile::{CompileError, Compiled, Options, Outputs, RunError, compile};
use crate::graph::LOGITS;
use crate::image::{self, RgbImage};
use crate::labels;
use crate::network::Network;
use crate::preprocessing::Preprocessing;
use crate::pretrained::Pretrained;
use crate::softmax;

/// Images in a batch on a Burn device.
const DEVICE_BATCH: usize = 32;

/// A network with its preprocessing and labels: photos in, labelled probabilities out.
///
/// All methods take `&self`. Threads that share a classifier run at the same time; with a compiled
/// plan, each of them has its own feature maps, and all share the weights.
pub struct Classifier {
    engine: Engine,
    preprocessing: Preprocessing,
    /// `[channels, height, width]` of an input image.
    input: [usize; 3],
    labels: Arc<[String]>,
}

/// The inference engine of a [`Classifier`].
enum Engine {
    Compiled(Box<PlanPool>),
    Device { forward: Forward, device: Device },
}

/// Maps images `[batch, channels, height, width]` to logits `[batch, classes]`.
type Forward = Box<dyn Fn(Tensor<4>) -> Tensor<2> + Send + Sync>;

/// Why a photo cannot be classified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifierError {
    /// The network cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The plan computes images of another size than the preprocessing prepares.
    #[error("the plan's input is {found:?}, expected [1 or 3, {crop}, {crop}]")]
    Input {
        /// `[channels, height, width]` of the plan's input.
        found: [usize; 3],
        /// Height and width that the preprocessing prepares.
        crop: usize,
    },
    /// The plan has no output, or its class scores are empty.
    #[error("the plan computes no class scores, expected one for each class")]
    NoScores,
    /// The number of labels differs from the number of classes.
    #[error("there are {found} labels, expected {classes}, one for each class")]
    Labels {
        /// Number of labels.
        found: usize,
        /// Number of classes.
        classes: usize,
    },
    /// The plan cannot run on the images.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The Burn device failed.
    #[error("the device failed: {0}")]
    Device(String),
    /// A probability is infinite or not a number.
    #[error(
        "the network computed infinite values or NaN; the weights are damaged, or the input is out of range"
    )]
    NotFinite,
}

impl Classifier {
    /// Compiles a pretrained network for this machine's CPU. [`Options::batch`] is the largest number
    /// of images that run at once, 1 by default.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Compile`] if the network cannot be compiled with `options`.
    pub fn compile<N: Network>(
        pretrained: &Pretrained<N>,
        options: &Options,
    ) -> Result<Self, ClassifierError> {
        let [channels, height, width] = pretrained.input;
        let input = [options.batch.unwrap_or(1), channels, height, width];
        let plan = compile(&pretrained.network, input, options)?;
        Self::from_plan(plan, pretrained.preprocessing, pretrained.labels.clone())
    }

    /// Runs a pretrained network on `device`, which holds its weights.
    pub fn on_device<N: Network + 'static>(pretrained: Pretrained<N>, device: Device) -> Self {
        let network = pretrained.network;
        Self::from_forward(
            move |images| network.forward(images),
            device,
            pretrained.input[0],
            pretrained.preprocessing,
            pretrained.labels,
        )
    }

    /// Runs `plan`, whose output called `logits`, or else first output, are the class scores.
    /// `labels` has a name for each class, or is empty.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Input`] if the plan's input is not one or three channels of the size that
    /// `preprocessing` prepares, [`ClassifierError::NoScores`] if the plan computes no class scores,
    /// [`ClassifierError::Labels`] if the number of labels is wrong.
    pub fn from_plan(
        plan: Compiled,
        preprocessing: Preprocessing,
        labels: Vec<String>,
    ) -> Result<Self, ClassifierError> {
        let (input, crop) = (plan.input(), preprocessing.crop);
        if !matches!(input, [1 | 3, height, width] if (height, width) == (crop, crop)) {
            return Err(ClassifierError::Input { found: input, crop });
        }
        let logits = logits_index(plan.output_names());
        let shape = plan.outputs().get(logits);
        let classes = shape.map_or(0, |shape| shape.iter().product());
        if classes == 0 {
            return Err(ClassifierError::NoScores);
        }
        if !labels.is_empty() && labels.len() != classes {
            return Err(ClassifierError::Labels {
                found: labels.len(),
                classes,
            });
        }
        Ok(Self {
            engine: Engine::Compiled(Box::new(PlanPool::new(plan))),
            preprocessing,
            input,
            labels: labels.into(),
        })
    }

    /// Runs `forward` on `device`: any function from images `[batch, channels, height, width]` to
    /// class scores `[batch, classes]`. `labels` has a name for each class, or is empty.
    pub fn from_forward(
        forward: impl Fn(Tensor<4>) -> Tensor<2> + Send + Sync + 'static,
        device: Device,
        channels: usize,
        preprocessing: Preprocessing,
        labels: Vec<String>,
    ) -> Self {
        Self {
            engine: Engine::Device {
                forward: Box::new(forward),
                device,
            },
            preprocessing,
            input: [channels, preprocessing.crop, preprocessing.crop],
            labels: labels.into(),
        }
    }

    /// Classifies a photo.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Device`] if the device fails, [`ClassifierError::NotFinite`] if a
    /// probability is not finite.
    pub fn classify(&self, photo: &RgbImage) -> Result<Classification, ClassifierError> {
        let outputs = self.run(&self.prepare(photo))?;
        self.classification(&outputs.into_first())
    }

    /// Classifies photos, in batches.
    ///
    /// # Errors
    ///
    /// As [`classify`](Self::classify).
    pub fn classify_all(
        &self,
        photos: &[RgbImage],
    ) -> Result<Vec<Classification>, ClassifierError> {
        let mut results = Vec::with_capacity(photos.len());
        for batch in photos.chunks(self.max_batch()) {
            let images: Vec<f32> = (batch.iter())
                .flat_map(|photo| self.prepare(photo))
                .collect();
            let logits = self.run(&images)?.into_first();
            for logits in logits.chunks((logits.len() / batch.len()).max(1)) {
                results.push(self.classification(logits)?);
            }
        }
        Ok(results)
    }

    /// Converts a photo to the network's input, `[channels, height, width]`.
    pub fn prepare(&self, photo: &RgbImage) -> Vec<f32> {
        image::preprocess_channels(photo, &self.preprocessing, self.input[0])
    }

    /// Runs the network on prepared images, `[images, channels, height, width]`, at most
    /// [`max_batch`](Self::max_batch) images. The first output is the class scores; the others are
    /// the plan's further outputs.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Run`] if `images` is not a whole number of images or too many,
    /// [`ClassifierError::Device`] if the device fails.
    pub fn run(&self, images: &[f32]) -> Result<Outputs, ClassifierError> {
        match &self.engine {
            Engine::Compiled(plans) => {
                let mut plan = plans.take();
                let outputs = plan.run(images);
                plans.give_back(plan);
                Ok(outputs?.with_first(LOGITS))
            }
            Engine::Device { forward, device } => {
                let [channels, height, width] = self.input;
                let image = channels * height * width;
                let count = images.len() / image;
                if count * image != images.len() {
                    return Err(ClassifierError::Device(format!(
                        "{} values are not a whole number of images of {image} values",
                        images.len()
                    )));
                }
                let data = TensorData::new(images.to_vec(), [count, channels, height, width]);
                let logits = forward(Tensor::from_data(data, device))
                    .try_into_vec_as::<f32>()
                    .map_err(|error| ClassifierError::Device(error.to_string()))?;
                Ok(Outputs::single(LOGITS, logits))
            }
        }
    }

    /// Converts the class scores of one image to labelled probabilities.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::NotFinite`] if a probability is not finite.
    pub fn classification(&self, logits: &[f32]) -> Result<Classification, ClassifierError> {
        let probabilities = softmax(logits);
        if probabilities.iter().any(|p| !p.is_finite()) {
            return Err(ClassifierError::NotFinite);
        }
        Ok(Classification {
            probabilities,
            labels: self.labels.clone(),
        })
    }

    /// Returns the largest number of images that [`run`](Self::run) takes: the batch of the plan, or
    /// 32 on a Burn device.
    pub fn max_batch(&self) -> usize {
        match &self.engine {
            Engine::Compiled(plans) => plans.template.batch(),
            Engine::Device { .. } => DEVICE_BATCH,
        }
    }

    /// Returns the preprocessing of photos.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Returns the name of each class; empty if the names are unknown.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }
}

/// Returns the index of the output called `logits`, or 0.
fn logits_index(names: &[String]) -> usize {
    let found = names.iter().position(|name| name == LOGITS);
    found.unwrap_or(0)
}

/// Clones of a plan, one for each thread that runs it at the same time.
struct PlanPool {
    /// The plan that new clones are made from.
    template: Compiled,
    idle: Mutex<Vec<Compiled>>,
}

impl PlanPool {
    fn new(template: Compiled) -> Self {
        Self {
            template,
            idle: Mutex::default(),
        }
    }

    /// Returns an idle clone, or a new one.
    fn take(&self) -> Compiled {
        let idle = self.idle().pop();
        idle.unwrap_or_else(|| self.template.clone())
    }

    /// Makes `plan` available to the next call of [`take`](Self::take).
    fn give_back(&self, plan: Compiled) {
        self.idle().push(plan);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Compiled>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The probability of every class of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    probabilities: Vec<f32>,
    labels: Arc<[String]>,
}

/// A class and its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Index of the class, from 0.
    pub index: usize,
    /// Name of the class, or `class` and its index if the name is unknown.
    pub label: String,
    /// Probability, from 0 to 1.
    pub probability: f32,
}

impl Classification {
    /// Returns the probability of each class, in class order.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Returns the `count` most probable classes, most probable first.
    pub fn top(&self, count: usize) -> Vec<Prediction> {
        labels::top_k(&self.probabilities, count)
            .into_iter()
            .map(|(index, probability)| Prediction {
                index,
                label: match self.labels.get(index) {
                    Some(label) => label.clone(),
                    None => format!("class {index}"),
                },
                probability,
            })
            .collect()
    }
}
