//! Recording a `forward` on Burn's capture device.

use burn::backend::capture::CaptureError;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::capture::{Boundary, captured_id};
use super::error::GraphError;
use super::outputs::{OutputList, Outputs};
use super::structure::Graph;
use super::{names, parameters, simplify, translate};

impl Graph {
    /// Records `forward` for an input of shape `input`, with the weights of `model`.
    ///
    /// `model` may be on any device, with or without autodiff, and is not changed. The graph is the
    /// inference graph: norms use their running statistics, and dropout is absent. The values of
    /// the parameters are copied into the graph.
    ///
    /// # Errors
    ///
    /// [`GraphError`] if an output was not computed from tensors of `model` and the input.
    ///
    /// # Panics
    ///
    /// If `forward` panics on an input of this shape, or reads the elements of a tensor, which
    /// recording does not compute.
    pub fn record<M: Module, O: Outputs, const D: usize>(
        model: &M,
        input: [usize; D],
        forward: impl FnOnce(&M, Tensor<D>) -> O,
    ) -> Result<Self, GraphError> {
        // Clones of a module share their running statistics, so moving a clone to another device
        // would move the statistics of the original. `valid` copies the statistics.
        let model = model.valid();
        Self::trace(|device| model.to_device(device), input, forward)
    }

    /// Records `forward` for an input of shape `input`, for the model that `init` creates on the
    /// given device.
    ///
    /// No parameter is initialized, computed or allocated: the graph's parameters have shapes and
    /// no data, unless `init` creates them from data.
    ///
    /// # Errors
    ///
    /// [`GraphError`] if an output was not computed from tensors of the model and the input.
    ///
    /// # Panics
    ///
    /// If `init` panics, if `forward` panics on an input of this shape, or if either reads the
    /// elements of a tensor, which recording does not compute.
    pub fn trace<M: Module, O: Outputs, const D: usize>(
        init: impl FnOnce(&Device) -> M,
        input: [usize; D],
        forward: impl FnOnce(&M, Tensor<D>) -> O,
    ) -> Result<Self, GraphError> {
        let elements = input
            .iter()
            .try_fold(1usize, |n, &axis| n.checked_mul(axis));
        if elements.is_none_or(|elements| elements as u64 > MAX_INPUT_ELEMENTS) {
            return Err(GraphError::InputTooLarge {
                shape: input.to_vec(),
            });
        }
        let device = Device::capture();
        let mut boundary = Err(GraphError::NoOutput);
        let captured = device.capture_scope(|scope| {
            let model = init(&device);
            let images = Tensor::<D>::zeros(input, &device);
            let input_id = captured_id(images.clone());

            let mut outputs = OutputList::default();
            forward(&model, images).list(&mut outputs);
            boundary = input_id
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

/// Elements of the largest input that can be recorded. Costs of such inputs fit in 64 bits.
const MAX_INPUT_ELEMENTS: u64 = 1 << 40;
