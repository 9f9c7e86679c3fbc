//! Where the boxes, frames and arrows of a diagram go, from top to bottom.
//!
//! What all paths go through stands on one axis, each below the one before; what lies between two
//! such points, branches, is placed by `dagre`. A frame is arranged by itself and is then one
//! thing among others. So no two boxes overlap, and frames have in them what is theirs alone.

use std::ops::Range;

use dagre::graph::{Graph as Layered, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel};

use super::{Diagram, Frame};

/// Between one rank of boxes and the next, in pixels.
const RANK_GAP: f64 = 34.0;
/// Between neighbours.
const GAP: f64 = 18.0;
/// Between a frame and what is in it.
const PADDING: f64 = 12.0;
/// The height of a frame's title.
const TITLE: f64 = 20.0;
/// The straight part of an arrow where it begins.
const BEGINNING: f64 = 6.0;
/// The straight part of an arrow where it ends.
const END: f64 = 11.0;

/// A point: to the right, and down.
pub(super) type Point = [f64; 2];

/// A diagram with places in pixels, all of them positive.
pub(super) struct Arrangement {
    pub size: [f64; 2],
    /// One for each box.
    pub boxes: Vec<Rect>,
    /// One for each frame.
    pub frames: Vec<Rect>,
    /// Where the value that enters a frame branches, for each frame.
    pub junctions: Vec<Point>,
    /// Every arrow, once as far as it is shared.
    pub paths: Vec<Path>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// An arrow, from the lower edge of a box or from a junction to the upper edge of one or to a
/// junction.
pub(super) struct Path {
    pub from: End,
    pub to: End,
    pub points: Vec<Point>,
}

/// What an arrow begins or ends at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The box at this place.
    Box(usize),
    /// The junction of the frame at this place.
    Junction(usize),
}

/// Arranges `diagram`, whose boxes and titles of frames have these sizes.
pub(super) fn arrange(diagram: &Diagram, boxes: &[[f64; 2]], titles: &[f64]) -> Arrangement {
    let arranger = Arranger {
        diagram,
        boxes,
        titles,
    };
    let level = arranger.level(0..diagram.boxes.len(), 0..diagram.frames.len(), None);
    let mut arrangement = Arrangement {
        size: [level.left + level.right, level.height],
        boxes: vec![Rect::default(); diagram.boxes.len()],
        frames: vec![Rect::default(); diagram.frames.len()],
        junctions: vec![[0.0; 2]; diagram.frames.len()],
        paths: Vec::new(),
    };
    level.settle([level.left, 0.0], &mut arrangement);
    arrangement
}

struct Arranger<'a> {
    diagram: &'a Diagram,
    boxes: &'a [[f64; 2]],
    titles: &'a [f64],
}

/// One thing of a level.
struct Unit {
    kind: Kind,
    /// Its boxes.
    range: Range<usize>,
    /// How far it reaches to both sides of its axis.
    left: f64,
    right: f64,
    height: f64,
    /// Its axis and its top, within the level.
    at: Point,
    /// How far its tallest neighbour reaches beyond it, above and below: so far an arrow is straight.
    beside: f64,
}

enum Kind {
    Box(usize),
    Junction(usize),
    Frame(usize, Level),
}

/// What is in a frame, or the whole diagram.
struct Level {
    units: Vec<Unit>,
    /// Pairs of units and the points between them, within the level.
    paths: Vec<([usize; 2], Vec<Point>)>,
    left: f64,
    right: f64,
    height: f64,
}

