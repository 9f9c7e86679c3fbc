//! A network with its weights, the preparation of its images and the names of its classes.

use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::image::{self, RgbImage};
use receptive_layers::labels;
use receptive_layers::preprocessing::Preprocessing;

use crate::args::{ClassifyArgs, Engine};
use crate::device;
use crate::error::CliError;
use crate::pretrained;
use crate::registry::{self, AnyNetwork};

/// Turns photos into probabilities.
pub struct Classifier {
    /// The network's name.
    pub model: &'static str,
    network: Box<dyn AnyNetwork>,
    device: Device,
    preprocessing: Preprocessing,
    channels: usize,
    labels: Vec<String>,
    engine: Engine,
}

impl Classifier {
    /// The network that the command line asks for, ready to run.
    pub fn open(args: &ClassifyArgs) -> Result<Self, CliError> {
        let model = registry::model(&args.model)?;
        let device = device::open(args.compute.device)?;
        let pretrained = pretrained::find(&model, args.weights.as_deref())?;
        let network = model.load(&pretrained.weights, &pretrained.origin, &device)?;
        let classes = model.classes_of(&pretrained.weights);

        let labels = match &args.labels {
            None if classes == model.classes => model.labels(),
            None => Vec::new(),
            Some(path) => {
                let labels = labels::open(path)?;
                if labels.len() != classes {
                    return Err(CliError::LabelCount {
                        path: path.clone(),
                        found: labels.len(),
                        classes,
                    });
                }
                labels
            }
        };
        Ok(Self {
            model: model.name,
            network,
            device,
            preprocessing: pretrained.preprocessing,
            channels: model.input.channels,
            labels,
            engine: args.compute.engine,
        })
    }

    /// The probability of every class.
    pub fn probabilities(&self, photo: &RgbImage) -> Result<Vec<f32>, CliError> {
        let values = if self.channels == 1 {
            image::preprocess_grey(photo, &self.preprocessing)
        } else {
            image::preprocess(photo, &self.preprocessing)
        };
        let crop = self.preprocessing.crop;
        let data = TensorData::new(values, [1, self.channels, crop, crop]);
        let images = Tensor::from_data(data, &self.device);
        let logits = match self.engine {
            Engine::Eager => self.network.forward(images),
        };
        let probabilities = labels::softmax(&read_logits(logits)?);
        if probabilities.iter().any(|p| !p.is_finite()) {
            return Err(CliError::NotFinite);
        }
        Ok(probabilities)
    }

    /// The name of a class, or its number where it has none.
    pub fn label(&self, class: usize) -> String {
        self.labels
            .get(class)
            .cloned()
            .unwrap_or_else(|| format!("class {class}"))
    }
}

/// The values of `[batch, classes]`, row by row.
pub fn read_logits(logits: Tensor<2>) -> Result<Vec<f32>, CliError> {
    logits
        .try_into_data()
        .map_err(|error| CliError::Compute(error.to_string()))?
        .convert::<f32>()
        .try_to_vec()
        .map_err(|error| CliError::Compute(error.to_string()))
}
