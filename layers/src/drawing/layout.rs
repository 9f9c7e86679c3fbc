//! Layered layout of a diagram from top to bottom, with edge routing.
//!
//! The layout is computed per nesting level: the inside of each frame, then the whole diagram, in
//! which a frame is one node. Nodes of a level that lie on all paths are stacked on one vertical
//! axis. `dagre` lays out the branches between two such nodes. No two boxes overlap, and a frame
//! contains only its own boxes.

use std::ops::Range;

use dagre::graph::{Graph as DagreGraph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel};

use super::diagram::{Diagram, Frame};
use super::geometry::{Point, Rect};

/// Distance between two ranks, in pixels.
const RANK_GAP: f64 = 34.0;
/// Distance between neighbours of a rank, in pixels.
const NODE_GAP: f64 = 18.0;
/// Distance between a frame and its content, in pixels.
const PADDING: f64 = 12.0;
/// Height of a frame's title, in pixels.
const TITLE_HEIGHT: f64 = 20.0;
/// Minimum length of the vertical segment at the start of a bent edge, in pixels.
const START_SEGMENT: f64 = 6.0;
/// Minimum length of the vertical segment at the end of a bent edge, in pixels.
const END_SEGMENT: f64 = 11.0;

/// The layout of a diagram. Coordinates are in pixels and not negative.
pub(super) struct DiagramLayout {
    /// Width and height.
    pub size: [f64; 2],
    /// Rectangle of each box.
    pub boxes: Vec<Rect>,
    /// Rectangle of each frame.
    pub frames: Vec<Rect>,
    /// Junction of each frame: the point where the frame's input value branches.
    pub junctions: Vec<Point>,
    /// Routes of the edges. Edges into a frame share the route to the frame's junction.
    pub routes: Vec<Route>,
}

/// The polyline of an edge, from the lower edge of a box or a junction to the upper edge of a box
/// or a junction.
pub(super) struct Route {
    /// Start of the edge.
    pub from: Endpoint,
    /// End of the edge.
    pub to: Endpoint,
    /// Start point, bend points and end point.
    pub points: Vec<Point>,
}

/// Start or end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The box of this index.
    Box(usize),
    /// The junction of the frame of this index.
    Junction(usize),
}

/// Computes the layout of `diagram`, given the sizes of its boxes and the widths of its frames'
/// titles.
pub(super) fn layout(
    diagram: &Diagram,
    box_sizes: &[[f64; 2]],
    title_widths: &[f64],
) -> DiagramLayout {
    let builder = LevelBuilder {
        diagram,
        box_sizes,
        title_widths,
    };
    let level = builder.level(0..diagram.boxes.len(), 0..diagram.frames.len(), None);
    let mut layout = DiagramLayout {
        size: [level.left + level.right, level.height],
        boxes: vec![Rect::default(); diagram.boxes.len()],
        frames: vec![Rect::default(); diagram.frames.len()],
        junctions: vec![[0.0; 2]; diagram.frames.len()],
        routes: Vec::new(),
    };
    level.write_to(&mut layout, [level.left, 0.0]);
    layout
}

/// Input of the layout.
struct LevelBuilder<'a> {
    diagram: &'a Diagram,
    box_sizes: &'a [[f64; 2]],
    title_widths: &'a [f64],
}

/// A node of a level.
struct LayoutNode {
    kind: NodeKind,
    /// Boxes of the node.
    range: Range<usize>,
    /// Distance from the node's axis to its left edge.
    left: f64,
    /// Distance from the node's axis to its right edge.
    right: f64,
    height: f64,
    /// Intersection of the axis with the upper edge, in the level's coordinates.
    top: Point,
    /// Distance by which the tallest node of the rank extends above and below this node. Edges are
    /// vertical over this distance.
    rank_overhang: f64,
}

enum NodeKind {
    /// The box of this index.
    Box(usize),
    /// The junction of the frame of this index.
    Junction(usize),
    /// The frame of this index and the layout of its inside.
    Frame(usize, Level),
}

