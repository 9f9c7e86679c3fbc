//! Files that this crate wrote.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::graph::{
    Arithmetic, ConvTranspose2d, Function, Graph, GraphBuilder, Op, ParameterKind, Reduction,
    ValueData,
};

use super::interpreter;
use crate::{BatchSize, ReadOptions, WriteOptions, read_bytes, write};

#[derive(Module, Debug)]
struct Network {
    conv: Conv2d,
    norm: BatchNorm,
    linear: Linear,
}

fn network() -> Network {
    let device = Device::flex();
    Network {
        conv: Conv2dConfig::new([3, 4], [3, 3])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .init(&device),
        norm: BatchNormConfig::new(4).init(&device),
        linear: LinearConfig::new(4, 5).init(&device),
    }
}

/// Writes and reads `graph`.
fn again(graph: &Graph, opset: i64) -> Graph {
    let options = WriteOptions {
        opset,
        batch: if graph.any_batch {
            BatchSize::Dynamic
        } else {
            BatchSize::Recorded
        },
        ..WriteOptions::default()
    };
    let bytes = write(graph, &options).expect("written");
    read_bytes(&bytes, &ReadOptions::default())
        .expect("read")
        .graph
}

/// Asserts that both graphs have the same nodes, parameters and constants.
fn assert_same(graph: &Graph, other: &Graph) {
    let nodes = |graph: &Graph| -> Vec<(String, Op)> {
        graph
            .nodes
            .iter()
            .map(|node| (node.name.clone(), node.op.clone()))
            .collect()
    };
    assert_eq!(nodes(graph), nodes(other));
    assert_eq!(graph.any_batch, other.any_batch);
    for (one, other_node) in graph.nodes.iter().zip(&other.nodes) {
        for (&a, &b) in one.inputs.iter().zip(&other_node.inputs) {
            let (a, b) = (graph.value(a), other.value(b));
            assert_eq!(
                (&a.shape, a.parameter()),
                (&b.shape, b.parameter()),
                "{}",
                one.name
            );
            let elements = |data: &Option<ValueData>, len: usize| match data {
                Some(ValueData::Elements(data)) => Some(data.iter::<f32>().collect::<Vec<_>>()),
                Some(ValueData::Fill(number)) => Some(vec![*number as f32; len]),
                None => None,
            };
            assert_eq!(
                elements(&a.data, a.len()),
                elements(&b.data, b.len()),
                "{}",
                one.name
            );
        }
    }
}

#[test]
fn a_classifier_is_read_as_it_was_recorded() {
    for opset in [13, 17, 18, 23] {
        let graph = Graph::record(&network(), [1, 3, 8, 8], |network, x: Tensor<4>| {
            let x = relu(network.norm.forward(network.conv.forward(x)));
            let y = max_pool2d(x.clone(), MaxPoolOptions::new([2, 2]));
            let z = avg_pool2d(x, AvgPoolOptions::new([2, 2]));
            let x = (y + z).clamp(0.0, 6.0) * 2.0;
            let x = adaptive_avg_pool2d(x, [1, 1]);
            softmax(network.linear.forward(x.flatten::<2>(1, 3)), 1)
        });
        let graph = graph.expect("recorded");
        assert_same(&graph, &again(&graph, opset));
    }
}

#[test]
fn movements_are_read_as_they_were_recorded() {
    let graph = Graph::record(&network(), [2, 3, 8, 8], |network, x: Tensor<4>| {
        let x = network.conv.forward(x);
        let x = x.pad((1, 0, 2, 1), PadMode::Constant(0.5));
        let first = x.clone().narrow(1, 0, 2);
        let x = Tensor::cat(vec![first, x], 1);
        let x = x
            .reshape([2, 2, 3, 11, 9])
            .swap_dims(1, 2)
            .reshape([2, 6, 11, 9]);
        x.mean_dim(3)
    });
    let graph = graph.expect("recorded");
    assert_same(&graph, &again(&graph, 17));
}

#[test]
fn constants_of_every_image_are_read_as_they_were_recorded() {
    let graph = Graph::record(&network(), [2, 3, 8, 8], |network, x: Tensor<4>| {
        let x = network.conv.forward(x);
        let ones = Tensor::ones([x.dims()[0], 2, 8, 8], &x.device());
        Tensor::cat(vec![x.clone(), ones, x], 1)
    });
    let graph = graph.expect("recorded");
    assert!(graph.any_batch);
    let options = WriteOptions::default();
    let bytes = write(&graph, &options).expect("written");
    let options = ReadOptions {
        batch: Some(2),
        ..ReadOptions::default()
    };
    let read = read_bytes(&bytes, &options).expect("read").graph;
    assert_same(&graph, &read);
}

