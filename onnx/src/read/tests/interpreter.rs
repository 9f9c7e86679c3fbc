//! Evaluation of graphs by the definitions of their operations, in double precision.

use std::collections::HashMap;

use receptive_layers::graph::{
    Arithmetic, Function, Graph, Node, Op, Pool2d, Reduction, ValueData, ValueId,
};

/// A tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Array {
    pub fn new(shape: &[usize], values: Vec<f64>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{shape:?}");
        Self {
            shape: shape.to_vec(),
            values,
        }
    }

    /// Returns the array of shape `shape` with the values of `value` at each index.
    fn of(shape: &[usize], mut value: impl FnMut(&[usize]) -> f64) -> Self {
        let mut index = vec![0; shape.len()];
        let values = (0..shape.iter().product()).map(|mut linear| {
            for axis in (0..shape.len()).rev() {
                index[axis] = linear % shape[axis];
                linear /= shape[axis];
            }
            value(&index)
        });
        let values = values.collect();
        Self::new(shape, values)
    }

    /// Returns the element at an index. Axes of length 1 are broadcast.
    fn at(&self, index: &[usize]) -> f64 {
        assert_eq!(index.len(), self.shape.len());
        let axes = self.shape.iter().zip(index);
        self.values[axes.fold(0, |linear, (&length, &index)| {
            linear * length + if length == 1 { 0 } else { index }
        })]
    }
}

/// Returns the outputs of `graph` for `input`.
pub fn run(graph: &Graph, input: &[f64]) -> Vec<Array> {
    let mut values: HashMap<ValueId, Array> = HashMap::new();
    for (id, value) in graph.ids() {
        let elements = match &value.data {
            Some(ValueData::Fill(number)) => vec![*number; value.len()],
            Some(ValueData::Elements(data)) => data.iter::<f64>().collect(),
            None => continue,
        };
        values.insert(id, Array::new(&value.shape, elements));
    }
    values.insert(
        graph.input,
        Array::new(graph.shape(graph.input), input.to_vec()),
    );
    for node in &graph.nodes {
        let inputs: Vec<&Array> = node.inputs.iter().map(|id| &values[id]).collect();
        let output = node.outputs[0];
        let result = evaluate(node, &inputs, graph.shape(output));
        values.insert(output, result);
    }
    graph.outputs.iter().map(|id| values[id].clone()).collect()
}

