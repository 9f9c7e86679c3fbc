//! Tests of drawings of recorded networks.

use std::collections::BTreeSet;

use proptest::prelude::*;
use receptive_layers::drawing::{Diagram, Role, Volumes};
use receptive_layers::graph::Graph;

use crate::networks::{Branches, cpu};
use crate::plain_burn::PlainNet;
use crate::random::{Random, layer_config};

/// Returns the sorted names of the nodes that depend on the input.
fn input_dependent(graph: &Graph) -> Vec<&String> {
    let mut values = BTreeSet::from([graph.input]);
    let mut names = Vec::new();
    for node in &graph.nodes {
        if node.inputs.iter().any(|input| values.contains(input)) {
            values.extend(&node.outputs);
            names.push(&node.name);
        }
    }
    names.sort();
    names
}

/// Returns the sorted names of the nodes in all boxes of `diagram`.
fn nodes(diagram: &Diagram) -> Vec<&String> {
    let mut nodes: Vec<&String> = diagram.boxes.iter().flat_map(|one| &one.nodes).collect();
    nodes.sort();
    nodes
}

#[test]
fn a_plain_burn_module_is_drawn() {
    let graph = Graph::trace(PlainNet::new, [1, 3, 64, 64], PlainNet::forward).unwrap();
    let diagram = Diagram::from_graph(&graph, "plain", None);
    assert_eq!(nodes(&diagram), input_dependent(&graph));
    assert_eq!(diagram.frames.len(), 1);
    assert_eq!(
        (diagram.frames[0].name.as_str(), diagram.frames[0].times),
        ("blocks.0–1", 2)
    );

    let volumes = Volumes::from_diagram(&diagram);
    let blocks = volumes
        .volumes
        .iter()
        .find(|volume| volume.role == Role::Group)
        .unwrap();
    assert_eq!(blocks.times, 2);
    assert_eq!(blocks.kinds, ["3x3, 32", "3x3, 32", "+ shortcut"]);
    assert_eq!(volumes.volumes[volumes.volumes.len() - 1].output, [1, 10]);
}

#[test]
fn branches_are_described() {
    let graph = Graph::trace(Branches::init, [1, 3, 12, 12], Branches::forward).unwrap();
    let volumes = Volumes::from_diagram(&Diagram::from_graph(&graph, "branches", None));
    let mixed = volumes
        .volumes
        .iter()
        .find(|volume| volume.name == "mixed")
        .unwrap();
    assert_eq!(
        mixed.kinds,
        ["1x1, 3 → 3x3, 4", "1x1, 2", "max pool 3x3/1 → 1x1, 2"]
    );
}

proptest! {
    #[test]
    fn every_node_is_drawn_once(
        configs in prop::collection::vec(layer_config(), 0..7),
        size in [5..12usize, 5..12usize],
        mean in any::<bool>(),
        depth in prop::option::of(0..4usize),
    ) {
        let shape = [1, 3, size[0], size[1]];
        let (network, _) = Random::init(&configs, shape, mean, &cpu());
        let graph = Graph::record(&network, shape, Random::outputs).expect("a network");
        let diagram = Diagram::from_graph(&graph, "random", depth);
        prop_assert_eq!(nodes(&diagram), input_dependent(&graph));
        for picture in [diagram.svg(), Volumes::from_diagram(&diagram).svg()] {
            prop_assert!(roxmltree::Document::parse(&picture).is_ok());
        }
    }
}