/// Layout of the inside of a frame, or of the whole diagram, in coordinates relative to the axis
/// and the upper edge of the level.
struct Level {
    nodes: Vec<LayoutNode>,
    /// Edges as pairs of nodes, with their bend points.
    edges: Vec<([usize; 2], Vec<Point>)>,
    /// Distance from the axis to the left edge.
    left: f64,
    /// Distance from the axis to the right edge.
    right: f64,
    height: f64,
}

impl LevelBuilder<'_> {
    /// Computes the layout of the boxes of `range` and the frames of `frames`, which lie in
    /// `range`. The first node is the junction of the frame `around`, if there is one.
    fn level(&self, range: Range<usize>, frames: Range<usize>, around: Option<usize>) -> Level {
        let mut nodes = Vec::new();
        if let Some(frame) = around {
            nodes.push(LayoutNode::new(
                NodeKind::Junction(frame),
                range.start..range.start,
                [0.0; 2],
            ));
        }
        let mut index = range.start;
        let mut frames = frames.peekable();
        while index < range.end {
            match frames
                .peek()
                .map(|&frame| (frame, &self.diagram.frames[frame]))
            {
                Some((frame_index, frame)) if frame.first == index => {
                    frames.next();
                    let mut inner = frame_index + 1..frame_index + 1;
                    while let Some(next) = frames.next_if(|&next| self.is_inside(next, frame)) {
                        inner.end = next + 1;
                    }
                    nodes.push(self.frame(frame_index, inner));
                    index = frame.last + 1;
                }
                _ => {
                    let kind = NodeKind::Box(index);
                    nodes.push(LayoutNode::new(
                        kind,
                        index..index + 1,
                        self.box_sizes[index],
                    ));
                    index += 1;
                }
            }
        }
        let edges = self.edges(&nodes, &range);
        layout_level(nodes, edges)
    }

    fn is_inside(&self, frame: usize, outer: &Frame) -> bool {
        self.diagram.frames[frame].last <= outer.last
    }

    /// Returns the node of frame `index`, which contains the frames of `inner`.
    fn frame(&self, index: usize, inner: Range<usize>) -> LayoutNode {
        let frame = &self.diagram.frames[index];
        let range = frame.first..frame.last + 1;
        let level = self.level(range.clone(), inner, Some(index));
        let title = self.title_widths[index] + PADDING;
        LayoutNode {
            left: level.left.max(title) + PADDING,
            right: level.right + PADDING,
            height: TITLE_HEIGHT + level.height + PADDING,
            range,
            kind: NodeKind::Frame(index, level),
            top: [0.0; 2],
            rank_overhang: 0.0,
        }
    }

    /// Returns the edges between `nodes` without duplicates. An edge from outside of `range` starts
    /// at the junction, which is node 0.
    fn edges(&self, nodes: &[LayoutNode], range: &Range<usize>) -> Vec<[usize; 2]> {
        let node = |index: usize| {
            let found = nodes.iter().position(|node| node.range.contains(&index));
            found.unwrap_or_default()
        };
        let mut edges = Vec::new();
        for [from, to] in &self.diagram.arrows {
            let edge = [node(*from), node(*to)];
            if range.contains(to) && edge[0] != edge[1] && !edges.contains(&edge) {
                edges.push(edge);
            }
        }
        edges
    }
}

impl LayoutNode {
    /// Returns a node with a centred axis at the origin.
    fn new(kind: NodeKind, range: Range<usize>, [width, height]: [f64; 2]) -> Self {
        Self {
            kind,
            range,
            left: width / 2.0,
            right: width / 2.0,
            height,
            top: [0.0; 2],
            rank_overhang: 0.0,
        }
    }

    /// Returns the intersection of the axis with the lower edge, where outgoing edges start.
    fn bottom(&self) -> Point {
        [self.top[0], self.top[1] + self.height]
    }