#[test]
fn fully_connected_layers_of_maps_are_read_as_they_were_recorded() {
    let graph = Graph::record(&network(), [1, 2, 3, 4], |network, x: Tensor<4>| {
        network.linear.forward(x)
    });
    let graph = graph.expect("recorded");
    assert_same(&graph, &again(&graph, 17));
}

#[test]
fn means_of_unequal_cells_are_read_as_they_were_recorded() {
    let graph = Graph::record(&network(), [1, 3, 8, 8], |network, x: Tensor<4>| {
        adaptive_avg_pool2d(network.conv.forward(x), [3, 5])
    });
    let graph = graph.expect("recorded");
    assert_same(&graph, &again(&graph, 17));
}

#[test]
fn means_of_equal_cells_are_read_as_they_were_recorded() {
    let graph = Graph::record(&network(), [1, 3, 8, 6], |network, x: Tensor<4>| {
        adaptive_avg_pool2d(network.conv.forward(x), [4, 3])
    });
    let graph = graph.expect("recorded");
    assert_same(&graph, &again(&graph, 17));
}

#[test]
fn radial_basis_layers_are_read_as_they_were_recorded() {
    let mut builder = GraphBuilder::new(vec![2, 3]);
    let centers = builder.parameter("centers", ParameterKind::Fixed, vec![2, 3]);
    let elements = TensorData::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    builder.set_data(centers, ValueData::Elements(elements));
    let inputs = vec![builder.input(), centers];
    let output = builder.node("output", Op::RadialBasis, inputs, vec![2, 2]);
    let graph = builder.finish(vec![("y".to_owned(), output)]);
    assert_eq!(graph.nodes[0].op, Op::RadialBasis);
    assert_same(&graph, &again(&graph, 17));
}

#[test]
fn values_are_those_of_the_recorded_graph() {
    let graph = Graph::record(&network(), [1, 3, 6, 6], |network, x: Tensor<4>| {
        let x = network.norm.forward(network.conv.forward(x));
        let options = MaxPoolOptions::new([3, 3])
            .with_stride([2, 2])
            .with_ceil_mode(true);
        let x = max_pool2d(x, options);
        let options = AvgPoolOptions::new([2, 2]).with_padding([1, 1]);
        avg_pool2d(x, options.with_ceil_mode(true).with_count_include_pad(true))
    });
    let graph = graph.expect("recorded");
    let read = again(&graph, 17);
    let input: Vec<f64> = (0..108).map(|i| f64::from(i % 7) - 3.0).collect();
    let (a, b) = (
        interpreter::run(&graph, &input),
        interpreter::run(&read, &input),
    );
    assert_eq!(a[0].shape, b[0].shape);
    let worst = a[0]
        .values
        .iter()
        .zip(&b[0].values)
        .map(|(a, b)| (a - b).abs());
    assert!(worst.fold(0.0, f64::max) < 1e-9);
}

/// A graph of one operation, of an input of shape `input`, and a second operand with these elements.
fn one(op: Op, input: &[usize], operand: Option<(&[usize], &[f32])>, output: &[usize]) -> Graph {
    let mut builder = GraphBuilder::new(input.to_vec());
    let mut operands = vec![builder.input()];
    if let Some((shape, elements)) = operand {
        let id = builder.parameter("w", ParameterKind::Trainable, shape.to_vec());
        let elements = TensorData::new(elements.to_vec(), shape.to_vec());
        builder.set_data(id, ValueData::Elements(elements));
        operands.push(id);
    }
    let y = builder.node("output", op, operands, output.to_vec());
    builder.finish(vec![("y".to_owned(), y)])
}

