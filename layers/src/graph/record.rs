//! Recording a `forward` on Burn's capture device.

use std::collections::{BTreeMap, BTreeSet};

use burn::backend::capture::{CaptureError, TensorId};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::capture::{Boundary, RecordingDevice, captured_id};
use super::error::GraphError;
use super::outputs::{OutputList, Outputs};
use super::panic::catch_panic;
use super::structure::Graph;
use super::{activations, names, parameters, simplify, translate};

impl Graph {
    /// Records `forward` for an input of shape `input`, with the weights of `model`.
    ///
    /// `model` may be on any device, with or without autodiff, and is not changed. The graph is the
    /// inference graph: norms use their running statistics, and dropout is absent. The values of
    /// the parameters are copied into the graph.
    ///
    /// `forward` runs a second time, on a batch of one more image, to find out whether the graph
    /// describes [batches of every size](Self::any_batch).
    ///
    /// # Errors
    ///
    /// [`GraphError`] if the input is empty or too large, if `forward` panics on an input of this
    /// shape or reads the elements of a tensor, which recording does not compute, or if an output
    /// was not computed from tensors of `model` and the input. With `panic = "abort"`, a panic of
    /// `forward` ends the process.
    pub fn record<M: Module, O: Outputs, const D: usize>(
        model: &M,
        input: [usize; D],
        forward: impl FnMut(&M, Tensor<D>) -> O,
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
    /// The errors of [`record`](Self::record).
    ///
    /// # Panics
    ///
    /// If `init` panics, or reads the elements of a tensor, which recording does not compute.
    pub fn trace<M: Module, O: Outputs, const D: usize>(
        init: impl FnOnce(&Device) -> M,
        input: [usize; D],
        mut forward: impl FnMut(&M, Tensor<D>) -> O,
    ) -> Result<Self, GraphError> {
        check_input(&input)?;
        let device = RecordingDevice::new();
        let mut boundary = Err(GraphError::NoOutput);
        let captured = device.capture_scope(|scope| {
            let model = init(&device);
            let recorded = run(&model, input, &mut forward, &device);
            // A batch of one more image shows whether the graph is the same for every batch size.
            let mut larger = input;
            let larger = match (&recorded, larger.first_mut()) {
                (Ok(_), Some(images)) if D > 1 => {
                    *images += 1;
                    run(&model, larger, &mut forward, &device).ok()
                }
                _ => None,
            };
            let outputs = recorded.iter().chain(&larger).flat_map(|run| &run.outputs);
            // The capture device accepts every output once.
            let outputs: BTreeSet<TensorId> = outputs.copied().collect();
            boundary = recorded.map(|run| (run, larger, parameters::paths(&model)));
            scope.complete([], outputs)
        });
        let (run, larger, parameters) = boundary?;
        let captured = captured.map_err(GraphError::Capture)?;
        let operations = &captured.graph.operations;
        let simplified = |run: Run, data: BTreeMap<TensorId, TensorData>| {
            let boundary = Boundary {
                input: run.input,
                parameters: &parameters,
                outputs: run.outputs,
            };
            let mut graph = translate::translate(operations, data, boundary);
            simplify::simplify(&mut graph);
            activations::merge(&mut graph);
            graph
        };
        let larger = larger.map(|run| simplified(run, BTreeMap::new()));
        let mut graph = simplified(run, captured.values);
        graph.any_batch = larger.is_some_and(|larger| graph.is_same_per_image(&larger));
        names::name_nodes(&mut graph);
        Ok(graph)
    }
}

/// The input and the outputs of one run of a `forward` on the capture device.
struct Run {
    input: TensorId,
    outputs: Vec<TensorId>,
}

/// Runs `forward` on zeros of shape `input`, which stand for the network's input and allocate
/// nothing.
fn run<M, O: Outputs, const D: usize>(
    model: &M,
    input: [usize; D],
    mut forward: impl FnMut(&M, Tensor<D>) -> O,
    device: &Device,
) -> Result<Run, GraphError> {
    let failed = |message| GraphError::Forward {
        shape: input.to_vec(),
        message,
    };
    let run = catch_panic(|| {
        let images = Tensor::<D>::zeros(input, device);
        let id = captured_id(images.clone());
        let mut outputs = OutputList::default();
        forward(model, images).list(&mut outputs);
        (id, outputs)
    });
    let (id, outputs) = run.map_err(failed)?;
    Ok(Run {
        input: id.ok_or(GraphError::Capture(CaptureError::InvalidDevice))?,
        outputs: outputs.ids()?,
    })
}

/// Checks that an input of shape `input` has elements, and not too many.
fn check_input(input: &[usize]) -> Result<(), GraphError> {
    let shape = || input.to_vec();
    if input.contains(&0) {
        return Err(GraphError::EmptyInput { shape: shape() });
    }
    let elements = input
        .iter()
        .try_fold(1usize, |n, &axis| n.checked_mul(axis));
    match elements {
        Some(elements) if elements as u64 <= MAX_INPUT_ELEMENTS => Ok(()),
        _ => Err(GraphError::InputTooLarge { shape: shape() }),
    }
}

/// Elements of the largest input that can be recorded. Costs of such inputs fit in 64 bits.
const MAX_INPUT_ELEMENTS: u64 = 1 << 40;
