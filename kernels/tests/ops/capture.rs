//! Tests of the operations that capture records.

use burn::backend::capture::{CaptureBackend, CapturedGraph, TensorId};
use burn::backend::ir::{CustomOpIr, ModuleOperationIr, OperationIr, ScalarIr};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use receptive_kernels::ops;

use crate::devices;

fn id<const D: usize>(tensor: &Tensor<D>) -> TensorId {
    tensor
        .clone()
        .try_into_primitive::<CaptureBackend>()
        .unwrap()
        .id()
}

/// Captures the graph of `forward` on an input of shape `shape`.
fn capture<const I: usize, const O: usize>(
    shape: [usize; I],
    forward: impl FnOnce(Tensor<I>, &Device) -> Tensor<O>,
) -> CapturedGraph {
    let device = Device::capture();
    let x = Tensor::<I>::ones(shape, &devices()[0]);
    device
        .capture_scope(|scope| {
            let x = x.to_device(&device);
            let y = forward(x.clone(), &device);
            scope.complete([id(&x)], [id(&y)])
        })
        .unwrap()
}

/// The recorded operations, without the initialization of tensors.
fn recorded(captured: &CapturedGraph) -> Vec<&OperationIr> {
    captured
        .graph
        .operations
        .iter()
        .filter(|operation| !matches!(operation, OperationIr::Init(_)))
        .collect()
}

/// The only recorded operation, which must be a custom operation.
fn single_custom_operation(captured: &CapturedGraph) -> &CustomOpIr {
    match recorded(captured).as_slice() {
        [OperationIr::Custom(operation)] => operation,
        others => panic!("expected one custom operation, found {others:?}"),
    }
}

#[test]
fn local_response_norm_is_recorded_as_one_operation() {
    let captured = capture([2, 96, 27, 27], |x, _| {
        ops::local_response_norm(x, 5, 1e-4, 0.75, 2.0)
    });
    let operation = single_custom_operation(&captured);
    assert_eq!(operation.id, ops::ids::LOCAL_RESPONSE_NORM);
    assert_eq!(
        operation.scalars,
        [
            ScalarIr::UInt(5),
            ScalarIr::Float(1e-4),
            ScalarIr::Float(0.75),
            ScalarIr::Float(2.0)
        ]
    );
    let ([input], [output]) = operation.as_fixed();
    assert_eq!(captured.graph.inputs, [input.id]);
    assert_eq!(captured.graph.outputs, [output.id]);
    assert_eq!(output.shape.dims(), [2, 96, 27, 27]);
    assert_eq!(output.dtype, input.dtype);
}

#[test]
fn radial_basis_is_recorded_as_one_operation() {
    let captured = capture([3, 84], |x, _| {
        let centers = Tensor::<2>::ones([10, 84], &devices()[0]);
        ops::radial_basis(x.clone(), centers.to_device(&x.device()))
    });
    let operation = single_custom_operation(&captured);
    assert_eq!(operation.id, ops::ids::RADIAL_BASIS);
    assert_eq!(operation.scalars, []);
    let ([x, centers], [output]) = operation.as_fixed();
    assert_eq!(captured.graph.inputs, [x.id]);
    assert!(captured.values.contains_key(&centers.id));
    assert_eq!(output.shape.dims(), [3, 10]);
}

#[test]
fn convolution_is_recorded_as_burns_operation() {
    let captured = capture([1, 4, 8, 8], |x, device| {
        let weight = Tensor::<4>::ones([6, 2, 3, 3], &devices()[0]).to_device(device);
        let bias = Tensor::<1>::ones([6], &devices()[0]).to_device(device);
        let options = ConvOptions::new([2, 1], [1, 0], [1, 2], 2);
        ops::conv2d(x, weight, Some(bias), options)
    });
    let operations = recorded(&captured);
    let [OperationIr::Module(ModuleOperationIr::Conv2d(conv))] = operations.as_slice() else {
        panic!("expected one convolution, found {operations:?}");
    };
    assert!(conv.bias.is_some());
    assert_eq!(conv.options.groups, 2);
    assert_eq!(conv.out.shape.dims(), [1, 6, 4, 4]);
}
