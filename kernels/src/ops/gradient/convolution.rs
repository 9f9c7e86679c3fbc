//! Gradients of a convolution fused with an activation.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::tensor::ops::ConvOptions;

use super::training_ops::{TrainingKernels, TrainingOps};
use crate::cpu::Activation;
use crate::ops::definition::convolution::{self, Bias, Layer, Norm};

/// Forward pass: by the kernels if they compute the gradients, otherwise by Burn's operations.
pub(super) fn forward<B: TrainingOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    layer: Layer<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    if !matches!(layer.norm, Norm::Absent) {
        return convolution::forward::<Autodiff<B, C>>(x, layer);
    }
    let inner = Layer::<B> {
        weight: layer.weight.clone().into_primitive(),
        bias: match &layer.bias {
            Bias::Each(bias) => Bias::Each(bias.clone().into_primitive()),
            Bias::Absent => Bias::Absent,
        },
        norm: Norm::Absent,
        options: layer.options.clone(),
        activation: layer.activation,
    };
    let computed = B::kernels(x.primitive())
        .and_then(|kernels| Some((kernels, kernels.convolution(x.primitive(), &inner)?)));
    let Some((kernels, y)) = computed else {
        return convolution::forward::<Autodiff<B, C>>(x, layer);
    };
    // The gradient of the activation is computed from the output.
    let output = || (layer.activation != Activation::Identity).then(|| y.clone());
    let state = |x, weight, y| State {
        kernels,
        x,
        weight,
        y,
        options: layer.options.clone(),
        activation: layer.activation,
    };
    match &layer.bias {
        Bias::Each(bias) => match Biased
            .prepare::<C>([x.node(), layer.weight.node(), bias.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let nodes = [&x, &layer.weight].map(|tensor| prep.checkpoint(tensor));
                prep.finish(state(nodes[0], nodes[1], output()), y)
            }
            OpsKind::UnTracked(prep) => prep.finish(y),
        },
        Bias::Absent => match Unbiased
            .prepare::<C>([x.node(), layer.weight.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let nodes = [&x, &layer.weight].map(|tensor| prep.checkpoint(tensor));
                prep.finish(state(nodes[0], nodes[1], output()), y)
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

/// State of the backward pass.
#[derive(Debug, Clone)]
struct State<K, T> {
    kernels: K,
    /// Checkpoint of the input.
    x: NodeId,
    /// Checkpoint of the weight.
    weight: NodeId,
    /// The output of the forward pass, if the layer has an activation.
    y: Option<T>,
    options: ConvOptions<2>,
    activation: Activation,
}

impl<B: TrainingOps> Backward<B, 3> for Biased {
    type State = State<B::Kernels, FloatTensor<B>>;

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
    type State = State<B::Kernels, FloatTensor<B>>;

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
    state: State<B::Kernels, FloatTensor<B>>,
    parents: [Option<NodeId>; 3],
    gradient: FloatTensor<B>,
    grads: &mut Gradients,
    checkpointer: &mut Checkpointer,
) {
    let [x, weight] = [state.x, state.weight]
        .map(|node| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(node));
    let layer = Layer {
        weight,
        bias: Bias::Absent,
        norm: Norm::Absent,
        options: state.options,
        activation: state.activation,
    };
    let wanted = parents.each_ref().map(Option::is_some);
    let gradients = state
        .kernels
        .convolution_gradients(x, &layer, state.y, gradient, wanted);
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