/// Asserts that the file of `graph` computes what the graph does, for every opset.
fn assert_same_values(graph: &Graph) {
    let count = graph.value(graph.input).len();
    let input: Vec<f64> = (0..count)
        .map(|i| (i * 7 % 11) as f64 / 5.0 - 0.9)
        .collect();
    for opset in 13..=23 {
        let read = again(graph, opset);
        let [expected, found] = [graph, &read].map(|graph| interpreter::run(graph, &input));
        assert_eq!(expected[0].shape, found[0].shape);
        for (expected, found) in expected[0].values.iter().zip(&found[0].values) {
            let is_equal = (expected - found).abs() < 1e-6 || expected.is_nan() && found.is_nan();
            let op = &graph.nodes[0].op;
            assert!(
                is_equal,
                "{op:?}, opset {opset}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn functions_are_read_as_they_were_recorded() {
    let functions = [
        Function::LeakyRelu { slope: 0.1 },
        Function::Elu { alpha: 0.5 },
        Function::Selu {
            alpha: 1.5,
            scale: 1.25,
        },
        Function::Celu { alpha: 0.7 },
        Function::ThresholdedRelu { alpha: 0.3 },
        Function::HardSigmoid {
            alpha: 0.3,
            beta: 0.4,
        },
        Function::HardSwish,
        Function::Silu,
        Function::Mish,
        Function::Softplus,
        Function::Softsign,
        Function::Gelu,
        Function::GeluTanh,
        Function::Erf,
        Function::Exp,
        Function::Ln,
        Function::Sqrt,
        Function::Abs,
        Function::Neg,
        Function::Reciprocal,
        Function::Sign,
        Function::Floor,
        Function::Ceil,
        Function::Round,
        Function::Sin,
        Function::Cos,
    ];
    for function in functions {
        let graph = one(Op::Function(function), &[1, 11], None, &[1, 11]);
        assert_same_values(&graph);
        for opset in 13..=23 {
            assert_same(&graph, &again(&graph, opset));
        }
    }
}

#[test]
fn reductions_and_products_are_read_as_they_were_recorded() {
    let reductions = [
        Reduction::Sum,
        Reduction::Product,
        Reduction::Max,
        Reduction::Min,
        Reduction::L1,
        Reduction::L2,
        Reduction::SumOfSquares,
        Reduction::LogSum,
        Reduction::LogSumExp,
    ];
    for reduction in reductions {
        let axes = vec![1, 3];
        let op = Op::Reduce { reduction, axes };
        let graph = one(op, &[1, 2, 3, 4], None, &[1, 1, 3, 1]);
        assert_same_values(&graph);
        assert_same(&graph, &again(&graph, 17));
        assert_same(&graph, &again(&graph, 18));
    }
    let slopes: (&[usize], &[f32]) = (&[1, 2, 1, 1], &[0.5, 0.25]);
    let transposed = |output_padding: [usize; 2]| {
        Op::ConvTranspose2d(ConvTranspose2d {
            stride: [2, 3],
            padding: [[0, 1], [1, 0]],
            output_padding,
            dilation: [2, 1],
            groups: 2,
        })
    };
    let weight: (&[usize], &[f32]) = (&[2, 1, 2, 1], &[1.0, 2.0, 3.0, 4.0]);
    let maps = [1, 2, 3, 4];
    let graphs = [
        one(Op::Prelu, &maps, Some(slopes), &maps),
        one(transposed([1, 2]), &maps, Some(weight), &[1, 2, 7, 11]),
        one(Op::Binary(Arithmetic::Min), &maps, Some(slopes), &maps),
        one(Op::Binary(Arithmetic::Max), &maps, Some(slopes), &maps),
        one(Op::Binary(Arithmetic::Pow), &maps, Some(slopes), &maps),
        one(Op::Scalar(Arithmetic::Pow, 3.0), &maps, None, &maps),
    ];
    for graph in graphs {
        assert_same_values(&graph);
        assert_same(&graph, &again(&graph, 17));
    }
    // More rows and columns than the stride are those of zeros after the input.
    let wide = transposed([3, 5]);
    assert_same_values(&one(wide, &maps, Some(weight), &[1, 2, 9, 14]));
}

#[test]
fn interpolations_are_selections_resizes_or_products() {
    let half = vec![
        vec![(0, 1.0)],
        vec![(0, 0.75), (1, 0.25)],
        vec![(0, 0.25), (1, 0.75)],
        vec![(1, 1.0)],
    ];
    let reversed = vec![vec![(1, 1.0)], vec![(0, 1.0)]];
    let uneven = vec![vec![(0, 0.9), (1, 0.1)], vec![(0, 0.3), (1, 0.8)]];
    for axis in 0..4 {
        for taps in [&half, &reversed, &uneven] {
            let mut output = [2; 4];
            output[axis] = taps.len();
            let taps = taps.clone();
            let op = Op::Resample { axis, taps };
            assert_same_values(&one(op, &[2; 4], None, &output));
        }
    }
    let op = Op::Resample {
        axis: 2,
        taps: half,
    };
    let graph = one(op, &[1, 1, 2, 2], None, &[1, 1, 4, 2]);
    assert_same(&graph, &again(&graph, 13));
}

#[test]
fn arithmetic_with_numbers_keeps_its_values() {
    for arithmetic in [Arithmetic::Min, Arithmetic::Max, Arithmetic::Pow] {
        for number in [0.3, 2.0] {
            let op = Op::Scalar(arithmetic, number);
            assert_same_values(&one(op, &[1, 5], None, &[1, 5]));
        }
    }
}

#[test]
fn constant_outputs_are_written() {
    let mut builder = GraphBuilder::new(vec![1, 2]);
    let constant = builder.constant(vec![2], burn::tensor::DType::F32);
    builder.set_data(constant, ValueData::Fill(0.5));
    let input = builder.input();
    let outputs = [("c", constant), ("x", input)];
    let graph = builder.finish(outputs.map(|(name, id)| (name.to_owned(), id)).to_vec());
    let values = interpreter::run(&again(&graph, 17), &[1.0, 2.0]);
    assert_eq!(values[0].values, [0.5, 0.5]);
    assert_eq!(values[1].values, [1.0, 2.0]);
}
