//! Files that this crate wrote.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::graph::{Graph, GraphBuilder, Op, ParameterKind, ValueData};

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