    /// Returns the y coordinate of the centre.
    fn middle(&self) -> f64 {
        self.top[1] + self.height / 2.0
    }
}

/// Stacks the nodes that lie on all paths on one axis, and lays out the branches between them.
fn layout_level(mut nodes: Vec<LayoutNode>, edges: Vec<[usize; 2]>) -> Level {
    let is_sink = |node: usize| !edges.iter().any(|&[from, _]| from == node);
    let first_sink = (0..nodes.len()).find(|&node| is_sink(node));
    let is_bypassed = |node: usize| {
        // A sink before the last node is a branch beside all nodes after it.
        let after_sink = first_sink.is_some_and(|sink| sink < node);
        after_sink || edges.iter().any(|&[from, to]| from < node && node < to)
    };
    let on_all_paths: Vec<usize> = (0..nodes.len())
        .filter(|&node| !is_bypassed(node))
        .collect();
    let mut routed = Vec::new();
    for (position, &first) in on_all_paths.iter().enumerate() {
        let next = on_all_paths.get(position + 1).copied();
        let end = next.map_or(nodes.len(), |next| next + 1);
        match next {
            Some(next) if next == first + 1 => {
                let [x, y] = nodes[first].bottom();
                nodes[next].top = [x, y + RANK_GAP];
                if edges.contains(&[first, next]) {
                    routed.push(([first, next], Vec::new()));
                }
            }
            _ if end > first + 1 => {
                routed.extend(layout_branches(&mut nodes[first..end], &edges, first));
            }
            _ => {}
        }
    }
    let maximum = |extent: fn(&LayoutNode) -> f64| nodes.iter().map(extent).fold(0.0, f64::max);
    let bends = || {
        routed
            .iter()
            .flat_map(|(_, points)| points)
            .map(|point: &Point| point[0])
    };
    Level {
        left: bends()
            .map(|x| -x)
            .fold(maximum(|node| node.left - node.top[0]), f64::max),
        right: bends().fold(maximum(|node| node.right + node.top[0]), f64::max),
        height: maximum(|node| node.bottom()[1]),
        nodes,
        edges: routed,
    }
}

