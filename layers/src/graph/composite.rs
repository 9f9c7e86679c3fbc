//! Burn's operations that are several [`Op`]s: layers along one axis, norms, interpolation, attention.

use super::masks::{Comparison, Masks};
use super::op::{Arithmetic, Conv2d, ConvTranspose2d, Function, Op, Pool2d, Reduction};
use super::recorded::Values;
use super::structure::Node;
use super::value::ValueId;
use burn::backend::ir::{
    ActivationOperationIr, AttentionOpIr, BaseOperationIr, FloatOperationIr, InterpolateModeIr,
    InterpolateOpIr, LayerNormOpIr, ModuleOperationIr, NumericOperationIr, OperationIr, PadModeIr,
    PadOpIr, ScalarOpIr, TensorIr,
};

/// Nodes that are added for one operation.
pub(super) struct Composite<'v, 'b> {
    pub values: &'v mut Values<'b>,
    pub nodes: &'v mut Vec<Node>,
    pub masks: &'v mut Masks,
}

impl Composite<'_, '_> {
    /// Adds the nodes of `operation`, and returns whether it is one of these operations.
    pub fn add(&mut self, operation: &OperationIr) -> bool {
        self.translate(operation).is_some()
    }

    fn translate(&mut self, operation: &OperationIr) -> Option<()> {
        match operation {
            OperationIr::Module(module) => self.module(module),
            OperationIr::Activation(activation) => self.activation(activation),
            OperationIr::NumericFloat(_, numeric) => self.numeric(numeric),
            OperationIr::BaseFloat(base) => self.base(base),
            OperationIr::Float(_, FloatOperationIr::Log1p(log)) => {
                let x = self.values.id(&log.input);
                let sum = self.step(Op::Scalar(Arithmetic::Add, 1.0), vec![x], shape(&log.input));
                self.last(Op::Function(Function::Ln), vec![sum], &log.out);
                Some(())
            }
            _ => None,
        }
    }

    fn module(&mut self, operation: &ModuleOperationIr) -> Option<()> {
        match operation {
            ModuleOperationIr::Conv1d(conv) => {
                let [(before, after)] = conv.options.padding;
                let op = Op::Conv2d(Conv2d {
                    stride: [conv.options.stride[0], 1],
                    padding: [[before, after], [0, 0]],
                    dilation: [conv.options.dilation[0], 1],
                    groups: conv.options.groups,
                });
                self.along_rows(
                    op,
                    &conv.x,
                    Some(&conv.weight),
                    conv.bias.as_ref(),
                    &conv.out,
                );
            }
            ModuleOperationIr::ConvTranspose1d(conv) => {
                let op = Op::ConvTranspose2d(ConvTranspose2d {
                    stride: [conv.options.stride[0], 1],
                    padding: [[conv.options.padding[0]; 2], [0, 0]],
                    output_padding: [conv.options.padding_out[0], 0],
                    dilation: [conv.options.dilation[0], 1],
                    groups: conv.options.groups,
                });
                self.along_rows(
                    op,
                    &conv.x,
                    Some(&conv.weight),
                    conv.bias.as_ref(),
                    &conv.out,
                );
            }
            ModuleOperationIr::MaxPool1d(pool) => {
                let op = Op::MaxPool2d {
                    window: window(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode),
                    dilation: [pool.dilation, 1],
                };
                self.along_rows(op, &pool.x, None, None, &pool.out);
            }
            ModuleOperationIr::AvgPool1d(pool) => {
                let op = Op::AvgPool2d {
                    window: window(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode),
                    count_include_pad: pool.count_include_pad,
                };
                self.along_rows(op, &pool.x, None, None, &pool.out);
            }
            ModuleOperationIr::AdaptiveAvgPool1d(pool) => {
                let op = Op::AdaptiveAvgPool2d {
                    output: [pool.output_size, 1],
                };
                self.along_rows(op, &pool.x, None, None, &pool.out);
            }
            ModuleOperationIr::Interpolate(resize) => return self.interpolation(resize),
            ModuleOperationIr::LayerNorm(norm) => self.layer_norm(norm),
            ModuleOperationIr::Attention(attention) => return self.attention(attention),
            _ => return None,
        }
        Some(())
    }