fn evaluate(node: &Node, inputs: &[&Array], shape: &[usize]) -> Array {
    let x = inputs[0];
    let map = |function: &dyn Fn(f64) -> f64| {
        assert_eq!(x.shape, shape);
        Array::new(shape, x.values.iter().map(|&x| function(x)).collect())
    };
    match &node.op {
        Op::Conv2d(conv) => {
            let weight = inputs[1];
            let per_group = weight.shape[0] / conv.groups;
            for axis in [0, 1] {
                let padded = x.shape[2 + axis] + conv.padding[axis].iter().sum::<usize>();
                let extent = (weight.shape[2 + axis] - 1) * conv.dilation[axis] + 1;
                assert_eq!(shape[2 + axis], (padded - extent) / conv.stride[axis] + 1);
            }
            Array::of(shape, |at| {
                let mut sum = inputs.get(2).map_or(0.0, |bias| bias.values[at[1]]);
                for channel in 0..weight.shape[1] {
                    for row in 0..weight.shape[2] {
                        for column in 0..weight.shape[3] {
                            let y = at[2] * conv.stride[0] + row * conv.dilation[0];
                            let z = at[3] * conv.stride[1] + column * conv.dilation[1];
                            let (y, z) = (
                                y.wrapping_sub(conv.padding[0][0]),
                                z.wrapping_sub(conv.padding[1][0]),
                            );
                            if y < x.shape[2] && z < x.shape[3] {
                                let from = at[1] / per_group * weight.shape[1] + channel;
                                sum += x.at(&[at[0], from, y, z])
                                    * weight.at(&[at[1], channel, row, column]);
                            }
                        }
                    }
                }
                sum
            })
        }
        Op::ConvTranspose2d(conv) => {
            let weight = inputs[1];
            let mut y = Array::of(shape, |at| {
                inputs.get(2).map_or(0.0, |bias| bias.values[at[1]])
            });
            let per_group = x.shape[1] / conv.groups;
            for axis in [0, 1] {
                let full = (x.shape[2 + axis] - 1) * conv.stride[axis]
                    + (weight.shape[2 + axis] - 1) * conv.dilation[axis]
                    + 1
                    + conv.output_padding[axis];
                assert_eq!(
                    shape[2 + axis] + conv.padding[axis].iter().sum::<usize>(),
                    full
                );
            }
            for (linear, &value) in x.values.iter().enumerate() {
                let column = linear % x.shape[3];
                let row = linear / x.shape[3] % x.shape[2];
                let channel = linear / x.shape[3] / x.shape[2] % x.shape[1];
                let image = linear / x.shape[3] / x.shape[2] / x.shape[1];
                for out in 0..weight.shape[1] {
                    for i in 0..weight.shape[2] {
                        for j in 0..weight.shape[3] {
                            let to = channel / per_group * weight.shape[1] + out;
                            let y_row = (row * conv.stride[0] + i * conv.dilation[0])
                                .wrapping_sub(conv.padding[0][0]);
                            let y_column = (column * conv.stride[1] + j * conv.dilation[1])
                                .wrapping_sub(conv.padding[1][0]);
                            if y_row < shape[2] && y_column < shape[3] {
                                let position = ((image * shape[1] + to) * shape[2] + y_row)
                                    * shape[3]
                                    + y_column;
                                y.values[position] += value * weight.at(&[channel, out, i, j]);
                            }
                        }
                    }
                }
            }
            y
        }
        Op::BatchNorm { epsilon } => Array::of(shape, |at| {
            let [weight, bias, mean, variance] = [1, 2, 3, 4].map(|i| inputs[i].values[at[1]]);
            (x.at(at) - mean) / (variance + epsilon).sqrt() * weight + bias
        }),
        Op::Linear | Op::Matmul => {
            let inner = *x.shape.last().expect("a matrix");
            let b = inputs[1];
            Array::of(shape, |at| {
                let (outer, ends) = at.split_at(at.len() - 2);
                let bias = inputs.get(2).map_or(0.0, |bias| bias.values[ends[1]]);
                let products = (0..inner).map(|i| {
                    let left = x.at(&[outer, &[ends[0], i]].concat());
                    let right = match b.shape.len() {
                        2 => b.at(&[i, ends[1]]),
                        _ => b.at(&[outer, &[i, ends[1]]].concat()),
                    };
                    left * right
                });
                products.sum::<f64>() + bias
            })
        }
        Op::MaxPool2d { window, dilation } => pool(x, shape, window, *dilation, |taps, _| {
            taps.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        }),
        Op::AvgPool2d {
            window,
            count_include_pad,
        } => pool(x, shape, window, [1, 1], |taps, padded| {
            let count = if *count_include_pad {
                padded
            } else {
                taps.len()
            };
            taps.iter().sum::<f64>() / count as f64
        }),
        Op::AdaptiveAvgPool2d { output } => Array::of(shape, |at| {
            let cell = |axis: usize| {
                let (i, cells, length) = (at[2 + axis], output[axis], x.shape[2 + axis]);
                i * length / cells..((i + 1) * length).div_ceil(cells)
            };
            let (rows, columns) = (cell(0), cell(1));
            let count = rows.len() * columns.len();
            let cells = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
            let sum: f64 = cells
                .map(|(row, column)| x.at(&[at[0], at[1], row, column]))
                .sum();
            sum / count as f64
        }),
        Op::LocalResponseNorm {
            size,
            alpha,
            beta,
            k,
        } => Array::of(shape, |at| {
            let first = at[1].saturating_sub((size - 1) / 2);
            let last = (at[1] + size / 2).min(x.shape[1] - 1);
            let squares = (first..=last).map(|channel| {
                let mut at = at.to_vec();
                at[1] = channel;
                x.at(&at).powi(2)
            });
            x.at(at) / (k + alpha * squares.sum::<f64>()).powf(*beta)
        }),
        Op::Relu => map(&|x| x.max(0.0)),
        Op::Clamp { min, max } => map(&|x| x.max(*min).min(*max)),
        Op::Tanh => map(&f64::tanh),
        Op::Sigmoid => map(&sigmoid),
        Op::Function(function) => map(&|x| apply(*function, x)),
        Op::Prelu => Array::of(shape, |at| match x.at(at) {
            x if x > 0.0 => x,
            x => x * inputs[1].at(at),
        }),
        Op::Softmax { axis } => Array::of(shape, |at| {
            let terms = (0..shape[*axis]).map(|i| {
                let mut other = at.to_vec();
                other[*axis] = i;
                (x.at(&other) - x.at(at)).exp()
            });
            1.0 / terms.sum::<f64>()
        }),
        Op::Binary(arithmetic) => Array::of(shape, |at| {
            calculate(*arithmetic, x.at(at), inputs[1].at(at))
        }),
        Op::Scalar(arithmetic, number) => map(&|x| calculate(*arithmetic, x, *number)),
        Op::Mean { axes } => reduce(x, shape, axes, Reduction::Mean),
        Op::Reduce { reduction, axes } => reduce(x, shape, axes, *reduction),
        Op::Resample { axis, taps } => {
            assert_eq!(taps.len(), shape[*axis]);
            Array::of(shape, |at| {
                let terms = taps[at[*axis]].iter().map(|&(index, weight)| {
                    let mut at = at.to_vec();
                    at[*axis] = index;
                    weight * x.at(&at)
                });
                terms.sum()
            })
        }
        Op::Concat { axis } => Array::of(shape, |at| {
            let mut at = at.to_vec();
            let mut parts = inputs.iter();
            let mut part = parts.next().expect("a part");
            while at[*axis] >= part.shape[*axis] {
                at[*axis] -= part.shape[*axis];
                part = parts.next().expect("a part");
            }
            part.at(&at)
        }),
        Op::Reshape => Array::new(shape, x.values.clone()),
        Op::Expand => Array::of(shape, |at| x.at(at)),
        Op::Permute { axes } => Array::of(shape, |at| {
            let mut from = vec![0; at.len()];
            for (&axis, &index) in axes.iter().zip(at) {
                from[axis] = index;
            }
            x.at(&from)
        }),
        Op::Slice { ranges } => Array::of(shape, |at| {
            let from = ranges.iter().zip(at).map(|(range, index)| {
                let from = range.start + range.step * index;
                assert!(from < range.end);
                from
            });
            x.at(&from.collect::<Vec<_>>())
        }),
        Op::Select { axis } => Array::of(shape, |at| {
            let mut from = at.to_vec();
            from[*axis] = inputs[1].values[at[*axis]] as usize;
            x.at(&from)
        }),
        Op::Pad { padding, value } => Array::of(shape, |at| {
            let from: Vec<usize> = at
                .iter()
                .zip(padding)
                .map(|(i, sides)| i.wrapping_sub(sides[0]))
                .collect();
            match from.iter().zip(&x.shape).all(|(i, length)| i < length) {
                true => x.at(&from),
                false => *value,
            }
        }),
        other => panic!("{other:?}"),
    }
}

