//! Return types of a recorded `forward`.

use burn::backend::capture::TensorId;
use burn::tensor::Tensor;

use super::capture::captured_id;
use super::error::GraphError;
use crate::network::TrainingLogits;

/// A type that a recorded `forward` may return.
pub trait Outputs {
    /// Pushes every tensor to `outputs`, in order.
    fn list(self, outputs: &mut OutputList);
}

/// The outputs of a recorded `forward`.
#[derive(Debug, Default)]
pub struct OutputList(Vec<Option<TensorId>>);

impl OutputList {
    /// Appends `tensor` to the outputs.
    pub fn push<const D: usize>(&mut self, tensor: Tensor<D>) {
        self.0.push(captured_id(tensor));
    }

    /// Returns the ids of the outputs on the capture device.
    pub(super) fn ids(self) -> Result<Vec<TensorId>, GraphError> {
        if self.0.is_empty() {
            return Err(GraphError::NoOutput);
        }
        self.0
            .into_iter()
            .enumerate()
            .map(|(index, id)| id.ok_or(GraphError::OutputElsewhere { index }))
            .collect()
    }
}

impl<const D: usize> Outputs for Tensor<D> {
    fn list(self, outputs: &mut OutputList) {
        outputs.push(self);
    }
}

impl<O: Outputs> Outputs for Vec<O> {
    fn list(self, outputs: &mut OutputList) {
        for output in self {
            output.list(outputs);
        }
    }
}

impl<A: Outputs, B: Outputs> Outputs for (A, B) {
    fn list(self, outputs: &mut OutputList) {
        self.0.list(outputs);
        self.1.list(outputs);
    }
}

/// The main logits, then the logits of the auxiliary heads.
impl Outputs for TrainingLogits {
    fn list(self, outputs: &mut OutputList) {
        self.main.list(outputs);
        for (logits, _) in self.auxiliary {
            logits.list(outputs);
        }
    }
}
