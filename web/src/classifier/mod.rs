//! Classification of photos with MobileNetV2.

use receptive_layers::classifier::{self, Prediction};
use receptive_layers::compile::{Compiled, Options, Outputs};
use receptive_layers::graph::LOGITS;
use receptive_layers::image;
use receptive_layers::labels::LabelSet;
use receptive_layers::network::Network;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::StateDict;
use receptive_mobilenet::{MobileNetV2, MobileNetV2Config};
use serde::Serialize;
use web_time::Instant;

use crate::error::Error;
use crate::record::record;

/// Number of classes in a [`Classification`].
const TOP: usize = 5;

/// MobileNetV2, compiled so that the feature maps of every stage are outputs beside the logits.
///
/// The classifier holds the outputs for the last photo.
pub struct Classifier {
    classifier: classifier::Classifier,
    stages: Vec<StageInfo>,
    /// Logits and the feature maps of each stage for the last photo.
    outputs: Option<Outputs>,
}

/// Name and feature map shape of a stage of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageInfo {
    /// Name of the stage: `stem`, `bottleneck1`.
    pub name: &'static str,
    /// `[channels, height, width]` of the stage's feature maps.
    pub shape: [usize; 3],
}

/// The classes of a photo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// The five most probable classes, in descending order of probability.
    pub top: Vec<Prediction>,
    /// Inference time in milliseconds, without decoding and preprocessing of the photo.
    pub milliseconds: f64,
}

impl Classifier {
    /// Torchvision's preprocessing, which the weights were trained with.
    const PREPROCESSING: Preprocessing = Preprocessing::IMAGENET;

    /// Returns MobileNetV2 with the weights in `bytes`: torchvision's `IMAGENET1K_V1`, in any
    /// precision.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if the bytes are not weights of MobileNetV2.
    pub fn mobilenet_v2(bytes: &[u8]) -> Result<Self, Error> {
        let dictionary = StateDict::from_bytes(bytes)?;
        let stages = MobileNetV2::STAGES.iter().map(|stage| stage.name);
        let outputs: Vec<&str> = [LOGITS].into_iter().chain(stages.clone()).collect();
        let graph = record(&MobileNetV2Config::mobilenet_v2(), &dictionary, &outputs)?;
        let plan = Compiled::from_graph(graph, &Options::default())?;
        let shapes = plan.outputs().iter().skip(1);
        let stages = stages.zip(shapes);
        let stages = stages.map(|(name, &shape)| StageInfo { name, shape });
        let labels = LabelSet::Imagenet1k.names().into_iter().map(str::to_owned);
        Ok(Self {
            stages: stages.collect(),
            classifier: classifier::Classifier::from_plan(
                plan,
                Self::PREPROCESSING,
                labels.collect(),
            )?,
            outputs: None,
        })
    }

    /// Classifies `photo`, the bytes of a PNG, JPEG, WebP, GIF or BMP file.
    ///
    /// # Errors
    ///
    /// [`Error::Photo`] if the bytes cannot be decoded.
    pub fn classify(&mut self, photo: &[u8]) -> Result<Classification, Error> {
        let input = self.classifier.prepare(&image::decode(photo)?);
        let start = Instant::now();
        let outputs = self.classifier.run(&input)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let classification = self.classifier.classification(&outputs[LOGITS])?;
        self.outputs = Some(outputs);
        Ok(Classification {
            top: classification.top(TOP),
            milliseconds,
        })
    }

    /// Returns the stages in order.
    pub fn stages(&self) -> &[StageInfo] {
        &self.stages
    }

    /// Returns the feature maps of a stage for the last photo, `[channels, height, width]`.
    ///
    /// # Errors
    ///
    /// [`Error::Index`] if the stage does not exist, [`Error::NoPhoto`] before the first photo.
    pub fn stage(&self, index: usize) -> Result<&[f32], Error> {
        let last = self.stages.len() - 1;
        if index > last {
            let item = "stage";
            return Err(Error::Index { item, index, last });
        }
        let outputs = self.outputs.as_ref().ok_or(Error::NoPhoto)?;
        Ok(&outputs[self.stages[index].name])
    }
}

#[cfg(test)]
mod tests;
