//! Layers with weights, and arithmetic with them.

use receptive_kernels::cpu::{Border, ConvSpec};

use super::{Translation, unsupported};
use crate::compile::error::Problem;
use crate::compile::net::LayerOp;
use crate::compile::weights::{Affine, Kernel, PerChannel, Weights};
use crate::graph::{self, Arithmetic, Node, ValueId};

impl Translation<'_> {
    pub(super) fn convolution(&mut self, node: &Node, conv: &graph::Conv2d) -> Result<(), Problem> {
        self.given_weights(node)?;
        let x = self.natural(node, 0)?;
        let &[channels_out, _, height, width] = self.graph.shape(node.inputs[1]) else {
            return Err(unsupported(node));
        };
        let [[top, bottom], [left, right]] = conv.padding;
        let spec = ConvSpec {
            channels_in: self.net.shape(x)[0],
            channels_out,
            kernel: [height, width],
            stride: conv.stride,
            padding: Border {
                top,
                bottom,
                left,
                right,
            },
            dilation: conv.dilation,
            groups: conv.groups,
        };
        let weights = Weights::new(Kernel::Given(node.inputs[1]), node.inputs.get(2).copied());
        self.layer(node, LayerOp::Conv { spec, weights }, vec![x])
    }

    /// A fully connected layer is a convolution whose kernel is the whole map, which makes
    /// flattening free.
    pub(super) fn linear(&mut self, node: &Node) -> Result<(), Problem> {
        self.given_weights(node)?;
        let x = self.moving(node, 0)?;
        let &[_, features] = self.graph.shape(node.inputs[0]) else {
            return Err(Problem::unsupported(
                format!("linear of {:?}", self.graph.shape(node.inputs[0])),
                "[batch, features]",
            ));
        };
        let [channels_in, height, width] = self.net.shape(x);
        debug_assert_eq!(features, channels_in * height * width);
        let spec = ConvSpec {
            channels_in,
            channels_out: self.graph.shape(node.inputs[1])[1],
            kernel: [height, width],
            stride: [1, 1],
            padding: Border::default(),
            dilation: [1, 1],
            groups: 1,
        };
        let weights = Weights::new(Kernel::Linear(node.inputs[1]), node.inputs.get(2).copied());
        self.layer(node, LayerOp::Conv { spec, weights }, vec![x])
    }

    pub(super) fn binary(&mut self, node: &Node, arithmetic: Arithmetic) -> Result<(), Problem> {
        let &[left, right] = &node.inputs[..] else {
            return Err(unsupported(node));
        };
        if let (Some(&a), Some(&b)) = (self.maps.get(&left), self.maps.get(&right)) {
            let same = self.graph.shape(left) == self.graph.shape(right);
            if !same || self.net.shape(a) != self.net.shape(b) {
                return Err(Problem::unsupported(
                    format!("{} of maps of different shapes", node.op.word()),
                    "maps of one shape",
                ));
            }
            return self.keep(node, LayerOp::Binary(arithmetic), vec![a, b]);
        }
        let moving = usize::from(self.given.contains(&left));
        let given = node.inputs[1 - moving];
        let x = self.moving(node, moving)?;
        let shape = self.graph.shape(given);
        if !self.is_per_channel(node.inputs[moving], shape) {
            return Err(Problem::unsupported(
                format!("{} of maps and weights {shape:?}", node.op.word()),
                "one weight for each channel, or one for all",
            ));
        }
        if self.graph.value(given).len() > 1 {
            self.natural(node, moving)?;
        }
        let affine = match (arithmetic, moving) {
            (Arithmetic::Add, _) => vec![Affine::Shift(PerChannel::Given(given))],
            (Arithmetic::Mul, _) => vec![Affine::Scale(PerChannel::Given(given))],
            (Arithmetic::Sub, 0) => vec![Affine::Shift(PerChannel::Negated(given))],
            (Arithmetic::Sub, _) => vec![
                Affine::Scale(PerChannel::Number(-1.0)),
                Affine::Shift(PerChannel::Given(given)),
            ],
            (Arithmetic::Div, 0) => vec![Affine::Scale(PerChannel::Inverse(given))],
            (Arithmetic::Div, _) => return Err(unsupported(node)),
        };
        self.keep(node, LayerOp::Affine(affine), vec![x])
    }

    /// Whether weights of this shape are one number, or one for each channel, beside `x`.
    fn is_per_channel(&self, x: ValueId, shape: &[usize]) -> bool {
        let rank = self.graph.shape(x).len();
        let Some(front) = rank.checked_sub(shape.len()) else {
            return false;
        };
        let axes = shape.iter().enumerate();
        axes.into_iter()
            .all(|(axis, &length)| length == 1 || front + axis == 1)
    }
}
