//! Running a `forward` on the device that writes operations down.

use std::collections::HashMap;

use burn::backend::capture::{CaptureBackend, CaptureError, TensorId};
use burn::backend::tensor::FloatTensor;
use burn::module::Module;
use burn::tensor::kind::Basic;
use burn::tensor::{BackendPrimitive, Device, Tensor};

use super::{Graph, names, parameters, simplify, translate};
use crate::network::TrainingLogits;

impl Graph {
    /// What `forward` does to an input of shape `input` with the weights of `model`, which may be
    /// on any device, with or without autodiff, and is left as it was.
    ///
    /// The graph is the inference graph: norms use their running statistics, dropout is gone.
    /// Its parameters have their values, copied.
    ///
    /// # Errors
    ///
    /// [`GraphError`] where an output was not computed from tensors of `model` and the input.
    ///
    /// # Panics
    ///
    /// Where `forward` itself panics on an input of this shape, or asks a tensor for its
    /// elements, which recording does not compute.
    pub fn record<M: Module, O: Outputs, const D: usize>(
        model: &M,
        input: [usize; D],
        forward: impl FnOnce(&M, Tensor<D>) -> O,
    ) -> Result<Self, GraphError> {
        // Clones of a module share their running statistics, which moving one of them would move
        // for all: `valid` takes copies.
        let model = model.valid();
        Self::trace(|device| model.to_device(device), input, forward)
    }

    /// What `forward` does to an input of shape `input`, for the model that `init` makes on the
    /// device it is given.
    ///
    /// No parameter is drawn, computed or allocated: the graph's parameters have shapes and no
    /// data, unless `init` makes them from data.
    ///
    /// # Errors
    ///
    /// [`GraphError`] where an output was not computed from tensors of the model and the input.
    ///
    /// # Panics
    ///
    /// Where `init` panics, `forward` panics on an input of this shape, or either asks a tensor
    /// for its elements, which recording does not compute.
    pub fn trace<M: Module, O: Outputs, const D: usize>(
        init: impl FnOnce(&Device) -> M,
        input: [usize; D],
        forward: impl FnOnce(&M, Tensor<D>) -> O,
    ) -> Result<Self, GraphError> {
        let elements = input
            .iter()
            .try_fold(1usize, |n, &axis| n.checked_mul(axis));
        if elements.is_none_or(|elements| elements as u64 > LARGEST_INPUT) {
            return Err(GraphError::InputTooLarge {
                shape: input.to_vec(),
            });
        }
        let device = Device::capture();
        let mut boundary = Err(GraphError::NoOutput);
        let captured = device.capture_scope(|scope| {
            let model = init(&device);
            let images = Tensor::<D>::zeros(input, &device);
            let image = recorded(images.clone());

            let mut outputs = OutputList::default();
            forward(&model, images).list(&mut outputs);
            boundary = image
                .ok_or(GraphError::Capture(CaptureError::InvalidDevice))
                .and_then(|input| {
                    Ok(Boundary {
                        input,
                        parameters: parameters::paths(&model),
                        outputs: outputs.ids()?,
                    })
                });
            let outputs = boundary.as_ref().map(|boundary| boundary.outputs.clone());
            scope.complete([], outputs.unwrap_or_default())
        });
        let boundary = boundary?;
        let captured = captured.map_err(GraphError::Capture)?;
        let mut graph = translate::translate(captured, boundary);
        simplify::simplify(&mut graph);
        names::name_nodes(&mut graph);
        Ok(graph)
    }
}

/// Elements of the largest input that is recorded: what follows from it can be counted in 64 bits.
const LARGEST_INPUT: u64 = 1 << 40;

/// The recorded tensors that mean something outside.
pub(super) struct Boundary {
    /// Stands for the input; made on the recording device, so that nothing is allocated for it.
    pub(super) input: TensorId,
    pub(super) parameters: HashMap<TensorId, String>,
    pub(super) outputs: Vec<TensorId>,
}

/// The id of a tensor of the recording device; `None` for any other tensor.
pub(super) fn recorded<const D: usize, K>(tensor: Tensor<D, K>) -> Option<TensorId>
where
    K: Basic + BackendPrimitive<CaptureBackend, Primitive = FloatTensor<CaptureBackend>>,
{
    let tensor = tensor.try_into_primitive::<CaptureBackend>().ok()?;
    Some(tensor.id())
}

/// Why a network could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// `forward` returned no tensor.
    #[error("the network returned no tensor, expected at least one output")]
    NoOutput,
    /// An output is on another device than the model and the input.
    #[error(
        "output {index} was not computed on the device of the network's input, where it is recorded"
    )]
    OutputElsewhere {
        /// Its place among the outputs.
        index: usize,
    },
    /// The input has more than 2^40 elements.
    #[error("the input {shape:?} is too large, expected at most 2^40 elements")]
    InputTooLarge {
        /// What was asked for.
        shape: Vec<usize>,
    },
    /// Burn refused the recording.
    #[error("the network could not be recorded: {0}")]
    Capture(CaptureError),
}

/// What a `forward` may return.
pub trait Outputs {
    /// Pushes every tensor, in order.
    fn list(self, outputs: &mut OutputList);
}

/// The outputs of a recorded `forward`.
#[derive(Debug, Default)]
pub struct OutputList(Vec<Option<TensorId>>);

impl OutputList {
    /// Adds the next output.
    pub fn push<const D: usize>(&mut self, tensor: Tensor<D>) {
        self.0.push(recorded(tensor));
    }

    fn ids(self) -> Result<Vec<TensorId>, GraphError> {
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

/// The logits, then those of the auxiliary heads.
impl Outputs for TrainingLogits {
    fn list(self, outputs: &mut OutputList) {
        self.main.list(outputs);
        for (logits, _) in self.auxiliary {
            logits.list(outputs);
        }
    }
}
