//! Gradient of addition fused with ReLU.

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

use super::training_ops::{TrainingKernels, TrainingOps};
use crate::ops::backend::KernelOps;
use crate::ops::definition::add_relu;

/// Forward pass: by the kernels if they compute the gradients, otherwise by Burn's operations.
pub(super) fn forward<B: TrainingOps + KernelOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    y: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let [Some(kernels), Some(_)] = [&x, &y].map(|map| B::kernels(map.primitive())) else {
        return add_relu::forward::<Autodiff<B, C>>(x, y);
    };
    let nodes = [x.node(), y.node()];
    let sum = B::add_relu(x.into_primitive(), y.into_primitive());
    match AddRelu.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((kernels, sum.clone()), sum),
        OpsKind::UnTracked(prep) => prep.finish(sum),
    }
}

#[derive(Debug)]
struct AddRelu;

impl<B: TrainingOps> Backward<B, 2> for AddRelu {
    /// The kernels, and the output of the forward pass.
    type State = (B::Kernels, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (kernels, y) = ops.state;
        let gradient = kernels.relu_gradient(y, gradient);
        for parent in ops.parents.into_iter().flatten() {
            grads.register::<B>(parent.id, gradient.clone());
        }
    }
}
