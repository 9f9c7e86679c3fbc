//! Classification of photos with MobileNetV2.

use receptive_layers::compile::{Compiled, Options};
use receptive_layers::graph::{Graph, ValueId};
use receptive_layers::image;
use receptive_layers::labels::{IMAGENET_1K, top_k};
use receptive_layers::network::Network;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::softmax;
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
    plan: Compiled,
    stages: Vec<StageInfo>,
    /// Logits, then the feature maps of each stage; empty before the first photo.
    outputs: Vec<Vec<f32>>,
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

/// A class and its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Index of the class, counted from 0.
    pub index: usize,
    /// Name of the class.
    pub label: &'static str,
    /// Probability, from 0 to 1.
    pub probability: f32,
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
        let config = MobileNetV2Config::mobilenet_v2();
        let mut stage_modules = Vec::new();
        let mut graph = record(&config, &dictionary, |network, images| {
            let stages = MobileNetV2::STAGES.iter();
            stage_modules = stages.map(|stage| network.stage_modules(stage)).collect();
            Network::forward(network, images)
        })?;
        let maps = stage_modules
            .iter()
            .map(|modules| last_output(&graph, modules));
        let maps: Vec<ValueId> = maps.collect();
        graph.outputs.extend(maps);
        let plan = Compiled::from_graph(graph, &Options::default())?;
        let names = MobileNetV2::STAGES.iter().map(|stage| stage.name);
        let shapes = plan.outputs().iter().skip(1);
        Ok(Self {
            stages: names
                .zip(shapes)
                .map(|(name, &shape)| StageInfo { name, shape })
                .collect(),
            plan,
            outputs: Vec::new(),
        })
    }

    /// Classifies `photo`, the bytes of a PNG, JPEG, WebP, GIF or BMP file.
    ///
    /// # Errors
    ///
    /// [`Error::Photo`] if the bytes cannot be decoded.
    pub fn classify(&mut self, photo: &[u8]) -> Result<Classification, Error> {
        let photo = image::decode(photo)?;
        let input = image::preprocess(&photo, &Self::PREPROCESSING);
        if self.outputs.is_empty() {
            let shapes = self.plan.outputs().iter();
            self.outputs = shapes
                .map(|shape| vec![0.0; shape.iter().product()])
                .collect();
        }
        let mut outputs: Vec<&mut [f32]> = self.outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let start = Instant::now();
        self.plan.run_into(&input, &mut outputs)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let labels: Vec<&str> = IMAGENET_1K.lines().collect();
        let top = top_k(&softmax(&self.outputs[0]), TOP);
        Ok(Classification {
            top: top
                .into_iter()
                .map(|(index, probability)| Prediction {
                    index,
                    label: labels[index],
                    probability,
                })
                .collect(),
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
        self.outputs
            .get(1 + index)
            .map(Vec::as_slice)
            .ok_or(Error::NoPhoto)
    }
}

/// Returns the output of the last node that belongs to one of `modules`.
fn last_output(graph: &Graph, modules: &[String]) -> ValueId {
    let belongs = |name: &str| {
        modules.iter().any(|module| {
            name.strip_prefix(module.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let mut nodes = graph.nodes.iter().rev();
    let last = nodes.find(|node| belongs(&node.name));
    last.expect("every stage has nodes").outputs[0]
}

#[cfg(test)]
mod tests;
