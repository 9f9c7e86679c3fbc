//! Tests of `draw`, and of the drawings of every network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use receptive::registry::{self, Model};
use receptive_layers::drawing::{Diagram, Volumes};
use roxmltree::{Document, Node};

use crate::{error_line, files, json, output, receptive, text};

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

#[test]
fn every_network_is_drawn_in_both_styles_at_every_depth() {
    for model in registry::models() {
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
}

#[test]
fn repeated_blocks_are_drawn_once() {
    let model = registry::model("resnet152").expect("listed");
    let volumes = Volumes::from_diagram(&diagram(&model, None, false));
    let named = |name: &str| volumes.volumes.iter().find(|volume| volume.name == name);
    let blocks = named("layer3.1–35").expect("folded");
    assert_eq!(blocks.times, 35);
    assert_eq!(blocks.output, [1, 1024, 14, 14]);
    assert_eq!(
        blocks.kinds,
        ["1x1, 256", "3x3, 256", "1x1, 1024", "+ shortcut"]
    );

    let stages = diagram(&model, Some(1), false);
    let names: Vec<&str> = stages.boxes.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "input", "conv1", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"
        ]
    );
}

#[test]
fn lenet5_drawings_match_the_snapshots() {
    insta::assert_snapshot!(output(&["draw", "lenet5"]));
    insta::assert_snapshot!(output(&[
        "draw", "lenet5", "--style", "graph", "--format", "dot"
    ]));
    insta::assert_snapshot!(output(&["draw", "lenet5", "--format", "json"]));
}

/// Pictures that the READMEs show. `RECEPTIVE_BLESS=1` updates them.
const README_PICTURES: [(&str, &[&str]); 4] = [
    ("lenet5-blocks.svg", &["lenet5"]),
    ("vgg16-blocks.svg", &["vgg16"]),
    ("resnet152-blocks.svg", &["resnet152"]),
    ("googlenet-graph.svg", &["googlenet", "--style", "graph"]),
];

#[test]
fn the_pictures_of_the_readmes_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/drawings");
    for (file, arguments) in README_PICTURES {
        let drawn = output(&[&["draw"], arguments].concat());
        let path = folder.join(file);
        if std::env::var_os("RECEPTIVE_BLESS").is_some() {
            fs::write(&path, &drawn).expect("written");
        }
        let committed = fs::read_to_string(&path).expect("committed");
        assert!(
            committed == drawn,
            "{file} differs from the output of `receptive draw`"
        );
    }
}

#[test]
fn the_extension_chooses_the_format() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, begins) in [
        ("a.svg", "<svg"),
        ("a.dot", "digraph"),
        ("a.gv", "digraph"),
        ("a.JSON", "{"),
    ] {
        let path = folder.path().join(file);
        receptive(&["draw", "resnet18", "--depth", "1", "-o", text(&path)])
            .assert()
            .success()
            .stdout("")
            .stderr("");
        let drawn = fs::read_to_string(&path).expect("written");
        assert!(drawn.starts_with(begins), "{file}: {drawn}");
    }
    let path = folder.path().join("b.txt");
    receptive(&["draw", "lenet5", "--format", "json", "-o", text(&path)])
        .assert()
        .success();
    let drawn = json(&fs::read_to_string(&path).expect("written"));
    assert_eq!(drawn["model"], "lenet5");
    assert_eq!(files(folder.path()).len(), 5);
}

#[test]
fn input_classes_and_auxiliary_heads_are_drawn() {
    let drawn = json(&output(&[
        "draw",
        "resnet18",
        "--input",
        "2x3x64x96",
        "--classes",
        "7",
        "--format",
        "json",
    ]));
    let volumes = drawn["volumes"].as_array().expect("a list");
    assert_eq!(volumes[0]["output"], serde_json::json!([2, 3, 64, 96]));
    assert_eq!(
        volumes[volumes.len() - 1]["output"],
        serde_json::json!([2, 7])
    );

    let drawn = json(&output(&[
        "draw",
        "googlenet",
        "--train",
        "--style",
        "graph",
        "--format",
        "json",
    ]));
    assert_eq!(drawn["outputs"].as_array().expect("a list").len(), 3);

    let drawn = json(&output(&[
        "draw",
        "googlenet",
        "--train",
        "--format",
        "json",
    ]));
    let volumes = drawn["volumes"].as_array().expect("a list");
    let heads = drawn["heads"].as_array().expect("a list");
    let found: Vec<Vec<&str>> = (heads.iter())
        .map(|head| {
            let from = head["from"].as_u64().expect("an index") as usize;
            let own = head["volumes"].as_array().expect("a list");
            std::iter::once(&volumes[from])
                .chain(own)
                .map(|volume| volume["name"].as_str().expect("a name"))
                .collect()
        })
        .collect();
    assert_eq!(
        found,
        [
            ["inception4a", "avgpool1", "aux1"],
            ["inception4d", "avgpool2", "aux2"]
        ]
    );
}

#[test]
fn a_failed_drawing_is_an_error_and_leaves_no_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("no/such/folder/a.svg");
    let unknown = folder.path().join("a.bmp");
    let taken = folder.path().join("taken.svg");
    fs::create_dir(&taken).expect("a folder");
    for (arguments, part) in [
        (&["draw", "resnet5O"][..], "resnet50"),
        (&["draw", "lenet5", "-o", text(&nowhere)], "a.svg"),
        (
            &["draw", "lenet5", "-o", text(&unknown)],
            ".svg, .dot, .gv or .json",
        ),
        (&["draw", "lenet5", "-o", text(&taken)], "taken.svg"),
        (
            &["draw", "lenet5", "--input", "1x3x28x28"],
            "expected [batch, 1",
        ),
    ] {
        let line = error_line(arguments);
        assert!(line.contains(part), "{line}");
    }
    for arguments in [
        &["draw", "lenet5", "--style", "cubist"][..],
        &["draw", "lenet5", "--format", "png"],
        &["draw", "lenet5", "--depth", "0"],
        &["draw"],
    ] {
        receptive(arguments).assert().code(2).stdout("");
    }
    assert_eq!(files(folder.path()), ["taken.svg"]);
}