    fn activation(&mut self, operation: &ActivationOperationIr) -> Option<()> {
        match operation {
            ActivationOperationIr::LogSoftmax(softmax) => {
                let x = self.values.id(&softmax.input);
                let axes = vec![softmax.axis];
                let mut reduced = shape(&softmax.input);
                reduced[softmax.axis] = 1;
                let reduction = Reduction::LogSumExp;
                let sum = self.step(Op::Reduce { reduction, axes }, vec![x], reduced);
                self.last(Op::Binary(Arithmetic::Sub), vec![x, sum], &softmax.out);
            }
            ActivationOperationIr::Softmin(softmax) => {
                let x = self.values.id(&softmax.input);
                let negative = Op::Function(Function::Neg);
                let negative = self.step(negative, vec![x], shape(&softmax.input));
                let axis = softmax.axis;
                self.last(Op::Softmax { axis }, vec![negative], &softmax.out);
            }
            ActivationOperationIr::LogSigmoid(function) => {
                // ln(1 / (1 + exp(-x))) = -softplus(-x)
                let x = self.values.id(&function.input);
                let of = |function| Op::Function(function);
                let shape = shape(&function.input);
                let negative = self.step(of(Function::Neg), vec![x], shape.clone());
                let softplus = self.step(of(Function::Softplus), vec![negative], shape);
                self.last(of(Function::Neg), vec![softplus], &function.out);
            }
            _ => return None,
        }
        Some(())
    }

    fn numeric(&mut self, operation: &NumericOperationIr) -> Option<()> {
        let (reduction, reduce) = match operation {
            NumericOperationIr::Mean(reduce) => (Reduction::Mean, reduce),
            NumericOperationIr::Sum(reduce) => (Reduction::Sum, reduce),
            NumericOperationIr::Prod(reduce) => (Reduction::Product, reduce),
            NumericOperationIr::Max(reduce) => (Reduction::Max, reduce),
            NumericOperationIr::Min(reduce) => (Reduction::Min, reduce),
            NumericOperationIr::Pad(pad) => return self.padding(pad),
            NumericOperationIr::GreaterElem(than) => {
                return self.mask(than, Comparison::Greater);
            }
            NumericOperationIr::GreaterEqualElem(than) => {
                return self.mask(than, Comparison::GreaterEqual);
            }
            NumericOperationIr::LowerEqualElem(than) => {
                return self.mask(than, Comparison::LowerEqual);
            }
            _ => return None,
        };
        let x = self.values.id(&reduce.input);
        let rank = reduce.input.shape.num_dims();
        let axes = (0..rank).collect();
        let reduced = self.step(Op::Reduce { reduction, axes }, vec![x], vec![1; rank]);
        self.last(Op::Reshape, vec![reduced], &reduce.out);
        Some(())
    }

    fn base(&mut self, operation: &BaseOperationIr) -> Option<()> {
        match operation {
            BaseOperationIr::Expand(expand) => {
                let rank = expand.out.shape.num_dims();
                let missing = rank.checked_sub(expand.input.shape.num_dims())?;
                if missing == 0 {
                    return None;
                }
                let x = self.values.id(&expand.input);
                let whole = [vec![1; missing], shape(&expand.input)].concat();
                let x = self.step(Op::Reshape, vec![x], whole);
                self.last(Op::Expand, vec![x], &expand.out);
            }
            BaseOperationIr::MaskFill(fill) => {
                let [x, mask] = [&fill.tensor, &fill.mask].map(|tensor| self.values.id(tensor));
                let op = self.masks.filled(x, mask, fill.value.elem())?;
                self.last(op, vec![x], &fill.out);
            }
            BaseOperationIr::MaskWhere(select) => {
                let operands = [&select.tensor, &select.mask, &select.value]
                    .map(|tensor| self.values.id(tensor));
                let (function, x) = self.masks.selected(operands, self.nodes)?;
                self.last(Op::Function(function), vec![x], &select.out);
            }
            BaseOperationIr::Flip(flip) => {
                let mut x = self.values.id(&flip.input);
                let shape = shape(&flip.input);
                let (&last, others) = flip.axes.split_last()?;
                for &axis in others {
                    x = self.selection(x, axis, (0..shape[axis]).rev(), shape.clone());
                }
                let indices = self.indices((0..shape[last]).rev());
                self.last(Op::Select { axis: last }, vec![x, indices], &flip.out);
            }
            BaseOperationIr::RepeatDim(repeat) => {
                let x = self.values.id(&repeat.tensor);
                let axis = repeat.dim;
                let length = shape(&repeat.tensor)[axis];
                let indices = self.indices((0..length * repeat.times).map(|at| at % length));
                self.last(Op::Select { axis }, vec![x, indices], &repeat.out);
            }
            _ => return None,
        }
        Some(())
    }

    /// Remembers a mask. Its node stays for other readers than activation functions.
    fn mask(&mut self, than: &ScalarOpIr, comparison: Comparison) -> Option<()> {
        let [x, mask] = [&than.lhs, &than.out].map(|tensor| self.values.id(tensor));
        self.masks.add(mask, x, comparison, than.rhs.elem());
        None
    }

