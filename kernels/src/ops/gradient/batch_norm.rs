//! Gradients of batch norm over the statistics of the batch, fused with an activation.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;

use super::training_ops::{TrainingKernels, TrainingOps};
use crate::cpu::Activation;
use crate::ops::backend::KernelOps;
use crate::ops::definition::batch_norm;

/// Forward pass: by the kernels if they compute the gradients, otherwise by Burn's operations.
pub(super) fn forward<B: TrainingOps + KernelOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    gamma: FloatTensor<Autodiff<B, C>>,
    beta: FloatTensor<Autodiff<B, C>>,
    epsilon: f64,
    activation: Activation,
) -> [FloatTensor<Autodiff<B, C>>; 3] {
    let has_activation_gradient = matches!(
        activation,
        Activation::Identity | Activation::Relu | Activation::Clamp { .. }
    );
    let kernels = B::kernels(x.primitive()).filter(|_| has_activation_gradient);
    let Some(kernels) = kernels else {
        let (y, mean, variance) =
            batch_norm::forward::<Autodiff<B, C>>(x, gamma, beta, epsilon, activation);
        return [y, mean, variance];
    };
    let (y, mean, variance) = B::batch_norm_activation(
        x.primitive().clone(),
        gamma.primitive().clone(),
        beta.primitive().clone(),
        epsilon,
        activation,
    );
    let statistics =
        [&mean, &variance].map(|values| FloatTensor::<Autodiff<B, C>>::new(values.clone()));
    let y = match BatchNorm
        .prepare::<C>([x.node(), gamma.node(), beta.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = State {
                kernels,
                inputs: [&x, &gamma, &beta].map(|tensor| prep.checkpoint(tensor)),
                mean,
                variance,
                epsilon,
                activation,
            };
            prep.finish(state, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(y),
    };
    let [mean, variance] = statistics;
    [y, mean, variance]
}

#[derive(Debug)]
struct BatchNorm;

/// State of the backward pass.
#[derive(Debug, Clone)]
struct State<K, T> {
    kernels: K,
    /// Checkpoints of the input, the scale and the shift.
    inputs: [NodeId; 3],
    mean: T,
    variance: T,
    epsilon: f64,
    activation: Activation,
}

impl<B: TrainingOps> Backward<B, 3> for BatchNorm {
    type State = State<B::Kernels, FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let State {
            kernels,
            inputs,
            mean,
            variance,
            epsilon,
            activation,
        } = ops.state;
        let [x, gamma, beta] =
            inputs.map(|node| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(node));
        let values = [gamma, beta, mean, variance];
        let gradients = kernels.batch_norm_gradients(x, values, epsilon, activation, gradient);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}
