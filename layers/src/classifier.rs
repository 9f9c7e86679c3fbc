//! Classification of photos: preprocessing, inference, softmax and labels.
//!
//! A [`Classifier`] runs on a compiled plan or on any Burn device, classifies one image or many, and
//! is shared between threads by reference.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::compile::{Compiled, Options, Outputs, compile};
use crate::engine::Engine;
use crate::graph::LOGITS;
use crate::image::RgbImage;
use crate::labels;
use crate::network::Network;
use crate::preprocessing::Preprocessing;
use crate::pretrained::Pretrained;
use crate::softmax;

pub use crate::engine::ClassifierError;

/// A network with its preprocessing and labels: photos in, labelled probabilities out.
///
/// All methods take `&self`. Threads that share a classifier run at the same time; with a compiled
/// plan, each of them has its own feature maps, and all share the weights.
pub struct Classifier {
    engine: Engine,
    labels: Arc<[String]>,
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
        let logits = logits_index(plan.output_names());
        let shape = plan.outputs().get(logits);
        let classes = shape.map_or(0, |shape| shape.iter().product());
        let engine = Engine::from_plan(plan, preprocessing)?;
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
            engine,
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
            engine: Engine::from_forward(
                Box::new(forward),
                LOGITS,
                device,
                channels,
                preprocessing,
            ),
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
        self.engine.prepare(photo)
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
        Ok(self.engine.run(images)?.with_first(LOGITS))
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
        self.engine.max_batch()
    }

    /// Returns the preprocessing of photos.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.engine.preprocessing
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