    /// Adds a layer along the last axis of `[batch, channels, length]`: that of the rows of maps of one
    /// column.
    fn along_rows(
        &mut self,
        op: Op,
        x: &TensorIr,
        weight: Option<&TensorIr>,
        bias: Option<&TensorIr>,
        out: &TensorIr,
    ) {
        let column = |tensor: &TensorIr| [shape(tensor), vec![1]].concat();
        let mut inputs = Vec::new();
        for tensor in [Some(x), weight].into_iter().flatten() {
            let id = self.values.id(tensor);
            inputs.push(self.step(Op::Reshape, vec![id], column(tensor)));
        }
        inputs.extend(bias.map(|bias| self.values.id(bias)));
        let y = self.step(op, inputs, column(out));
        self.last(Op::Reshape, vec![y], out);
    }

    /// Adds `(x - mean) / sqrt(variance + epsilon) * gamma + beta` over the last axis.
    fn layer_norm(&mut self, norm: &LayerNormOpIr) {
        let x = self.values.id(&norm.input);
        let whole = shape(&norm.input);
        let axis = whole.len() - 1;
        let mut reduced = whole.clone();
        reduced[axis] = 1;
        let mean = |composite: &mut Self, x| {
            composite.step(Op::Mean { axes: vec![axis] }, vec![x], reduced.clone())
        };
        let sub = Op::Binary(Arithmetic::Sub);
        let mul = Op::Binary(Arithmetic::Mul);
        let center = mean(self, x);
        let centered = self.step(sub, vec![x, center], whole.clone());
        let squares = self.step(mul.clone(), vec![centered, centered], whole.clone());
        let variance = mean(self, squares);
        let epsilon = Op::Scalar(Arithmetic::Add, norm.epsilon.elem());
        let variance = self.step(epsilon, vec![variance], reduced.clone());
        let root = Op::Function(Function::Sqrt);
        let deviation = self.step(root, vec![variance], reduced.clone());
        let div = Op::Binary(Arithmetic::Div);
        let normal = self.step(div, vec![centered, deviation], whole.clone());
        let gamma = self.values.id(&norm.gamma);
        match &norm.beta {
            Some(beta) => {
                let scaled = self.step(mul, vec![normal, gamma], whole);
                let beta = self.values.id(beta);
                let add = Op::Binary(Arithmetic::Add);
                self.last(add, vec![scaled, beta], &norm.out);
            }
            None => self.last(mul, vec![normal, gamma], &norm.out),
        }
    }

    /// Adds `softmax(query * transposed(key) * scale) * value`; `None` with a mask, a bias or a cap.
    fn attention(&mut self, attention: &AttentionOpIr) -> Option<()> {
        let options = &attention.options;
        if attention.mask.is_some()
            || attention.attn_bias.is_some()
            || options.softcap.is_some()
            || options.is_causal
        {
            return None;
        }
        let [query, key, value] = [&attention.query, &attention.key, &attention.value]
            .map(|tensor| self.values.id(tensor));
        let query_shape = shape(&attention.query);
        let mut transposed = shape(&attention.key);
        let rank = transposed.len();
        let width = *query_shape.last()?;
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(rank - 2, rank - 1);
        transposed.swap(rank - 2, rank - 1);
        let keys = *transposed.last()?;
        let key = self.step(Op::Permute { axes }, vec![key], transposed);
        let scores = [&query_shape[..rank - 1], &[keys]].concat();
        let products = self.step(Op::Matmul, vec![query, key], scores.clone());
        let scale = match &options.scale {
            Some(scale) => scale.elem(),
            None => 1.0 / (width as f64).sqrt(),
        };
        let scale = Op::Scalar(Arithmetic::Mul, scale);
        let scaled = self.step(scale, vec![products], scores.clone());
        let axis = rank - 1;
        let weights = self.step(Op::Softmax { axis }, vec![scaled], scores);
        self.last(Op::Matmul, vec![weights, value], &attention.out);
        Some(())
    }

    /// Adds an interpolation of rows, then of columns; `None` for a mode that no [`Op`] computes.
    fn interpolation(&mut self, resize: &InterpolateOpIr) -> Option<()> {
        let x = self.values.id(&resize.x);
        let mut between = shape(&resize.x);
        let [height, width] = [between[2], between[3]];
        let [rows, columns] = resize.output_size;
        let corners = resize.options.align_corners;
        match resize.options.mode {
            InterpolateModeIr::Nearest => {
                let nearest =
                    |length: usize, output: usize| (0..output).map(move |at| at * length / output);
                between[2] = rows;
                let x = self.selection(x, 2, nearest(height, rows), between);
                let indices = self.indices(nearest(width, columns));
                self.last(Op::Select { axis: 3 }, vec![x, indices], &resize.out);
            }
            InterpolateModeIr::Bilinear => {
                between[2] = rows;
                let along_rows = Op::Resample {
                    axis: 2,
                    taps: linear(height, rows, corners),
                };
                let x = self.step(along_rows, vec![x], between);
                let along_columns = Op::Resample {
                    axis: 3,
                    taps: linear(width, columns, corners),
                };
                self.last(along_columns, vec![x], &resize.out);
            }
            _ => return None,
        }
        Some(())
    }

