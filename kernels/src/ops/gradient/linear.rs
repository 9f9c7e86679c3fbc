//! Gradients of a fully connected layer.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;

use super::training_ops::{TrainingKernels, TrainingOps};
use crate::ops::definition::convolution::Bias;
use crate::ops::definition::linear;

/// Forward pass: by the kernels if they compute the gradients, otherwise by Burn's operations.
pub(super) fn forward<B: TrainingOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: Bias<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let inner = match &bias {
        Bias::Each(bias) => Some(bias.primitive()),
        Bias::Absent => None,
    };
    let computed = B::kernels(x.primitive()).and_then(|kernels| {
        let y = kernels.linear(x.primitive(), weight.primitive(), inner)?;
        Some((kernels, y))
    });
    let Some((kernels, y)) = computed else {
        return linear::forward::<Autodiff<B, C>>(x, weight, bias);
    };
    match &bias {
        Bias::Each(bias) => match Biased
            .prepare::<C>([x.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let state = [&x, &weight].map(|tensor| prep.checkpoint(tensor));
                prep.finish((kernels, state), y)
            }
            OpsKind::UnTracked(prep) => prep.finish(y),
        },
        Bias::Absent => match Unbiased
            .prepare::<C>([x.node(), weight.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let state = [&x, &weight].map(|tensor| prep.checkpoint(tensor));
                prep.finish((kernels, state), y)
            }
            OpsKind::UnTracked(prep) => prep.finish(y),
        },
    }
}

/// Backward pass with a bias.
#[derive(Debug)]
struct Biased;

/// Backward pass without a bias.
#[derive(Debug)]
struct Unbiased;

impl<B: TrainingOps> Backward<B, 3> for Biased {
    /// The kernels, and checkpoints of the input and the weight.
    type State = (B::Kernels, [NodeId; 2]);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        backward::<B>(ops.state, parents, gradient, grads, checkpointer);
    }
}

impl<B: TrainingOps> Backward<B, 2> for Unbiased {
    /// The kernels, and checkpoints of the input and the weight.
    type State = (B::Kernels, [NodeId; 2]);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let [x, weight] = ops.parents.map(|node| node.map(|node| node.id));
        backward::<B>(ops.state, [x, weight, None], gradient, grads, checkpointer);
    }
}

/// Registers the gradients of the parents `[x, weight, bias]` that are tracked.
fn backward<B: TrainingOps>(
    (kernels, inputs): (B::Kernels, [NodeId; 2]),
    parents: [Option<NodeId>; 3],
    gradient: FloatTensor<B>,
    grads: &mut Gradients,
    checkpointer: &mut Checkpointer,
) {
    let [x, weight] =
        inputs.map(|node| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(node));
    let wanted = parents.each_ref().map(Option::is_some);
    let gradients = kernels.linear_gradients(x, weight, gradient, wanted);
    for (parent, gradient) in
        parents
            .into_iter()
            .zip([gradients.x, gradients.weight, gradients.bias])
    {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<B>(parent, gradient);
        }
    }
}
