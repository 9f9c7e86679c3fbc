//! Gradient of mean pooling.

use burn::backend::TensorMetadata;
use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::training_ops::{TrainingKernels, TrainingOps};
use crate::ops::backend::KernelOps;

/// Forward pass by the kernels, which support `x`.
pub(super) fn forward<B: TrainingOps + KernelOps, C: CheckpointStrategy>(
    kernels: B::Kernels,
    x: FloatTensor<Autodiff<B, C>>,
    kernel: [usize; 2],
    stride: [usize; 2],
) -> FloatTensor<Autodiff<B, C>> {
    let node = x.node();
    let shape = x.primitive().shape();
    let y = B::mean_pooling(x.into_primitive(), kernel, stride);
    match MeanPool.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((kernels, shape, kernel, stride), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

#[derive(Debug)]
struct MeanPool;

impl<B: TrainingOps> Backward<B, 1> for MeanPool {
    /// The kernels, the shape of the input, and the kernel and stride of the windows.
    type State = (B::Kernels, Shape, [usize; 2], [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (kernels, shape, kernel, stride) = ops.state;
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            let gradient = kernels.mean_pool_gradient(shape, gradient, kernel, stride);
            grads.register::<B>(parent.id, gradient);
        }
    }
}
