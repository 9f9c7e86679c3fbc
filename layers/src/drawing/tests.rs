//! Properties of the drawings of random diagrams.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::collapse::collapse_repeats;
use super::geometry::Rect;
use super::group::group_by_prefix;
use super::layout::{DiagramLayout, Endpoint, layout};
use super::{Diagram, LayerBox, Role, Volume, Volumes};

fn layer(name: String, role: Role, kind: &str) -> LayerBox {
    LayerBox {
        nodes: vec![format!("node of {name}")],
        name,
        kinds: vec![kind.to_owned()],
        role,
        output: vec![1, 8, 16, 16],
        times: 1,
        members: Vec::new(),
    }
}

/// Module path of a box, its kind, and the distances back to the boxes that it reads.
type RandomBox = (Vec<u8>, u8, Vec<usize>);

/// Returns a diagram of boxes in modules, in which each box reads earlier boxes.
fn diagram_of(random: &[RandomBox]) -> Diagram {
    let mut boxes = vec![layer("input".to_owned(), Role::Input, "")];
    let mut arrows = Vec::new();
    for (index, (path, kind, distances)) in random.iter().enumerate() {
        let index = index + 1;
        let mut names: Vec<String> = path.iter().map(|part| format!("m{part}")).collect();
        names.push(format!("layer{index}"));
        let sources: BTreeSet<usize> = (distances.iter())
            .map(|distance| index - 1 - distance % index)
            .collect();
        let (role, kind) = match (sources.len(), kind) {
            (2.., _) => (Role::Merge, "add"),
            (_, 0) => (Role::Pool, "max pool 2x2/2"),
            _ => (Role::Convolution, "conv 3x3"),
        };
        boxes.push(layer(names.join("."), role, kind));
        arrows.extend(sources.into_iter().map(|source| [source, index]));
    }
    let is_read = |index: usize| arrows.iter().any(|&[from, _]| from == index);
    let outputs = (0..boxes.len())
        .rev()
        .filter(|&index| !is_read(index))
        .collect();
    Diagram {
        model: "random".to_owned(),
        boxes,
        arrows,
        frames: Vec::new(),
        outputs,
    }
}

fn random_boxes() -> impl Strategy<Value = Vec<RandomBox>> {
    let distances =
        prop_oneof![4 => Just(vec![0]), 2 => vec(0..3usize, 2), 1 => vec(0..9usize, 1..4)];
    vec((vec(0..2u8, 0..3), 0..3u8, distances), 1..24)
}

/// Returns `times` residual blocks in the modules `stage.0`, `stage.1` and so on.
fn residual_blocks(times: usize) -> Diagram {
    let mut boxes = vec![layer("input".to_owned(), Role::Input, "")];
    let mut arrows = Vec::new();
    for block in 0..times {
        let before = boxes.len() - 1;
        for (part, kind) in [("conv1", "conv 3x3"), ("conv2", "conv 3x3"), ("add", "add")] {
            arrows.push([boxes.len() - 1, boxes.len()]);
            let role = if part == "add" {
                Role::Merge
            } else {
                Role::Convolution
            };
            boxes.push(layer(format!("stage.{block}.{part}"), role, kind));
        }
        arrows.push([before, boxes.len() - 1]);
    }
    let outputs = vec![boxes.len() - 1];
    Diagram {
        model: "repeated".to_owned(),
        boxes,
        arrows,
        frames: Vec::new(),
        outputs,
    }
}

fn nodes(diagram: &Diagram) -> Vec<&String> {
    let mut nodes: Vec<&String> = diagram
        .boxes
        .iter()
        .flat_map(|layer| &layer.nodes)
        .collect();
    nodes.sort();
    nodes
}

/// Checks arrows, sources and frames: properties of every diagram.
fn check(diagram: &Diagram) {
    for [from, to] in &diagram.arrows {
        assert!(from < to && *to < diagram.boxes.len());
    }
    for index in 1..diagram.boxes.len() {
        assert!(diagram.sources(index).count() > 0, "{index} of {diagram:?}");
    }
    for (index, frame) in diagram.frames.iter().enumerate() {
        assert!(frame.first <= frame.last && frame.last < diagram.boxes.len());
        for later in &diagram.frames[index + 1..] {
            let nested = frame.first <= later.first && later.last <= frame.last;
            assert!(nested || later.first > frame.last, "{frame:?} {later:?}");
        }
    }
}

fn overlap(one: &Rect, other: &Rect) -> bool {
    one.left < other.left + other.width
        && other.left < one.left + one.width
        && one.top < other.top + other.height
        && other.top < one.top + one.height
}