fn pool(
    x: &Array,
    shape: &[usize],
    window: &Pool2d,
    dilation: [usize; 2],
    value: impl Fn(&[f64], usize) -> f64,
) -> Array {
    Array::of(shape, |at| {
        let (mut taps, mut padded) = (Vec::new(), 0);
        for row in 0..window.kernel[0] {
            for column in 0..window.kernel[1] {
                let y = at[2] * window.stride[0] + row * dilation[0];
                let z = at[3] * window.stride[1] + column * dilation[1];
                let inside = |axis: usize, i: usize| {
                    i < x.shape[2 + axis] + window.padding[axis].iter().sum::<usize>()
                };
                padded += usize::from(inside(0, y) && inside(1, z));
                let (y, z) = (
                    y.wrapping_sub(window.padding[0][0]),
                    z.wrapping_sub(window.padding[1][0]),
                );
                if y < x.shape[2] && z < x.shape[3] {
                    taps.push(x.at(&[at[0], at[1], y, z]));
                }
            }
        }
        value(&taps, padded)
    })
}

fn reduce(x: &Array, shape: &[usize], axes: &[usize], reduction: Reduction) -> Array {
    Array::of(shape, |at| {
        let lengths: Vec<usize> = axes.iter().map(|&axis| x.shape[axis]).collect();
        let numbers = Array::of(&lengths, |inner| {
            let mut at = at.to_vec();
            for (&axis, &index) in axes.iter().zip(inner) {
                at[axis] = index;
            }
            x.at(&at)
        });
        let numbers = numbers.values;
        let sum = |function: fn(f64) -> f64| numbers.iter().map(|&x| function(x)).sum::<f64>();
        match reduction {
            Reduction::Sum => sum(|x| x),
            Reduction::Mean => sum(|x| x) / numbers.len() as f64,
            Reduction::Product => numbers.iter().product(),
            Reduction::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Reduction::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Reduction::L1 => sum(f64::abs),
            Reduction::L2 => sum(|x| x * x).sqrt(),
            Reduction::SumOfSquares => sum(|x| x * x),
            Reduction::LogSum => sum(|x| x).ln(),
            Reduction::LogSumExp => {
                let max = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                max + numbers.iter().map(|x| (x - max).exp()).sum::<f64>().ln()
            }
        }
    })
}

