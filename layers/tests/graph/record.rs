//! Tests of recorded graphs: weights, roles, simplifications and errors.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use receptive_layers::graph::{Graph, GraphError, Op, Origin, ParameterKind, ValueData};

use crate::interpreter;
use crate::networks::{Branches, Residual, conv, cpu};

#[test]
fn a_trace_has_no_weights() {
    let graph = Graph::trace(Branches::init, [2, 3, 12, 12], Branches::forward).unwrap();
    assert_eq!(graph.shape(graph.input), [2, 3, 12, 12]);
    assert_eq!(graph.shape(graph.outputs[0]), [2, 7]);
    for value in &graph.values {
        if let Some((name, ParameterKind::Trainable)) = value.parameter() {
            assert_eq!(value.data, None, "{name}");
        }
    }
}

#[test]
fn a_recording_has_the_weights_and_does_not_change_the_model() {
    let device = cpu();
    let network = Residual::init(&device);
    let images = Tensor::<4>::random([1, 3, 16, 16], Distribution::Default, &device);
    let before = network.forward(images.clone()).into_data();

    let graph = Graph::record(&network, [1, 3, 16, 16], Residual::forward).unwrap();
    assert_eq!(network.devices(), vec![device]);
    assert_eq!(network.bn1.running_mean.value().device(), images.device());
    network.forward(images).into_data().assert_eq(&before, true);

    let weight = graph
        .values
        .iter()
        .find(|value| value.parameter() == Some(("conv1.weight", ParameterKind::Trainable)))
        .expect("a weight");
    let Some(ValueData::Elements(data)) = &weight.data else {
        panic!("the weight has no data");
    };
    data.assert_eq(&network.conv1.weight.val().into_data(), true);
    for value in &graph.values {
        if let Origin::Parameter { name, kind } = &value.origin {
            let statistic = name.contains(".running_");
            assert_eq!(*kind == ParameterKind::Fixed, statistic, "{name}");
        }
    }
}

#[cfg(feature = "autodiff")]
#[test]
fn a_model_with_autodiff_is_recorded_as_inference_graph() {
    let device = cpu().autodiff();
    let network = Residual::init(&device);
    let images = Tensor::<4>::random([1, 3, 16, 16], Distribution::Default, &device);
    // A forward pass in training changes the running statistics.
    network.forward(images.clone());

    let graph = Graph::record(&network, [1, 3, 16, 16], Residual::forward).unwrap();
    let images = images.without_autodiff();
    let computed = interpreter::run(&graph, images.clone()).remove(0);
    let expected = network.valid().forward(images);
    computed
        .reshape(expected.dims())
        .into_data()
        .assert_approx_eq::<f32>(
            &expected.into_data(),
            burn::tensor::Tolerance::absolute(1e-5),
        );
    assert!(network.devices().iter().all(Device::is_autodiff));
}

#[test]
fn each_layer_is_a_single_node() {
    let ops = |graph: &Graph| -> Vec<Op> {
        let nodes = graph.nodes.iter();
        nodes.map(|node| node.op.clone()).collect()
    };
    let graph = Graph::trace(Residual::init, [1, 3, 16, 16], Residual::forward).unwrap();
    let ending = [
        Op::AdaptiveAvgPool2d { output: [1, 1] },
        Op::Reshape,
        Op::Linear,
    ];
    assert!(ops(&graph).ends_with(&ending));
    let fc = graph.nodes.last().expect("a node");
    let shapes: Vec<&[usize]> = fc.inputs.iter().map(|&id| graph.shape(id)).collect();
    assert_eq!(shapes, [&[1, 8][..], &[8, 5], &[5]]);

    let graph = Graph::trace(Branches::init, [1, 3, 12, 12], Branches::forward).unwrap();
    assert!(ops(&graph).contains(&Op::Clamp { min: 0.0, max: 6.0 }));
    assert!(ops(&graph).contains(&Op::LocalResponseNorm {
        size: 5,
        alpha: 1e-4,
        beta: 0.75,
        k: 2.0
    }));
}

#[test]
fn matrix_products_with_weights_become_linear_layers() {
    let init = |device: &Device| LinearConfig::new(3, 4).init(device);
    // A fully connected layer without Burn's `Linear::forward`.
    let forward = |layer: &Linear, x: Tensor<2>| {
        let bias = layer.bias.as_ref().expect("a bias").val();
        x.matmul(layer.weight.val()) + bias.unsqueeze()
    };
    let graph = Graph::trace(init, [2, 3], forward).unwrap();
    let [node] = &graph.nodes[..] else {
        panic!("{:?}", graph.nodes);
    };
    assert_eq!((&node.op, node.inputs.len()), (&Op::Linear, 3));
    assert_eq!(graph.values.len(), 4);
}

#[test]
fn consecutive_clamps_are_merged() {
    let identity = |device: &Device| LinearConfig::new(1, 1).init(device);
    let clamps = |forward: fn(Tensor<2>) -> Tensor<2>| {
        let graph = Graph::trace(identity, [2, 3], |_, x: Tensor<2>| forward(x)).unwrap();
        let nodes = graph.nodes.into_iter();
        nodes.map(|node| node.op).collect::<Vec<_>>()
    };
    let relu6 = [Op::Clamp { min: 0.0, max: 6.0 }];
    assert_eq!(clamps(|x| x.clamp_min(0.0).clamp_max(6.0)), relu6);
    assert_eq!(
        clamps(|x| burn::tensor::activation::relu(x).clamp_max(6.0)),
        relu6
    );
    assert_eq!(clamps(|x| x.clamp_min(0.0)), [Op::Relu]);
    assert_eq!(clamps(|x| x.clamp(0.0, 6.0).clamp_min(-1.0)), relu6);
}

