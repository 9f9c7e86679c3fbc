//! Recording by capture of the operations that Burn does not have: one custom operation each, so that
//! a layer is one node of the graph.

use burn::backend::Capture;
use burn::backend::TensorMetadata;
use burn::backend::ir::{CustomOpIr, OperationIr, OperationOutput, ScalarIr, TensorIr};
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use burn_router::RouterClient;

use super::ids;

/// Records [`ids::LOCAL_RESPONSE_NORM`].
pub(super) fn local_response_norm(
    x: FloatTensor<Capture>,
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
) -> FloatTensor<Capture> {
    let shape = x.shape();
    record(
        ids::LOCAL_RESPONSE_NORM,
        [x],
        shape,
        vec![
            ScalarIr::UInt(size as u64),
            ScalarIr::Float(alpha),
            ScalarIr::Float(beta),
            ScalarIr::Float(k),
        ],
    )
}

/// Records [`ids::RADIAL_BASIS`].
pub(super) fn radial_basis(
    x: FloatTensor<Capture>,
    centers: FloatTensor<Capture>,
) -> FloatTensor<Capture> {
    let shape = Shape::new([x.shape()[0], centers.shape()[0]]);
    record(ids::RADIAL_BASIS, [x, centers], shape, Vec::new())
}

/// Records a custom operation with one output of shape `shape`.
fn record<const N: usize>(
    id: &'static str,
    inputs: [FloatTensor<Capture>; N],
    shape: Shape,
    scalars: Vec<ScalarIr>,
) -> FloatTensor<Capture> {
    let client = inputs[0].client.clone();
    let dtype = inputs[0].dtype();
    let output = TensorIr::uninit(client.create_empty_handle(), shape, dtype);
    let inputs = inputs.map(|input| input.into_ir());
    let operation = CustomOpIr::with_scalars(id, &inputs, &[output], scalars);
    client.register(OperationIr::Custom(operation)).output()
}
