//! Gradient of local response normalization.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;

use super::training_ops::{TrainingKernels, TrainingOps};
use crate::ops::backend::KernelOps;
use crate::ops::definition::local_response_norm;

/// Forward pass. The backward pass has a closed form on every backend, which the kernels compute if
/// they support the tensor.
pub(super) fn forward<B: TrainingOps + KernelOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
) -> FloatTensor<Autodiff<B, C>> {
    match LocalResponseNorm
        .prepare::<C>([x.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = State {
                kernels: B::kernels(x.primitive()),
                x: prep.checkpoint(&x),
                size,
                alpha,
                beta,
                k,
            };
            let output = B::local_response_norm(x.into_primitive(), size, alpha, beta, k);
            prep.finish(state, output)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::local_response_norm(
            x.into_primitive(),
            size,
            alpha,
            beta,
            k,
        )),
    }
}

#[derive(Debug)]
struct LocalResponseNorm;

/// State of the backward pass.
#[derive(Debug, Clone)]
struct State<K> {
    kernels: Option<K>,
    /// Checkpoint of the input.
    x: NodeId,
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
}

impl<B: TrainingOps> Backward<B, 1> for LocalResponseNorm {
    type State = State<B::Kernels>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let State {
            kernels,
            x,
            size,
            alpha,
            beta,
            k,
        } = ops.state;
        let [parent] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let x = checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(x);
        if let Some(parent) = parent {
            let factors = [alpha, beta, k];
            let by_kernels =
                kernels.and_then(|kernels| kernels.lrn_gradient(&x, &gradient, size, factors));
            let gradient = by_kernels.unwrap_or_else(|| {
                local_response_norm::backward::<B>(x, gradient, size, alpha, beta, k)
            });
            grads.register::<B>(parent.id, gradient);
        }
    }
}