/// Lays out `nodes` relative to the first, and returns the bend points of their edges.
///
/// The first node lies on all paths, and so does the last unless a branch ends before. `offset` is
/// the index of the first node in `edges`.
fn layout_branches(
    nodes: &mut [LayoutNode],
    edges: &[[usize; 2]],
    offset: usize,
) -> Vec<([usize; 2], Vec<Point>)> {
    let range = offset..offset + nodes.len();
    let edges: Vec<[usize; 2]> = (edges.iter())
        .filter(|edge| edge.iter().all(|node| range.contains(node)))
        .map(|edge| edge.map(|node| node - offset))
        .collect();
    let mut graph = DagreGraph::with_options(GraphOptions {
        directed: true,
        multigraph: false,
        compound: false,
    });
    for (index, node) in nodes.iter().enumerate() {
        let label = NodeLabel {
            width: 2.0 * node.left.max(node.right),
            height: node.height,
            ..NodeLabel::default()
        };
        graph.set_node(index.to_string(), Some(label));
    }
    for [from, to] in &edges {
        let label = Some(EdgeLabel::default());
        graph.set_edge(from.to_string(), to.to_string(), label, None);
    }
    let options = LayoutOptions {
        nodesep: NODE_GAP,
        edgesep: NODE_GAP,
        ranksep: RANK_GAP,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut graph, Some(options));

    // Dagre puts the branch that was recorded first on the right. The x axis is mirrored, because
    // the papers' figures have this branch on the left.
    let centre = |index: usize| -> Point {
        let node = graph.node(&index.to_string());
        let centre = node.and_then(|node| Some([-node.x?, node.y?]));
        centre.unwrap_or_default()
    };
    let origin = centre(0);
    let half_height = nodes[0].height / 2.0;
    let [x, top] = nodes[0].top;
    let shift = [x - origin[0], top + half_height - origin[1]];
    for (index, node) in nodes.iter_mut().enumerate().skip(1) {
        let [x, y] = centre(index);
        node.top = [x + shift[0], y + shift[1] - node.height / 2.0];
    }
    // Nodes of one rank are centred on one horizontal line.
    let middles: Vec<[f64; 2]> = (nodes.iter())
        .map(|node| [node.middle(), node.height])
        .collect();
    for node in nodes.iter_mut() {
        let middle = node.middle();
        let rank = middles
            .iter()
            .filter(|other| (other[0] - middle).abs() < 0.5);
        let tallest = rank.map(|other| other[1]).fold(0.0, f64::max);
        node.rank_overhang = (tallest - node.height) / 2.0;
    }
    // If all branches merge in the last node, that node returns to the axis.
    let is_sink = |node: usize| !edges.iter().any(|&[from, _]| from == node);
    let last = nodes.len() - 1;
    if !(0..last).any(is_sink) {
        nodes[last].top[0] = x;
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
    /// Writes the coordinates of this level to `layout`, with the axis and the upper edge of the
    /// level at `origin`.
    fn write_to(&self, layout: &mut DiagramLayout, origin: Point) {
        let absolute = |[x, y]: Point| [x + origin[0], y + origin[1]];
        for node in &self.nodes {
            let top = absolute(node.top);
            let rect = Rect {
                left: top[0] - node.left,
                top: top[1],
                width: node.left + node.right,
                height: node.height,
            };
            match &node.kind {
                NodeKind::Box(index) => layout.boxes[*index] = rect,
                NodeKind::Junction(frame) => layout.junctions[*frame] = top,
                NodeKind::Frame(frame, level) => {
                    layout.frames[*frame] = rect;
                    level.write_to(layout, [top[0], top[1] + TITLE_HEIGHT]);
                }
            }
        }
        for ([from, to], bends) in &self.edges {
            let [from, to] = [from, to].map(|&node| &self.nodes[node]);
            let (from_endpoint, start) = from.output();
            let (to_endpoint, end) = to.input();
            let mut points = vec![start];
            let straight = bends.iter().all(|bend| bend[0] == end[0]) && start[0] == end[0];
            if !straight {
                let [x, y] = from.bottom();
                points.push([x, y + from.rank_overhang + START_SEGMENT]);
                points.extend(bends);
                points.push([end[0], to.top[1] - to.rank_overhang - END_SEGMENT]);
            }
            points.push(end);
            let points = points.into_iter().map(absolute).collect();
            layout.routes.push(Route {
                from: from_endpoint,
                to: to_endpoint,
                points,
            });
        }
    }
}

impl LayoutNode {
    /// Returns the endpoint that computes the node's value, and the point where outgoing edges
    /// start.
    fn output(&self) -> (Endpoint, Point) {
        match &self.kind {
            NodeKind::Box(index) => (Endpoint::Box(*index), self.bottom()),
            NodeKind::Junction(frame) => (Endpoint::Junction(*frame), self.top),
            NodeKind::Frame(_, level) => {
                let (endpoint, [x, y]) = level.nodes[level.nodes.len() - 1].output();
                (endpoint, [self.top[0] + x, self.top[1] + TITLE_HEIGHT + y])
            }
        }
    }

    /// Returns the endpoint that reads the node's input, and the point where incoming edges end.
    fn input(&self) -> (Endpoint, Point) {
        match &self.kind {
            NodeKind::Box(index) => (Endpoint::Box(*index), self.top),
            NodeKind::Junction(frame) => (Endpoint::Junction(*frame), self.top),
            NodeKind::Frame(frame, _) => (
                Endpoint::Junction(*frame),
                [self.top[0], self.top[1] + TITLE_HEIGHT],
            ),
        }
    }
}