fn within(inner: &Rect, outer: &Rect) -> bool {
    inner.left >= outer.left
        && inner.top >= outer.top
        && inner.left + inner.width <= outer.left + outer.width
        && inner.top + inner.height <= outer.top + outer.height
}

/// Returns whether a line segment crosses the interior of a rectangle.
fn crosses([from, to]: [[f64; 2]; 2], rect: &Rect) -> bool {
    let sides = [
        [rect.left, rect.left + rect.width],
        [rect.top, rect.top + rect.height],
    ];
    // Part of the segment inside the rectangle, in units of the segment.
    let mut part = [0.0f64, 1.0];
    for axis in [0, 1] {
        let along = to[axis] - from[axis];
        let [low, high] = sides[axis].map(|side| side - from[axis]);
        if along.abs() < 1e-6 {
            if low > -1e-6 || high < 1e-6 {
                return false;
            }
            continue;
        }
        let ends = [low / along, high / along];
        part = [
            part[0].max(ends[0].min(ends[1])),
            part[1].min(ends[0].max(ends[1])),
        ];
    }
    part[1] - part[0] > 1e-6
}

/// Checks that boxes do not overlap, frames contain exactly their boxes, and edges connect their
/// boxes without crossing others.
fn check_layout(diagram: &Diagram, layout: &DiagramLayout) {
    let page = Rect {
        left: -0.001,
        top: 0.0,
        width: layout.size[0] + 0.002,
        height: layout.size[1],
    };
    for (index, rect) in layout.boxes.iter().enumerate() {
        assert!(within(rect, &page), "{index}: {rect:?} {page:?}");
        for other in &layout.boxes[index + 1..] {
            assert!(!overlap(rect, other), "{rect:?} {other:?}");
        }
        for (frame, frame_rect) in diagram.frames.iter().zip(&layout.frames) {
            if (frame.first..=frame.last).contains(&index) {
                assert!(within(rect, frame_rect));
            } else {
                assert!(!overlap(rect, frame_rect), "{index} and {frame:?}");
            }
        }
    }
    let mut targets = BTreeSet::new();
    for route in &layout.routes {
        let [first, .., last] = route.points[..] else {
            panic!("an arrow has two ends");
        };
        let [from, to] = [route.from, route.to].map(|endpoint| match endpoint {
            Endpoint::Box(index) => layout.boxes[index],
            Endpoint::Junction(frame) => {
                let [left, top] = layout.junctions[frame];
                Rect {
                    left,
                    top,
                    ..Rect::default()
                }
            }
        });
        for (x, rect) in [(first[0], from), (last[0], to)] {
            assert!((x - rect.left - rect.width / 2.0).abs() < rect.width / 2.0 + 0.001);
        }
        assert!((first[1] - from.top - from.height).abs() < 0.001);
        assert!((last[1] - to.top).abs() < 0.001);
        if let Endpoint::Box(index) = route.to {
            targets.insert(index);
        }
        for line in route.points.windows(2) {
            for (index, rect) in layout.boxes.iter().enumerate() {
                assert!(
                    !crosses([line[0], line[1]], rect),
                    "{line:?} {index} {rect:?}"
                );
            }
        }
        for point in &route.points {
            let point = Rect {
                left: point[0],
                top: point[1],
                ..Rect::default()
            };
            assert!(within(&point, &page), "{point:?}");
        }
    }
    assert_eq!(targets.len() + 1, diagram.boxes.len());
}

/// Checks that there is one head for each output that is not an ancestor of the first output, and
/// that the head ends in that output.
fn check_heads(diagram: &Diagram, volumes: &Volumes) {
    let end = |volumes: &[Volume]| volumes.last().expect("a volume").output.clone();
    let [first, ref further @ ..] = diagram.outputs[..] else {
        panic!("an output: {diagram:?}")
    };
    assert_eq!(end(&volumes.volumes), diagram.boxes[first].output);
    let mut main = BTreeSet::from([first]);
    for index in (0..=first).rev() {
        if main.contains(&index) {
            main.extend(diagram.sources(index));
        }
    }
    let further = further.iter().filter(|output| !main.contains(output));
    let further: Vec<usize> = further.copied().collect();
    assert_eq!(volumes.heads.len(), further.len(), "{diagram:?}");
    for (head, output) in volumes.heads.iter().zip(further) {
        assert!(head.from < volumes.volumes.len());
        assert_eq!(end(&head.volumes), diagram.boxes[output].output);
    }
}

