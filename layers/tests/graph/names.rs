//! Tests of node names, which follow PyTorch's module paths.

use burn::tensor::{Device, Tensor};
use receptive_layers::graph::Graph;

use crate::networks::{Branches, Residual};

fn names(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.name.as_str()).collect()
}

#[test]
fn sums_and_activations_are_named_after_their_residual_block() {
    let graph = Graph::trace(Residual::init, [1, 3, 16, 16], Residual::forward).unwrap();
    assert_eq!(
        names(&graph),
        [
            "conv1",
            "bn1",
            "relu",
            "maxpool",
            "layer1.0.conv1",
            "layer1.0.bn1",
            "layer1.0.relu1",
            "layer1.0.conv2",
            "layer1.0.bn2",
            "layer1.0.downsample.0",
            "layer1.0.downsample.1",
            "layer1.0.add",
            "layer1.0.relu2",
            "layer1.1.conv1",
            "layer1.1.bn1",
            "layer1.1.relu1",
            "layer1.1.conv2",
            "layer1.1.bn2",
            "layer1.1.add",
            "layer1.1.relu2",
            "avgpool",
            "reshape",
            "fc",
        ]
    );
}

#[test]
fn pools_and_concatenations_are_named_after_their_branches_module() {
    let graph = Graph::trace(Branches::init, [1, 3, 12, 12], Branches::forward).unwrap();
    assert_eq!(
        names(&graph),
        [
            "stem.conv",
            "stem.relu",
            "lrn",
            "maxpool",
            "mixed.branch2.0.conv",
            "mixed.branch2.0.bn",
            "mixed.branch2.0.relu",
            "mixed.branch2.1.conv",
            "mixed.branch2.1.bn",
            "mixed.branch2.1.relu",
            "mixed.branch1.conv",
            "mixed.branch1.bn",
            "mixed.branch1.relu",
            "mixed.maxpool",
            "mixed.branch3.conv",
            "mixed.branch3.bn",
            "mixed.branch3.relu",
            "mixed.concat",
            "separable.0.conv",
            "separable.0.bn",
            "separable.0.relu6",
            "separable.1.conv",
            "separable.1.bn",
            "separable.1.relu6",
            "reshape",
            "classifier",
        ]
    );
}

#[test]
fn renaming_changes_parameters_and_nodes() {
    let graph = Graph::trace(Residual::init, [1, 3, 16, 16], Residual::forward)
        .unwrap()
        .renamed(|name| name.replace("layer1.", "blocks."));
    assert!(names(&graph).contains(&"blocks.1.add"));
    let parameters: Vec<&str> = graph
        .values
        .iter()
        .filter_map(|value| value.parameter())
        .map(|(name, _)| name)
        .collect();
    assert!(
        parameters.contains(&"blocks.0.bn1.weight"),
        "{parameters:?}"
    );
    assert!(parameters.contains(&"blocks.0.bn1.running_mean"));
    assert!(parameters.contains(&"blocks.0.downsample.0.bias"));
}

#[test]
fn layers_without_parameters_are_numbered_within_their_module() {
    use burn::module::Module;
    use burn::nn::conv::Conv2d;
    use burn::tensor::activation;

    use crate::networks::{conv, max_pool};

    #[derive(Module, Debug)]
    struct Plain {
        features: Vec<Conv2d>,
    }
    let init = |device: &Device| Plain {
        features: vec![conv([3, 4], 3, device), conv([4, 5], 3, device)],
    };
    let forward = |net: &Plain, mut x: Tensor<4>| {
        for conv in &net.features {
            x = activation::relu(conv.forward(x));
            x = max_pool(2, 2).forward(x);
        }
        x
    };
    let graph = Graph::trace(init, [1, 3, 8, 8], forward).unwrap();
    assert_eq!(
        names(&graph),
        [
            "features.0",
            "features.relu1",
            "features.maxpool1",
            "features.1",
            "features.relu2",
            "features.maxpool2",
        ]
    );

    // A convolution that runs twice is numbered too.
    let twice = |net: &Plain, x: Tensor<4>| {
        let x = Tensor::cat(vec![x.clone().narrow(1, 0, 1), x], 1);
        net.features[1].forward(net.features[1].forward(x).narrow(1, 0, 4))
    };
    let graph = Graph::trace(init, [1, 3, 8, 8], twice).unwrap();
    let convolutions: Vec<&str> = names(&graph)
        .into_iter()
        .filter(|name| name.contains("conv"))
        .collect();
    assert_eq!(convolutions, ["features.1.conv1", "features.1.conv2"]);
}
