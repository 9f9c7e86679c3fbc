//! Translation of layers with weights, and of arithmetic between maps and weights.

use receptive_kernels::cpu::{BinaryOp, Border, ConvSpec};

use super::axes::stepped;
use super::translation::{Translation, unsupported};
use crate::compile::error::Problem;
use crate::compile::net::{Constant, LayerOp, MapId, Rearrangement};
use crate::compile::weights::{Affine, PerChannel, WeightSource, Weights};
use crate::graph::{self, Arithmetic, Node, ValueId};

impl Translation<'_> {
    /// Translates a convolution.
    pub fn convolution(&mut self, node: &Node, conv: &graph::Conv2d) -> Result<(), Problem> {
        self.check_constant_weights(node)?;
        let x = self.map_operand(node, 0)?;
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
        let shape = self.image_shape(node.inputs[0]);
        if !matches!(shape[..], [1, _]) {
            return self.linear_of_rows(node, x, &shape);
        }
        let [channels_in, height, width] = self.net.shape(x);
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

    /// Translates a fully connected layer of the last axis of a tensor of `shape`: a pointwise convolution
    /// whose pixels are the entries of the other axes.
    fn linear_of_rows(&mut self, node: &Node, x: MapId, shape: &[usize]) -> Result<(), Problem> {
        let (Some((&features, rows)), &[_, outputs]) =
            (shape.split_last(), self.graph.shape(node.inputs[1]))
        else {
            return Err(unsupported(node));
        };
        // Long rows are copied faster than short ones.
        let width = rows.last().copied().unwrap_or(1);
        let rows: usize = rows.iter().product();
        let size = [rows / width, width];
        let axes = vec![stepped(features, 1), stepped(rows, features)];
        let map = [features, size[0], size[1]];
        let columns = self.rearrange(node, x, Rearrangement::new(0, axes), map)?;
        let columns = self.shaped(node, columns, map);
        let spec = ConvSpec {
            channels_in: features,
            channels_out: outputs,
            kernel: [1, 1],
            stride: [1, 1],
            padding: Border::default(),
            dilation: [1, 1],
            groups: 1,
        };
        let weights = Weights::new(
            WeightSource::Linear(node.inputs[1]),
            node.inputs.get(2).copied(),
        );
        let op = LayerOp::Conv { spec, weights };
        let products = self.add(node, op, vec![columns], [outputs, size[0], size[1]]);
        let axes = vec![stepped(rows, 1), stepped(outputs, rows)];
        let map = self.map_shape(node.outputs[0]);
        let y = self.rearrange(node, products, Rearrangement::new(0, axes), map)?;
        self.finish(node, y);
        Ok(())
    }

    /// Translates element-wise arithmetic of two maps, or of a map and weights.
    pub fn binary(&mut self, node: &Node, arithmetic: Arithmetic) -> Result<(), Problem> {
        let &[left, _] = &node.inputs[..] else {
            return Err(unsupported(node));
        };
        let map_index = usize::from(self.constants.contains(&left));
        let weight = node.inputs[1 - map_index];
        if !self.constants.contains(&weight)
            || !self.is_per_channel(node.inputs[map_index], weight, node.outputs[0])
        {
            return self.binary_of_tensors(node, operation(arithmetic));
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
            (Arithmetic::Div | Arithmetic::Min | Arithmetic::Max | Arithmetic::Pow, _) => {
                return self.binary_of_tensors(node, operation(arithmetic));
            }
        };
        let mut x = self.operand(node, map_index)?;
        if self.graph.value(weight).len() > 1 {
            x = self.map_operand(node, map_index)?;
            let channels = self.graph.shape(node.outputs[0])[1];
            x = self.broadcast_channels(node, x, channels);
        }
        self.push_elementwise(node, LayerOp::Affine(affine), vec![x]);
        Ok(())
    }

    /// Translates element-wise arithmetic of two tensors, broadcast to the shape of the output.
    pub fn binary_of_tensors(&mut self, node: &Node, op: BinaryOp) -> Result<(), Problem> {
        let &[left, right] = &node.inputs[..] else {
            return Err(unsupported(node));
        };
        let shape = self.image_shape(node.outputs[0]);
        let [one, other] = [left, right].map(|id| self.image_shape(id));
        let are_maps = ![left, right].iter().any(|id| self.constants.contains(id));
        if are_maps && one == other {
            let [a, b] = [self.operand(node, 0)?, self.operand(node, 1)?];
            let b = self.shaped(node, b, self.net.shape(a));
            self.push_elementwise(node, LayerOp::Binary(op), vec![a, b]);
            return Ok(());
        }
        // One number for each channel, which the step repeats for every pixel.
        let commutes = matches!(
            op,
            BinaryOp::Add | BinaryOp::Mul | BinaryOp::Min | BinaryOp::Max
        );
        for (whole, gate) in [(0, 1), (1, 0)] {
            let is_whole = self.maps.contains_key(&node.inputs[whole])
                && [&one, &other][whole] == &shape
                && (whole == 0 || commutes);
            if is_whole && self.is_gate(node.inputs[gate], node.outputs[0]) {
                let x = self.map_operand(node, whole)?;
                let channels = self.net.shape(x)[0];
                let gate = self.gate(node, gate, channels)?;
                self.push_elementwise(node, LayerOp::Binary(op), vec![x, gate]);
                return Ok(());
            }
        }
        let [a, b] = [
            self.broadcast(node, 0, &shape)?,
            self.broadcast(node, 1, &shape)?,
        ];
        self.push_elementwise(node, LayerOp::Binary(op), vec![a, b]);
        Ok(())
    }

    /// Returns the operand `index` of `node`, one number or one for each channel, as a map of one pixel.
    fn gate(&mut self, node: &Node, index: usize, channels: usize) -> Result<MapId, Problem> {
        let id = node.inputs[index];
        if self.constants.contains(&id) {
            let len = self.graph.value(id).len();
            let shape = match len {
                1 => vec![channels],
                _ => vec![len],
            };
            let op = LayerOp::Constant(Constant::Value { value: id, shape });
            return Ok(self.add(node, op, Vec::new(), [channels, 1, 1]));
        }
        let found = self.image_shape(id).iter().product();
        let gate = self.shaped_operand(node, index, [found, 1, 1])?;
        Ok(self.broadcast_channels(node, gate, channels))
    }

    /// Whether `id` has one number, or one for each channel, of the output `output`.
    fn is_gate(&self, id: ValueId, output: ValueId) -> bool {
        let shape = self.image_shape(id);
        let rank = self.graph.shape(output).len();
        let same_rank = shape.len() == rank || self.constants.contains(&id);
        self.is_map(output) && same_rank && is_per_channel(&shape, rank)
    }

    /// Translates arithmetic of a tensor and a number.
    pub fn power(&mut self, node: &Node, exponent: f64) -> Result<(), Problem> {
        let x = self.operand(node, 0)?;
        if exponent == 2.0 {
            self.push_elementwise(node, LayerOp::Binary(BinaryOp::Mul), vec![x, x]);
            return Ok(());
        }
        let channels = self.net.shape(x)[0];
        let op = LayerOp::Constant(Constant::Fill(exponent));
        let exponents = self.add(node, op, Vec::new(), [channels, 1, 1]);
        self.push_elementwise(node, LayerOp::Binary(BinaryOp::Pow), vec![x, exponents]);
        Ok(())
    }

    /// Translates a transposed convolution. A kernel of the size of the stride is a pointwise convolution
    /// that computes every element of a window as a channel of its own; any other is a convolution of
    /// the input with zeros between its elements.
    pub fn transposed_convolution(
        &mut self,
        node: &Node,
        conv: &graph::ConvTranspose2d,
    ) -> Result<(), Problem> {
        self.check_constant_weights(node)?;
        let x = self.map_operand(node, 0)?;
        let &[channels_in, group_out, rows, columns] = self.graph.shape(node.inputs[1]) else {
            return Err(unsupported(node));
        };
        let kernel = [rows, columns];
        let [_, height, width] = self.net.shape(x);
        let channels_out = group_out * conv.groups;
        let bias = node.inputs.get(2).copied();
        let spec = ConvSpec {
            channels_in,
            channels_out,
            kernel,
            stride: [1, 1],
            padding: Border::default(),
            dilation: conv.dilation,
            groups: conv.groups,
        };
        let output = self.map_shape(node.outputs[0]);
        let adjacent = conv.stride == kernel
            && conv.padding == [[0; 2]; 2]
            && conv.output_padding == [0, 0]
            && conv.dilation == [1, 1]
            && conv.groups == 1;
        if adjacent {
            let taps = rows * columns;
            let spec = ConvSpec {
                channels_out: channels_out * taps,
                kernel: [1, 1],
                ..spec
            };
            let source = WeightSource::WindowElements {
                weight: node.inputs[1],
                bias,
                taps,
            };
            let weights = Weights::new(source, None);
            let op = LayerOp::Conv { spec, weights };
            let windows = self.add(node, op, vec![x], [channels_out * taps, height, width]);
            let area = height * width;
            // [out, height, rows, width, columns] of [out, rows, columns, height, width]
            let axes = vec![
                stepped(channels_out, taps * area),
                stepped(height, width),
                stepped(rows, columns * area),
                stepped(width, 1),
                stepped(columns, area),
            ];
            let y = self.rearrange(node, windows, Rearrangement::new(0, axes), output)?;
            self.finish(node, y);
            return Ok(());
        }
        let spread = self.spread(node, x, conv.stride)?;
        // Padding of the spread input, before the first and after the last element; negative where the
        // output is cut off by more than a window.
        let around = [0, 1].map(|axis| {
            let extent = (conv.dilation[axis] * (kernel[axis] - 1)) as i64;
            let [before, after] = conv.padding[axis].map(|cut| cut as i64);
            [
                extent - before,
                extent - after + conv.output_padding[axis] as i64,
            ]
        });
        let [[top, bottom], [left, right]] =
            around.map(|pair| pair.map(|side| side.max(0) as usize));
        let cut = around.map(|pair| pair.map(|side| (-side).max(0) as usize));
        let spec = ConvSpec {
            padding: Border {
                top,
                bottom,
                left,
                right,
            },
            ..spec
        };
        let source = WeightSource::Transposed {
            weight: node.inputs[1],
            groups: conv.groups,
            multiply_adds: spec.weights() * height * width,
        };
        let weights = Weights::new(source, bias);
        let whole = [
            channels_out,
            output[1] + cut[0][0] + cut[0][1],
            output[2] + cut[1][0] + cut[1][1],
        ];
        let op = LayerOp::Conv { spec, weights };
        let y = self.add(node, op, vec![spread], whole);
        let axes = vec![
            stepped(channels_out, whole[1] * whole[2]),
            stepped(output[1], whole[2]),
            stepped(output[2], 1),
        ];
        let first = cut[0][0] * whole[2] + cut[1][0];
        let y = self.rearrange(node, y, Rearrangement::new(first, axes), output)?;
        self.finish(node, y);
        Ok(())
    }

    /// Whether a constant is broadcast to `x` as one number, or one number for each channel, without
    /// other axes in the output than those of `x`.
    fn is_per_channel(&self, x: ValueId, weight: ValueId, output: ValueId) -> bool {
        let shape = self.graph.shape(weight);
        let rank = self.graph.shape(x).len();
        let single = self.graph.value(weight).len() == 1 && shape.len() <= rank;
        let found = self.image_shape(x);
        let output = self.image_shape(output);
        // A map of one channel is repeated for every weight.
        let same =
            output.len() == rank && (0..rank).all(|axis| axis == 1 || output[axis] == found[axis]);
        single || (self.is_map(x) && same && is_per_channel(shape, rank))
    }
}

/// Whether a tensor of `shape`, broadcast to `rank` axes, has one number, or one for each entry of axis 1.
fn is_per_channel(shape: &[usize], rank: usize) -> bool {
    let Some(front) = rank.checked_sub(shape.len()) else {
        return false;
    };
    let mut axes = shape.iter().enumerate();
    axes.all(|(axis, &length)| length == 1 || front + axis == 1)
}

fn operation(arithmetic: Arithmetic) -> BinaryOp {
    match arithmetic {
        Arithmetic::Add => BinaryOp::Add,
        Arithmetic::Sub => BinaryOp::Sub,
        Arithmetic::Mul => BinaryOp::Mul,
        Arithmetic::Div => BinaryOp::Div,
        Arithmetic::Min => BinaryOp::Min,
        Arithmetic::Max => BinaryOp::Max,
        Arithmetic::Pow => BinaryOp::Pow,
    }
}