fn calculate(arithmetic: Arithmetic, a: f64, b: f64) -> f64 {
    match arithmetic {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div => a / b,
        Arithmetic::Min => a.min(b),
        Arithmetic::Max => a.max(b),
        Arithmetic::Pow => a.powf(b),
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn apply(function: Function, x: f64) -> f64 {
    let elu = |alpha: f64, x: f64| if x > 0.0 { x } else { alpha * x.exp_m1() };
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    match function {
        Function::LeakyRelu { slope } => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        Function::Elu { alpha } => elu(alpha, x),
        Function::Selu { alpha, scale } => scale * elu(alpha, x),
        Function::Celu { alpha } => {
            if x > 0.0 {
                x
            } else {
                alpha * (x / alpha).exp_m1()
            }
        }
        Function::ThresholdedRelu { alpha } => {
            if x > alpha {
                x
            } else {
                0.0
            }
        }
        Function::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
        Function::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Function::Silu => x * sigmoid(x),
        Function::Mish => x * softplus(x).tanh(),
        Function::Softplus => softplus(x),
        Function::Softsign => x / (1.0 + x.abs()),
        Function::Gelu => x * (1.0 + erf(x / std::f64::consts::SQRT_2)) / 2.0,
        Function::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            x * (1.0 + inner.tanh()) / 2.0
        }
        Function::Erf => erf(x),
        Function::Exp => x.exp(),
        Function::Ln => x.ln(),
        Function::Sqrt => x.sqrt(),
        Function::Abs => x.abs(),
        Function::Neg => -x,
        Function::Reciprocal => 1.0 / x,
        Function::Sign => {
            if x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        Function::Floor => x.floor(),
        Function::Ceil => x.ceil(),
        Function::Round => x.round_ties_even(),
        Function::Sin => x.sin(),
        Function::Cos => x.cos(),
        other => panic!("{other:?}"),
    }
}

/// Error function: its Maclaurin series, or its limit.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let (mut sum, mut term) = (0.0, x);
    for n in 0..200 {
        sum += term / f64::from(2 * n + 1);
        term *= -x * x / f64::from(n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}