#[test]
fn dead_nodes_are_removed() {
    let graph = Graph::trace(
        |device| {
            [
                LinearConfig::new(3, 4).init(device),
                LinearConfig::new(3, 4).init(device),
            ]
        },
        [1, 3],
        |layers: &[Linear; 2], x: Tensor<2>| {
            let _unused = layers[1].forward(x.clone()).exp();
            layers[0].forward(x)
        },
    )
    .unwrap();
    assert_eq!(graph.nodes.len(), 1);
    assert_eq!(graph.nodes[0].name, "0");
}

#[test]
fn unknown_operations_keep_their_name() {
    let init = |device: &Device| LinearConfig::new(3, 4).init(device);
    let forward = |layer: &Linear, x: Tensor<2>| layer.forward(x).cumsum(1);
    let graph = Graph::trace(init, [1, 3], forward).unwrap();
    assert_eq!(
        graph.nodes[1].op,
        Op::Other {
            name: "cumsum".to_owned(),
            multiply_adds: Some(0),
        }
    );
}

#[test]
fn missing_foreign_and_oversized_tensors_are_errors() {
    let init = |device: &Device| LinearConfig::new(3, 4).init(device);
    let nothing = |_: &Linear, _: Tensor<2>| Vec::<Tensor<2>>::new();
    let error = Graph::trace(init, [1, 3], nothing).unwrap_err();
    assert_eq!(error, GraphError::NoOutput);

    let elsewhere = |layer: &Linear, x: Tensor<2>| {
        let other = Tensor::<2>::zeros([1, 1], &cpu());
        (layer.forward(x), other)
    };
    let error = Graph::trace(init, [1, 3], elsewhere).unwrap_err();
    assert_eq!(error, GraphError::OutputElsewhere { index: 1 });

    let forward = |layer: &Linear, x: Tensor<2>| layer.forward(x);
    for rows in [1 << 40, usize::MAX] {
        let error = Graph::trace(init, [rows, 3], forward).unwrap_err();
        assert!(matches!(error, GraphError::InputTooLarge { .. }), "{error}");
    }
}

#[test]
fn a_huge_input_is_traced_without_allocation() {
    let side = 1 << 18;
    let graph = Graph::trace(
        Branches::init,
        [1, 3, 12, 12],
        |net: &Branches, _: Tensor<4>| {
            let device = net.stem.conv.weight.device();
            net.stem.forward(Tensor::zeros([1, 3, side, side], &device))
        },
    )
    .unwrap();
    assert_eq!(graph.shape(graph.outputs[0]), [1, 6, side, side]);
}

#[test]
fn an_output_may_be_returned_twice() {
    let init = |device: &Device| LinearConfig::new(3, 4).init(device);
    let forward = |layer: &Linear, x: Tensor<2>| {
        let y = layer.forward(x);
        vec![y.clone(), y.clone() * 2.0, y]
    };
    let graph = Graph::trace(init, [2, 3], forward).unwrap();
    assert_eq!(graph.outputs.len(), 3);
    assert_eq!(graph.outputs[0], graph.outputs[2]);
    let graph = Graph::trace(init, [2, 3], |_: &Linear, x: Tensor<2>| (x.clone(), x)).unwrap();
    assert_eq!(graph.outputs, [graph.input, graph.input]);
}

#[test]
fn an_input_that_the_network_does_not_take_is_an_error() {
    let init = |device: &Device| conv([3, 8], 3, device);
    let forward = |conv: &Conv2d, x: Tensor<4>| conv.forward(x);
    let error = Graph::trace(init, [1, 1, 8, 8], forward).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("forward failed for an input of shape [1, 1, 8, 8]: "),
        "{message}"
    );
    assert!(!message.contains(['\n', '=']), "{message}");
    for shape in [[0, 3, 8, 8], [1, 0, 8, 8], [1, 3, 0, 8], [1, 3, 8, 0]] {
        let error = Graph::trace(init, shape, forward).unwrap_err();
        let expected = format!("the input {shape:?} is empty, expected axes of at least 1");
        assert_eq!(error.to_string(), expected);
    }
    let reads = |conv: &Conv2d, x: Tensor<4>| {
        let sum = conv.forward(x).sum().into_scalar::<f32>();
        Tensor::<1>::from_floats([sum], &Device::capture())
    };
    let error = Graph::trace(init, [1, 3, 8, 8], reads).unwrap_err();
    assert!(matches!(error, GraphError::Forward { .. }), "{error}");
}

#[test]
fn a_graph_is_of_any_batch_unless_images_are_combined() {
    let init = |device: &Device| conv([3, 8], 3, device);
    let any_batch = |images: usize, forward: fn(&Conv2d, Tensor<4>) -> Tensor<4>| {
        let graph = Graph::trace(init, [images, 3, 8, 8], forward).unwrap();
        graph.any_batch
    };
    for images in [1, 2] {
        assert!(any_batch(images, |conv, x| conv.forward(x)));
        assert!(any_batch(images, |conv, x| {
            let device = x.device();
            let [images, channels, ..] = x.dims();
            let ones = Tensor::ones([1, channels, 1, 1], &device);
            let y = conv.forward(x.slice([0..images, 0..3, 0..8, 1..8]) * ones);
            y.flatten::<2>(1, 3).reshape([images, 8, 7, 8])
        }));
        assert!(!any_batch(images, |conv, x| {
            let mean = x.clone().mean_dim(0);
            conv.forward(x - mean)
        }));
        assert!(!any_batch(images, |conv, x| conv
            .forward(x.swap_dims(0, 2))
            .narrow(0, 0, 1)));
        assert!(!any_batch(images, |conv, x| {
            let [images, ..] = x.dims();
            conv.forward(x) * images as f32
        }));
    }
}