impl Arranger<'_> {
    /// Arranges the boxes of `range`, in which the frames of `frames` are; with the junction of the frame
    /// around them.
    fn level(&self, range: Range<usize>, frames: Range<usize>, around: Option<usize>) -> Level {
        let mut units = Vec::new();
        if let Some(frame) = around {
            units.push(Unit::new(
                Kind::Junction(frame),
                range.start..range.start,
                [0.0; 2],
            ));
        }
        let mut place = range.start;
        let mut frames = frames.peekable();
        while place < range.end {
            match frames
                .peek()
                .map(|&index| (index, &self.diagram.frames[index]))
            {
                Some((index, frame)) if frame.first == place => {
                    frames.next();
                    let mut within = index + 1..index + 1;
                    while let Some(inner) = frames.next_if(|&one| self.inside(one, frame)) {
                        within.end = inner + 1;
                    }
                    units.push(self.frame(index, within));
                    place = frame.last + 1;
                }
                _ => {
                    let kind = Kind::Box(place);
                    units.push(Unit::new(kind, place..place + 1, self.boxes[place]));
                    place += 1;
                }
            }
        }
        let edges = self.edges(&units, &range);
        stack(units, edges)
    }

    fn inside(&self, frame: usize, outer: &Frame) -> bool {
        self.diagram.frames[frame].last <= outer.last
    }

    fn frame(&self, index: usize, within: Range<usize>) -> Unit {
        let frame = &self.diagram.frames[index];
        let range = frame.first..frame.last + 1;
        let level = self.level(range.clone(), within, Some(index));
        let title = self.titles[index] + PADDING;
        Unit {
            left: level.left.max(title) + PADDING,
            right: level.right + PADDING,
            height: TITLE + level.height + PADDING,
            range,
            kind: Kind::Frame(index, level),
            at: [0.0; 2],
            beside: 0.0,
        }
    }

    /// Which units read which, the junction standing for what is outside.
    fn edges(&self, units: &[Unit], range: &Range<usize>) -> Vec<[usize; 2]> {
        let unit = |place: usize| {
            let found = units.iter().position(|unit| unit.range.contains(&place));
            found.unwrap_or_default()
        };
        let mut edges = Vec::new();
        for [from, to] in &self.diagram.arrows {
            let edge = [unit(*from), unit(*to)];
            if range.contains(to) && edge[0] != edge[1] && !edges.contains(&edge) {
                edges.push(edge);
            }
        }
        edges
    }
}

impl Unit {
    fn new(kind: Kind, range: Range<usize>, [width, height]: [f64; 2]) -> Self {
        Self {
            kind,
            range,
            left: width / 2.0,
            right: width / 2.0,
            height,
            at: [0.0; 2],
            beside: 0.0,
        }
    }

    /// Where arrows leave it.
    fn below(&self) -> Point {
        [self.at[0], self.at[1] + self.height]
    }
}

/// Stands what all paths go through on one axis, with branches between.
fn stack(mut units: Vec<Unit>, edges: Vec<[usize; 2]>) -> Level {
    let ends = |unit: usize| !edges.iter().any(|&[from, _]| from == unit);
    let ended = (0..units.len()).find(|&unit| ends(unit));
    let passed = |unit: usize| {
        // What ends goes on beside all that follows.
        let beside = ended.is_some_and(|ended| ended < unit);
        beside || edges.iter().any(|&[from, to]| from < unit && unit < to)
    };
    let through: Vec<usize> = (0..units.len()).filter(|&unit| !passed(unit)).collect();
    let mut paths = Vec::new();
    for (place, &first) in through.iter().enumerate() {
        let next = through.get(place + 1).copied();
        let end = next.map_or(units.len(), |next| next + 1);
        match next {
            Some(next) if next == first + 1 => {
                let [x, y] = units[first].below();
                units[next].at = [x, y + RANK_GAP];
                if edges.contains(&[first, next]) {
                    paths.push(([first, next], Vec::new()));
                }
            }
            _ if end > first + 1 => paths.extend(branches(&mut units[first..end], &edges, first)),
            _ => {}
        }
    }
    let reach = |side: fn(&Unit) -> f64| units.iter().map(side).fold(0.0, f64::max);
    let bends = || {
        paths
            .iter()
            .flat_map(|(_, points)| points)
            .map(|point: &Point| point[0])
    };
    Level {
        left: bends()
            .map(|x| -x)
            .fold(reach(|unit| unit.left - unit.at[0]), f64::max),
        right: bends().fold(reach(|unit| unit.right + unit.at[0]), f64::max),
        height: reach(|unit| unit.below()[1]),
        units,
        paths,
    }
}

