//! Drawings of random diagrams.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::arrangement::{Arrangement, End, Rect, arrange};
use super::{Diagram, LayerBox, Role, Volume, Volumes, fold, group};

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

/// A box's module path, what it does, and how far back the boxes are that it reads.
type Row = (Vec<u8>, u8, Vec<usize>);

/// Boxes in modules, each reading some of those before.
fn diagram_of(rows: &[Row]) -> Diagram {
    let mut boxes = vec![layer("input".to_owned(), Role::Input, "")];
    let mut arrows = Vec::new();
    for (place, (path, kind, back)) in rows.iter().enumerate() {
        let place = place + 1;
        let mut names: Vec<String> = path.iter().map(|part| format!("m{part}")).collect();
        names.push(format!("layer{place}"));
        let sources: BTreeSet<usize> = back.iter().map(|back| place - 1 - back % place).collect();
        let (role, kind) = match (sources.len(), kind) {
            (2.., _) => (Role::Merge, "add"),
            (_, 0) => (Role::Pool, "max pool 2x2/2"),
            _ => (Role::Convolution, "conv 3x3"),
        };
        boxes.push(layer(names.join("."), role, kind));
        arrows.extend(sources.into_iter().map(|source| [source, place]));
    }
    let read = |place: usize| arrows.iter().any(|&[from, _]| from == place);
    let outputs = (0..boxes.len())
        .rev()
        .filter(|&place| !read(place))
        .collect();
    Diagram {
        model: "random".to_owned(),
        boxes,
        arrows,
        frames: Vec::new(),
        outputs,
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let back = prop_oneof![4 => Just(vec![0]), 2 => vec(0..3usize, 2), 1 => vec(0..9usize, 1..4)];
    vec((vec(0..2u8, 0..3), 0..3u8, back), 1..24)
}

/// A residual block `times` times, its layers in a module `stage.0` and so on.
fn repeated(times: usize) -> Diagram {
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

/// What every diagram keeps to.
fn check(diagram: &Diagram) {
    for [from, to] in &diagram.arrows {
        assert!(from < to && *to < diagram.boxes.len());
    }
    for place in 1..diagram.boxes.len() {
        assert!(diagram.sources(place).count() > 0, "{place} of {diagram:?}");
    }
    for (place, frame) in diagram.frames.iter().enumerate() {
        assert!(frame.first <= frame.last && frame.last < diagram.boxes.len());
        for later in &diagram.frames[place + 1..] {
            let within = frame.first <= later.first && later.last <= frame.last;
            assert!(within || later.first > frame.last, "{frame:?} {later:?}");
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

/// Whether a line has a part in a rectangle, its edges left out.
fn crosses([from, to]: [[f64; 2]; 2], rect: &Rect) -> bool {
    let sides = [
        [rect.left, rect.left + rect.width],
        [rect.top, rect.top + rect.height],
    ];
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

/// What every arrangement keeps to.
fn check_places(diagram: &Diagram, arrangement: &Arrangement) {
    let page = Rect {
        left: -0.001,
        top: 0.0,
        width: arrangement.size[0] + 0.002,
        height: arrangement.size[1],
    };
    for (place, rect) in arrangement.boxes.iter().enumerate() {
        assert!(within(rect, &page), "{place}: {rect:?} {page:?}");
        for other in &arrangement.boxes[place + 1..] {
            assert!(!overlap(rect, other), "{rect:?} {other:?}");
        }
        for (frame, around) in diagram.frames.iter().zip(&arrangement.frames) {
            if (frame.first..=frame.last).contains(&place) {
                assert!(within(rect, around));
            } else {
                assert!(!overlap(rect, around), "{place} and {frame:?}");
            }
        }
    }
    let mut read = BTreeSet::new();
    for path in &arrangement.paths {
        let [first, .., last] = path.points[..] else {
            panic!("an arrow has two ends");
        };
        let [from, to] = [path.from, path.to].map(|end| match end {
            End::Box(place) => arrangement.boxes[place],
            End::Junction(frame) => {
                let [left, top] = arrangement.junctions[frame];
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
        if let End::Box(place) = path.to {
            read.insert(place);
        }
        for line in path.points.windows(2) {
            for (place, rect) in arrangement.boxes.iter().enumerate() {
                assert!(
                    !crosses([line[0], line[1]], rect),
                    "{line:?} {place} {rect:?}"
                );
            }
        }
        for point in &path.points {
            let point = Rect {
                left: point[0],
                top: point[1],
                ..Rect::default()
            };
            assert!(within(&point, &page), "{point:?}");
        }
    }
    assert_eq!(read.len() + 1, diagram.boxes.len());
}

/// What the ways to further outputs keep to: there is one for each output that is not on the way to the first,
/// and it ends there.
fn check_heads(diagram: &Diagram, volumes: &Volumes) {
    let end = |volumes: &[Volume]| volumes.last().expect("a volume").output.clone();
    let [first, ref further @ ..] = diagram.outputs[..] else {
        panic!("an output: {diagram:?}")
    };
    assert_eq!(end(&volumes.volumes), diagram.boxes[first].output);
    let mut main = BTreeSet::from([first]);
    for place in (0..=first).rev() {
        if main.contains(&place) {
            main.extend(diagram.sources(place));
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
        rows in rows(),
        depth in proptest::option::of(0..4usize),
        width in 10.0..200.0f64,
    ) {
        let whole = diagram_of(&rows);
        let grouped = match depth {
            Some(depth) => group::grouped(&whole, depth),
            None => whole.clone(),
        };
        check(&grouped);
        let diagram = fold::folded(&grouped);
        check(&diagram);
        prop_assert_eq!(nodes(&diagram), nodes(&whole));

        let sizes: Vec<[f64; 2]> = (0..diagram.boxes.len())
            .map(|place| [width + (place % 5) as f64 * 20.0, 20.0 + (place % 3) as f64 * 12.0])
            .collect();
        let titles = vec![width; diagram.frames.len()];
        check_places(&diagram, &arrange(&diagram, &sizes, &titles));

        let volumes = Volumes::from_diagram(&diagram);
        prop_assert!(volumes.volumes.len() > 1);
        check_heads(&diagram, &volumes);
        for picture in [diagram.svg(), volumes.svg()] {
            prop_assert!(roxmltree::Document::parse(&picture).is_ok());
        }
    }

    #[test]
    fn repeated_blocks_are_one_frame(times in 1..9usize) {
        let whole = repeated(times);
        let diagram = fold::folded(&whole);
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

        let grouped = fold::folded(&group::grouped(&whole, 2));
        prop_assert_eq!(grouped.boxes.len(), 2);
        prop_assert_eq!(grouped.boxes[1].times, times);
    }
}

#[test]
fn an_auxiliary_head_has_a_row_of_its_own() {
    let mut diagram = repeated(1);
    for (name, from) in [("aux.pool", 3), ("aux.fc", 4)] {
        diagram.arrows.push([from, diagram.boxes.len()]);
        let role = Role::Linear;
        diagram.boxes.push(layer(name.to_owned(), role, name));
    }
    // The main way goes on after the block.
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
    assert!(svg.contains("; from stage.0 on: aux.pool"));
}

#[test]
fn groups_that_differ_within_are_not_folded() {
    let mut diagram = repeated(2);
    diagram.boxes[4].output = vec![1, 4, 16, 16];
    let grouped = fold::folded(&group::grouped(&diagram, 2));
    assert_eq!(grouped.boxes[1].kinds, grouped.boxes[2].kinds);
    assert_eq!(grouped.boxes.len(), 3);
    assert_eq!(fold::folded(&diagram).frames.len(), 2);
}

#[test]
fn names_of_any_letters_are_written() {
    let mut diagram = repeated(1);
    diagram.model = "\"<a&b>'".to_owned();
    diagram.boxes[1].name = "stage.0.<&\"\\".to_owned();
    for picture in [diagram.svg(), Volumes::from_diagram(&diagram).svg()] {
        let svg = roxmltree::Document::parse(&picture).expect("XML");
        assert!(
            svg.descendants()
                .any(|node| node.text() == Some("\"<a&b>'"))
        );
    }
    assert!(diagram.dot().contains(r#"stage.0.<&\"\\"#));
}
