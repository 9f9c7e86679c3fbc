//! Gradient of max pooling.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;

use super::training_ops::{TrainingKernels, TrainingOps};
use crate::cpu::PoolWindow;
use crate::ops::backend::KernelOps;

/// Forward pass by the kernels, which support `x`.
pub(super) fn forward<B: TrainingOps + KernelOps, C: CheckpointStrategy>(
    kernels: B::Kernels,
    x: FloatTensor<Autodiff<B, C>>,
    window: PoolWindow,
    ceil: bool,
) -> FloatTensor<Autodiff<B, C>> {
    let PoolWindow {
        kernel,
        stride,
        padding,
        dilation,
    } = window;
    let y = B::max_pooling(
        x.primitive().clone(),
        kernel,
        stride,
        padding,
        dilation,
        ceil,
    );
    match MaxPool.prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prep) => {
            let state = State {
                kernels,
                x: prep.checkpoint(&x),
                y: y.clone(),
                window,
            };
            prep.finish(state, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

#[derive(Debug)]
struct MaxPool;

/// State of the backward pass.
#[derive(Debug, Clone)]
struct State<K, T> {
    kernels: K,
    /// Checkpoint of the input.
    x: NodeId,
    /// Output of the forward pass.
    y: T,
    window: PoolWindow,
}

impl<B: TrainingOps> Backward<B, 1> for MaxPool {
    type State = State<B::Kernels, FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let State {
            kernels,
            x,
            y,
            window,
        } = ops.state;
        let x = checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(x);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            let gradient = kernels.max_pool_gradient(x, y, &window, gradient);
            grads.register::<B>(parent.id, gradient);
        }
    }
}
