//! Translation of layers with weights, and of arithmetic between maps and weights.

use receptive_kernels::cpu::{Border, ConvSpec};

use super::translation::{Translation, dims, unsupported};
use crate::compile::error::Problem;
use crate::compile::net::LayerOp;
use crate::compile::weights::{Affine, PerChannel, WeightSource, Weights};
use crate::graph::{self, Arithmetic, Node, ValueId};

impl Translation<'_> {
    /// Translates a convolution.
    pub fn convolution(&mut self, node: &Node, conv: &graph::Conv2d) -> Result<(), Problem> {
        self.check_constant_weights(node)?;
        let x = self.unreshaped_operand(node, 0)?;
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
        let weights = Weights::new(
            WeightSource::Constant(node.inputs[1]),
            node.inputs.get(2).copied(),
        );
        self.push_layer(node, LayerOp::Conv { spec, weights }, vec![x])
    }

    /// Translates a fully connected layer to a convolution whose kernel covers the whole map, so
    /// that the input needs no flattening.
    pub fn linear(&mut self, node: &Node) -> Result<(), Problem> {
        self.check_constant_weights(node)?;
        let x = self.operand(node, 0)?;
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
        let weights = Weights::new(
            WeightSource::Linear(node.inputs[1]),
            node.inputs.get(2).copied(),
        );
        self.push_layer(node, LayerOp::Conv { spec, weights }, vec![x])
    }

    /// Translates element-wise arithmetic of two maps, or of a map and a weight per channel.
    pub fn binary(&mut self, node: &Node, arithmetic: Arithmetic) -> Result<(), Problem> {
        let &[left, right] = &node.inputs[..] else {
            return Err(unsupported(node));
        };
        if self.maps.contains_key(&left) && self.maps.contains_key(&right) {
            return self.binary_of_maps(node, arithmetic);
        }
        let map_index = usize::from(self.constants.contains(&left));
        let weight = node.inputs[1 - map_index];
        let mut x = self.operand(node, map_index)?;
        let shape = self.graph.shape(weight);
        if !self.is_per_channel(node.inputs[map_index], shape) {
            let maps = self.graph.shape(node.inputs[map_index]);
            return Err(Problem::unsupported(
                format!("{} of maps {maps:?} and weights {shape:?}", node.op.word()),
                "one weight for each channel, or one weight for all",
            ));
        }
        if self.graph.value(weight).len() > 1 {
            self.unreshaped_operand(node, map_index)?;
            let channels = self.graph.shape(node.outputs[0])[1];
            x = self.broadcast_channels(node, x, channels);
        }
        let affine = match (arithmetic, map_index) {
            (Arithmetic::Add, _) => vec![Affine::Shift(PerChannel::Constant(weight))],
            (Arithmetic::Mul, _) => vec![Affine::Scale(PerChannel::Constant(weight))],
            (Arithmetic::Sub, 0) => vec![Affine::Shift(PerChannel::Negated(weight))],
            (Arithmetic::Sub, _) => vec![
                Affine::Scale(PerChannel::Number(-1.0)),
                Affine::Shift(PerChannel::Constant(weight)),
            ],
            (Arithmetic::Div, 0) => vec![Affine::Scale(PerChannel::Inverse(weight))],
            (Arithmetic::Min | Arithmetic::Max | Arithmetic::Pow, _) => {
                return Err(unsupported(node));
            }
            (Arithmetic::Div, _) => {
                return Err(Problem::unsupported(
                    "div of weights by maps",
                    "a division of maps by weights, or of maps by maps",
                ));
            }
        };
        self.push_elementwise(node, LayerOp::Affine(affine), vec![x]);
        Ok(())
    }

    /// Translates element-wise arithmetic of two maps. A map of one channel is repeated for every
    /// channel of the other.
    fn binary_of_maps(&mut self, node: &Node, arithmetic: Arithmetic) -> Result<(), Problem> {
        let [a, b] = [self.operand(node, 0)?, self.operand(node, 1)?];
        let [left, right] = [0, 1].map(|index| self.graph.shape(node.inputs[index]));
        let [one, other] = [a, b].map(|map| self.net.shape(map));
        if left == right && one == other {
            self.push_elementwise(node, LayerOp::Binary(arithmetic), vec![a, b]);
            return Ok(());
        }
        let whole = dims(left) == Some(one) && dims(right) == Some(other);
        let one_channel = one[1..] == other[1..] && (one[0] == 1 || other[0] == 1);
        if !(whole && one_channel && left.len() == right.len()) {
            return Err(Problem::unsupported(
                format!("{} of maps {left:?} and {right:?}", node.op.word()),
                "maps of one shape, or of one height and width where one has one channel",
            ));
        }
        let channels = one[0].max(other[0]);
        let maps = [a, b].map(|map| self.broadcast_channels(node, map, channels));
        self.push_elementwise(node, LayerOp::Binary(arithmetic), maps.to_vec());
        Ok(())
    }

    /// Whether weights of `shape` are broadcast to `x` as one number, or one number per channel.
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
