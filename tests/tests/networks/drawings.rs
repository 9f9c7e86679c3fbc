//! Every network is drawn in both styles at every depth.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::Trial;
use receptive::registry::{Model, Registry};
use receptive_layers::drawing::{Diagram, Volumes};
use receptive_tests::networks::{self, Tested};
use roxmltree::{Document, Node};

use crate::cases;

/// A rectangle: left, top, right, bottom.
type Rect = [f64; 4];

fn diagram(model: &Model, depth: Option<usize>, train: bool) -> Diagram {
    let graph = model.graph(model.classes, model.input.shape(), train);
    Diagram::from_graph(&graph.expect("recorded"), model.name, depth)
}

fn number(node: Node, name: &str) -> f64 {
    node.attribute(name).expect(name).parse().expect("a number")
}

fn rect(node: Node) -> Rect {
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(node, name));
    [x, y, x + width, y + height]
}

fn overlap(one: Rect, other: Rect) -> bool {
    one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}

/// Rectangles of the boxes and volumes.
fn shapes<'a>(svg: &'a Document) -> Vec<Node<'a, 'a>> {
    let shape = |node: &Node| {
        node.attribute("class")
            .is_some_and(|class| class.starts_with("rn-shape"))
    };
    (svg.descendants())
        .filter(|node| node.has_tag_name("rect") && shape(node))
        .collect()
}

fn assert_no_overlap(name: &str, svg: &Document) {
    let rects: Vec<Rect> = shapes(svg).into_iter().map(rect).collect();
    let page = page_size(svg);
    for (index, &one) in rects.iter().enumerate() {
        assert!(one[0] >= 0.0 && one[1] >= 0.0, "{name}: {one:?}");
        assert!(one[2] <= page[0] && one[3] <= page[1], "{name}: {one:?}");
        for &other in &rects[index + 1..] {
            assert!(!overlap(one, other), "{name}: {one:?} {other:?}");
        }
    }
}

fn page_size(svg: &Document) -> [f64; 2] {
    ["width", "height"].map(|name| number(svg.root_element(), name))
}

/// Rectangles that arrows may start and end at, by name: boxes, and the dots of frames, which have
/// no area.
fn arrow_ends(svg: &Document) -> BTreeMap<String, Rect> {
    let named = svg.descendants().filter_map(|node| {
        let name = node.attribute("data-box")?.to_owned();
        let bounds = if node.has_tag_name("circle") {
            let [x, y] = ["cx", "cy"].map(|axis| number(node, axis));
            [x, y, x, y]
        } else {
            rect(
                node.descendants()
                    .find(|one| one.has_tag_name("rect"))
                    .expect("a box"),
            )
        };
        Some((name, bounds))
    });
    named.collect()
}

/// First and last point of a path with absolute coordinates.
fn path_ends(path: &str) -> [[f64; 2]; 2] {
    let numbers: Vec<f64> = path
        .split(|letter: char| letter.is_ascii_alphabetic() || letter == ',' || letter == ' ')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().expect("a number"))
        .collect();
    let last = numbers.len() - 2;
    [[numbers[0], numbers[1]], [numbers[last], numbers[last + 1]]]
}

fn assert_arrows_touch_boxes(name: &str, svg: &Document) -> usize {
    let ends = arrow_ends(svg);
    let mut arrows = 0;
    for arrow in svg
        .descendants()
        .filter(|node| node.has_attribute("data-from"))
    {
        let path = arrow.descendants().find(|node| node.has_tag_name("path"));
        let [begin, end] = path_ends(path.expect("a path").attribute("d").expect("its points"));
        let from = ends[arrow.attribute("data-from").expect("a beginning")];
        let to = ends[arrow.attribute("data-to").expect("an end")];
        let near = |a: f64, b: f64| (a - b).abs() < 0.2;
        assert!(near(begin[1], from[3]), "{name}: {begin:?} {from:?}");
        assert!(
            from[0] - 0.2 <= begin[0] && begin[0] <= from[2] + 0.2,
            "{name}"
        );
        assert!(near(end[1], to[1]), "{name}: {end:?} {to:?}");
        assert!(to[0] - 0.2 <= end[0] && end[0] <= to[2] + 0.2, "{name}");
        arrows += 1;
    }
    arrows
}

/// Asserts that the boxes contain every node of the graph that depends on the input exactly once.
fn assert_every_node_is_drawn_once(model: &Model, drawn: &Diagram, train: bool) {
    let graph = model
        .graph(model.classes, model.input.shape(), train)
        .expect("recorded");
    let mut dependent = BTreeSet::from([graph.input]);
    let mut expected = Vec::new();
    for node in &graph.nodes {
        if node.inputs.iter().any(|input| dependent.contains(input)) {
            dependent.extend(&node.outputs);
            expected.push(node.name.clone());
        }
    }
    let mut found: Vec<String> = drawn
        .boxes
        .iter()
        .flat_map(|one| one.nodes.clone())
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{}", model.name);
}

/// Checks the drawings of the network in both styles, at every depth and with its auxiliary heads.
fn assert_is_drawn(name: &str) {
    let model = Tested::model(name).unwrap();
    for (depth, train) in [
        (None, false),
        (Some(1), false),
        (Some(2), false),
        (Some(3), false),
        (None, true),
    ] {
        let name = format!("{} {depth:?} {train}", model.name);
        let diagram = diagram(&model, depth, train);
        assert_every_node_is_drawn_once(&model, &diagram, train);
        assert!(diagram.arrows.iter().all(|[from, to]| from < to), "{name}");

        let picture = diagram.svg();
        assert!(picture.len() < 150_000, "{name}: {} bytes", picture.len());
        let svg = Document::parse(&picture).expect("XML");
        assert_eq!(shapes(&svg).len(), diagram.boxes.len(), "{name}");
        assert_no_overlap(&name, &svg);
        assert!(
            assert_arrows_touch_boxes(&name, &svg) + 1 >= diagram.boxes.len(),
            "{name}"
        );

        let volumes = Volumes::from_diagram(&diagram);
        let last = &volumes.volumes[volumes.volumes.len() - 1];
        assert_eq!(last.output, [1, model.classes], "{name}");
        let picture = volumes.svg();
        assert!(picture.len() < 150_000, "{name}: {} bytes", picture.len());
        assert_no_overlap(&name, &Document::parse(&picture).expect("XML"));
    }
}

pub fn trials() -> Vec<Trial> {
    cases("drawings", networks::names(), assert_is_drawn)
}
