//! A network whose last layer is replaced by a logistic regression on its embeddings.

use std::path::Path;

use burn::tensor::TensorData;
use receptive_layers::logistic::LogisticRegression;
use receptive_layers::metadata::Metadata;
use receptive_layers::weights::{FloatType, Format};

use crate::error::CliError;
use crate::weights::ModelWeights;

/// The weights of a network, and its last layer.
pub struct Head<'a> {
    /// The weights.
    pub weights: ModelWeights<'a>,
    /// Name of the last layer.
    layer: &'static str,
    /// Shape of the last layer's weight, whose first axis are the classes.
    shape: Vec<usize>,
}

impl<'a> Head<'a> {
    /// Finds the last layer of the network.
    ///
    /// # Errors
    ///
    /// [`CliError::NoHead`] when the last layer is not fully connected.
    pub fn new(weights: ModelWeights<'a>) -> Result<Self, CliError> {
        let model = weights.model;
        let layer = model.head().ok_or(CliError::NoHead { model: model.name })?;
        let tensor = weights.tensors.get(&format!("{layer}.weight"));
        let shape = tensor.map(|tensor| tensor.shape().to_vec());
        Ok(Self {
            shape: shape.unwrap_or_default(),
            weights,
            layer,
        })
    }

    /// Returns the number of elements of an embedding.
    pub fn features(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Writes the weights with the last layer `regression` for classes called `names`.
    ///
    /// # Errors
    ///
    /// [`CliError::Weights`] when the file cannot be written; an existing file is then unchanged.
    pub fn write(
        mut self,
        regression: &LogisticRegression,
        names: &[String],
        path: &Path,
        format: Format,
    ) -> Result<(), CliError> {
        let tensors = &mut self.weights.tensors;
        self.shape[0] = names.len();
        let weight = TensorData::new(regression.weights().to_vec(), self.shape);
        let bias = TensorData::new(regression.biases().to_vec(), [names.len()]);
        tensors.insert(format!("{}.weight", self.layer), weight);
        tensors.insert(format!("{}.bias", self.layer), bias);
        // Auxiliary heads have the old classes, and only training uses them.
        let tensor_names: Vec<String> = tensors.iter().map(|(name, _)| name.to_owned()).collect();
        for name in tensor_names {
            if self.weights.model.is_auxiliary(&name) {
                tensors.remove(&name);
            }
        }
        let metadata = Metadata {
            labels: Some(names.to_vec()),
            recipe_sha256: None,
            ..self.weights.description.metadata()
        };
        let tensors = self.weights.tensors.with_metadata(metadata);
        tensors.save(path, format, FloatType::F32)?;
        Ok(())
    }
}