    /// Adds padding that repeats elements; `None` for padding with a number.
    fn padding(&mut self, pad: &PadOpIr) -> Option<()> {
        let source = |at: usize, before: usize, length: usize| -> Option<usize> {
            let at = at as i64 - before as i64;
            let last = length as i64 - 1;
            let at = match pad.mode {
                PadModeIr::Constant(_) => return None,
                PadModeIr::Edge => at.clamp(0, last),
                PadModeIr::Reflect => match at {
                    _ if at < 0 => -at,
                    _ if at > last => 2 * last - at,
                    _ => at,
                },
            };
            usize::try_from(at).ok().filter(|&at| at < length)
        };
        let mut x = self.values.id(&pad.input);
        let mut found = shape(&pad.input);
        let padded: Vec<usize> = (0..found.len())
            .filter(|&axis| pad.padding[axis] != (0, 0))
            .collect();
        let (&last, others) = padded.split_last()?;
        let list = |axis: usize| -> Option<Vec<usize>> {
            let length = pad.input.shape.as_slice()[axis];
            let (before, after) = pad.padding[axis];
            let all = 0..before + length + after;
            all.map(|at| source(at, before, length)).collect()
        };
        let lists: Option<Vec<Vec<usize>>> = others.iter().map(|&axis| list(axis)).collect();
        let (lists, end) = (lists?, list(last)?);
        for (&axis, list) in others.iter().zip(lists) {
            found[axis] = list.len();
            x = self.selection(x, axis, list.into_iter(), found.clone());
        }
        let indices = self.indices(end.into_iter());
        self.last(Op::Select { axis: last }, vec![x, indices], &pad.out);
        Some(())
    }

    /// Adds a node whose output has `shape`, and returns the output.
    fn step(&mut self, op: Op, inputs: Vec<ValueId>, shape: Vec<usize>) -> ValueId {
        let output = self.values.computed(shape);
        self.push(op, inputs, output);
        output
    }

    /// Adds the node whose output is that of the operation.
    fn last(&mut self, op: Op, inputs: Vec<ValueId>, out: &TensorIr) {
        let output = self.values.id(out);
        self.push(op, inputs, output);
    }

    fn push(&mut self, op: Op, inputs: Vec<ValueId>, output: ValueId) {
        self.nodes.push(Node {
            name: String::new(),
            op,
            inputs,
            outputs: vec![output],
        });
    }

    fn selection(
        &mut self,
        x: ValueId,
        axis: usize,
        indices: impl Iterator<Item = usize>,
        shape: Vec<usize>,
    ) -> ValueId {
        let indices = self.indices(indices);
        self.step(Op::Select { axis }, vec![x, indices], shape)
    }

    fn indices(&mut self, indices: impl Iterator<Item = usize>) -> ValueId {
        let indices: Vec<i64> = indices.map(|index| index as i64).collect();
        self.values.indices(indices)
    }
}

/// Returns the indices and weights of linear interpolation from `length` to `output` elements.
fn linear(length: usize, output: usize, align_corners: bool) -> Vec<Vec<(usize, f64)>> {
    let last = (length - 1) as f64;
    let position = |at: usize| {
        let at = at as f64;
        let position = match align_corners {
            true if output > 1 => at * last / (output - 1) as f64,
            true => 0.0,
            false => (at + 0.5) * length as f64 / output as f64 - 0.5,
        };
        position.clamp(0.0, last)
    };
    (0..output)
        .map(|at| {
            let position = position(at);
            let first = position.floor();
            let share = position - first;
            match share > 0.0 {
                true => vec![(first as usize, 1.0 - share), (first as usize + 1, share)],
                false => vec![(first as usize, 1.0)],
            }
        })
        .collect()
}

fn window(kernel: usize, stride: usize, padding: usize, ceil: bool) -> Pool2d {
    Pool2d {
        kernel: [kernel, 1],
        stride: [stride, 1],
        padding: [[padding; 2], [0; 2]],
        ceil,
    }
}

fn shape(tensor: &TensorIr) -> Vec<usize> {
    tensor.shape.as_slice().to_vec()
}