proptest! {
    #[test]
    fn random_diagrams_are_drawn_without_overlap(
        random in random_boxes(),
        depth in proptest::option::of(0..4usize),
        width in 10.0..200.0f64,
    ) {
        let whole = diagram_of(&random);
        let grouped = match depth {
            Some(depth) => group_by_prefix(&whole, depth),
            None => whole.clone(),
        };
        check(&grouped);
        let diagram = collapse_repeats(&grouped);
        check(&diagram);
        prop_assert_eq!(nodes(&diagram), nodes(&whole));

        let sizes: Vec<[f64; 2]> = (0..diagram.boxes.len())
            .map(|index| [width + (index % 5) as f64 * 20.0, 20.0 + (index % 3) as f64 * 12.0])
            .collect();
        let titles = vec![width; diagram.frames.len()];
        check_layout(&diagram, &layout(&diagram, &sizes, &titles));

        let volumes = Volumes::from_diagram(&diagram);
        prop_assert!(volumes.volumes.len() > 1);
        check_heads(&diagram, &volumes);
        for svg in [diagram.svg(), volumes.svg()] {
            prop_assert!(roxmltree::Document::parse(&svg).is_ok());
        }
    }

    #[test]
    fn repeated_blocks_collapse_to_one_frame(times in 1..9usize) {
        let whole = residual_blocks(times);
        let diagram = collapse_repeats(&whole);
        check(&diagram);
        prop_assert_eq!(diagram.boxes.len(), 4);
        prop_assert_eq!(diagram.frames.len(), 1);
        prop_assert_eq!(diagram.frames[0].times, times);
        prop_assert!(diagram.boxes[1..].iter().all(|layer| layer.times == times));
        prop_assert_eq!(nodes(&diagram), nodes(&whole));

        let volumes = Volumes::from_diagram(&diagram);
        prop_assert_eq!(volumes.volumes.len(), 2);
        prop_assert_eq!(volumes.volumes[1].times, times);
        prop_assert_eq!(&volumes.volumes[1].kinds, &["3x3, 8", "3x3, 8", "+ shortcut"]);

        let grouped = collapse_repeats(&group_by_prefix(&whole, 2));
        prop_assert_eq!(grouped.boxes.len(), 2);
        prop_assert_eq!(grouped.boxes[1].times, times);
    }
}

#[test]
fn an_auxiliary_head_has_separate_volumes_and_a_separate_row() {
    let mut diagram = residual_blocks(1);
    for (name, from) in [("aux.pool", 3), ("aux.fc", 4)] {
        diagram.arrows.push([from, diagram.boxes.len()]);
        let role = Role::Linear;
        diagram.boxes.push(layer(name.to_owned(), role, name));
    }
    // The path to the first output continues after the block.
    diagram.arrows.push([3, 6]);
    let last = layer("fc".to_owned(), Role::Linear, "fully connected");
    diagram.boxes.push(last);
    diagram.outputs = vec![6, 5];
    let volumes = Volumes::from_diagram(&diagram);
    let names = |volumes: &[Volume]| -> Vec<String> {
        volumes.iter().map(|volume| volume.name.clone()).collect()
    };
    assert_eq!(names(&volumes.volumes), ["input", "stage.0", "fc"]);
    let [head] = &volumes.heads[..] else {
        panic!("one head: {volumes:?}")
    };
    assert_eq!(names(&head.volumes), ["aux.pool", "aux.fc"]);
    assert_eq!(head.from, 1);
    assert!(volumes.dot().contains("volume1 -> head0_0;"));
    let svg = volumes.svg();
    assert_eq!(svg.matches("data-volume=\"stage.0\"").count(), 2);
    assert!(svg.contains("; head after stage.0: aux.pool"));
}

#[test]
fn groups_with_different_layers_are_not_collapsed() {
    let mut diagram = residual_blocks(2);
    diagram.boxes[4].output = vec![1, 4, 16, 16];
    let grouped = collapse_repeats(&group_by_prefix(&diagram, 2));
    assert_eq!(grouped.boxes[1].kinds, grouped.boxes[2].kinds);
    assert_eq!(grouped.boxes.len(), 3);
    assert_eq!(collapse_repeats(&diagram).frames.len(), 2);
}

#[test]
fn names_with_special_characters_are_escaped() {
    let mut diagram = residual_blocks(1);
    diagram.model = "\"<a&b>'".to_owned();
    diagram.boxes[1].name = "stage.0.<&\"\\".to_owned();
    for svg in [diagram.svg(), Volumes::from_diagram(&diagram).svg()] {
        let document = roxmltree::Document::parse(&svg).expect("XML");
        assert!(
            document
                .descendants()
                .any(|node| node.text() == Some("\"<a&b>'"))
        );
    }
    assert!(diagram.dot().contains(r#"stage.0.<&\"\\"#));
}