/// Places what follows the first of `units`, up to the last, which all paths go through again if
/// nothing ends between; the first of them has the number `offset` in `edges`.
fn branches(
    units: &mut [Unit],
    edges: &[[usize; 2]],
    offset: usize,
) -> Vec<([usize; 2], Vec<Point>)> {
    let range = offset..offset + units.len();
    let edges: Vec<[usize; 2]> = (edges.iter())
        .filter(|edge| edge.iter().all(|unit| range.contains(unit)))
        .map(|edge| edge.map(|unit| unit - offset))
        .collect();
    let mut graph = Layered::with_options(GraphOptions {
        directed: true,
        multigraph: false,
        compound: false,
    });
    for (index, unit) in units.iter().enumerate() {
        let label = NodeLabel {
            width: 2.0 * unit.left.max(unit.right),
            height: unit.height,
            ..NodeLabel::default()
        };
        graph.set_node(index.to_string(), Some(label));
    }
    for [from, to] in &edges {
        let label = Some(EdgeLabel::default());
        graph.set_edge(from.to_string(), to.to_string(), label, None);
    }
    let options = LayoutOptions {
        nodesep: GAP,
        edgesep: GAP,
        ranksep: RANK_GAP,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut graph, Some(options));

    let centre = |index: usize| -> Point {
        let node = graph.node(&index.to_string());
        // What was recorded first comes out on the right; figures have it on the left.
        let place = node.and_then(|node| Some([-node.x?, node.y?]));
        place.unwrap_or_default()
    };
    let origin = centre(0);
    let above = units[0].height / 2.0;
    let [x, top] = units[0].at;
    let shift = [x - origin[0], top + above - origin[1]];
    for (index, unit) in units.iter_mut().enumerate().skip(1) {
        let [x, y] = centre(index);
        unit.at = [x + shift[0], y + shift[1] - unit.height / 2.0];
    }
    // Those of a rank have their middles at one height.
    let middles: Vec<[f64; 2]> = (units.iter())
        .map(|unit| [unit.at[1] + unit.height / 2.0, unit.height])
        .collect();
    for unit in units.iter_mut() {
        let middle = unit.at[1] + unit.height / 2.0;
        let rank = middles
            .iter()
            .filter(|other| (other[0] - middle).abs() < 0.5);
        let tallest = rank.map(|other| other[1]).fold(0.0, f64::max);
        unit.beside = (tallest - unit.height) / 2.0;
    }
    // Where all branches come together again, nothing stands beside.
    let ends = |unit: usize| !edges.iter().any(|&[from, _]| from == unit);
    let last = units.len() - 1;
    if !(0..last).any(ends) {
        units[last].at[0] = x;
    }
    (edges.iter())
        .map(|&[from, to]| {
            let points = graph.edge(&from.to_string(), &to.to_string(), None);
            let points = points.map_or(&[][..], |edge| &edge.points);
            let inner = points.get(1..points.len().saturating_sub(1));
            let inner = inner.unwrap_or_default().iter();
            let bends = inner.map(|point| [shift[0] - point.x, point.y + shift[1]]);
            ([from + offset, to + offset], bends.collect())
        })
        .collect()
}

impl Level {
    /// Writes places, the level's axis and top being at `origin`.
    fn settle(&self, origin: Point, arrangement: &mut Arrangement) {
        let moved = |[x, y]: Point| [x + origin[0], y + origin[1]];
        for unit in &self.units {
            let at = moved(unit.at);
            let rect = Rect {
                left: at[0] - unit.left,
                top: at[1],
                width: unit.left + unit.right,
                height: unit.height,
            };
            match &unit.kind {
                Kind::Box(place) => arrangement.boxes[*place] = rect,
                Kind::Junction(frame) => arrangement.junctions[*frame] = at,
                Kind::Frame(frame, level) => {
                    arrangement.frames[*frame] = rect;
                    level.settle([at[0], at[1] + TITLE], arrangement);
                }
            }
        }
        for ([from, to], bends) in &self.paths {
            let [from, to] = [from, to].map(|&unit| &self.units[unit]);
            let (begins, beginning) = from.exit();
            let (ends, end) = to.entrance();
            let mut points = vec![beginning];
            let straight = bends.iter().all(|bend| bend[0] == end[0]) && beginning[0] == end[0];
            if !straight {
                let [x, y] = from.below();
                points.push([x, y + from.beside + BEGINNING]);
                points.extend(bends);
                points.push([end[0], to.at[1] - to.beside - END]);
            }
            points.push(end);
            let points = points.into_iter().map(moved).collect();
            arrangement.paths.push(Path {
                from: begins,
                to: ends,
                points,
            });
        }
    }
}

impl Unit {
    /// What its value comes from, and where an arrow begins.
    fn exit(&self) -> (End, Point) {
        match &self.kind {
            Kind::Box(place) => (End::Box(*place), self.below()),
            Kind::Junction(frame) => (End::Junction(*frame), self.at),
            Kind::Frame(_, level) => {
                let (end, [x, y]) = level.units[level.units.len() - 1].exit();
                (end, [self.at[0] + x, self.at[1] + TITLE + y])
            }
        }
    }

    /// What reads its value, and where an arrow ends.
    fn entrance(&self) -> (End, Point) {
        match &self.kind {
            Kind::Box(place) => (End::Box(*place), self.at),
            Kind::Junction(frame) => (End::Junction(*frame), self.at),
            Kind::Frame(frame, _) => (End::Junction(*frame), [self.at[0], self.at[1] + TITLE]),
        }
    }
}
