//! Pictures of a network, made from its recorded [`Graph`].
//!
//! A [`Diagram`] is the graph as it is drawn: a box for each layer with the norm and the activation
//! that belong to it, arrows between boxes, and frames around modules whose branches come together
//! again. Modules that follow each other and are the same are drawn once: thirty-five of
//! ResNet-152's residual blocks are one frame, `x35`. [`Diagram::svg`] draws the operations with
//! their branches and residual arcs; a [`Volumes`] is the way from the input to the output in
//! the style of the papers, a solid for each feature map, and has an `svg` of its own. Both are
//! written as Graphviz's `dot` too, and serialised, their fields are the keys.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::conv::{Conv2d, Conv2dConfig};
//! use burn::tensor::{Device, Tensor, activation};
//! use receptive_layers::drawing::{Diagram, Volumes};
//! use receptive_layers::graph::Graph;
//!
//! #[derive(Module, Debug)]
//! struct Net {
//!     conv: Conv2d,
//! }
//!
//! let init = |device: &Device| Net {
//!     conv: Conv2dConfig::new([3, 64], [3, 3]).init(device),
//! };
//! let forward = |net: &Net, x: Tensor<4>| activation::relu(net.conv.forward(x));
//! let graph = Graph::trace(init, [1, 3, 34, 34], forward)?;
//!
//! let diagram = Diagram::from_graph(&graph, "net", None);
//! assert_eq!(diagram.boxes[1].kinds, ["conv 3x3", "relu"]);
//! assert!(diagram.svg().contains("conv 3×3"));
//! assert!(Volumes::from_diagram(&diagram).svg().contains("32×32×64"));
//! # Ok::<(), receptive_layers::graph::GraphError>(())
//! ```
//!
//! Boxes between two points that all paths go through are placed by the crate `dagre`, a port of
//! the layout that Mermaid and others use, checked against the original's coordinates; it brings
//! `log`, `serde` and `serde_json`, which are here already. `layout-rs`, older and without any
//! dependency, leads arrows through boxes and spaces them for its own renderer;
//! `rust-sugiyama` gives long arrows no points to bend at, so that a residual arc would cross what it
//! goes around. All else is stacked, so that a deep network costs no more than its branches.

mod arrangement;
mod boxes;
mod dot;
mod fold;
mod group;
mod label;
mod paint;
mod picture;
mod slot;
mod solids;
mod volumes;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::graph::Graph;

pub use volumes::{Bracket, Head, Volume, Volumes};

/// A network as boxes, arrows and frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagram {
    /// What the network is called.
    pub model: String,
    /// What is drawn, each after those that it reads; the input is the first.
    pub boxes: Vec<LayerBox>,
    /// Pairs of places in `boxes`: the second reads the first.
    pub arrows: Vec<[usize; 2]>,
    /// Modules with a frame, in order, an outer one before those in it.
    pub frames: Vec<Frame>,
    /// The places in `boxes` whose values the network returns, in its order.
    pub outputs: Vec<usize>,
}

/// A layer of a [`Diagram`], or several together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerBox {
    /// The name of its first node; of a group, the names that its layers have in common.
    pub name: String,
    /// What it does, one after the other: `conv 3x3/2`, `batch norm`, `relu`; of a group, how many
    /// there are of each.
    pub kinds: Vec<String>,
    /// What kind of layer it is.
    pub role: Role,
    /// The shape of its output, the batch first.
    pub output: Vec<usize>,
    /// The nodes of the graph that it stands for.
    pub nodes: Vec<String>,
    /// How often it is repeated.
    pub times: usize,
    /// What each layer of a group does, and the shape of its output.
    #[serde(skip)]
    members: Vec<(Vec<String>, Vec<usize>)>,
}

/// What kind of layer a [`LayerBox`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The network's input.
    Input,
    /// A convolution.
    Convolution,
    /// A pool, or a mean.
    Pool,
    /// Fully connected, radial basis, or a product of matrices.
    Linear,
    /// A norm by itself.
    Norm,
    /// Where branches come together.
    Merge,
    /// Anything else.
    Other,
    /// Several layers together.
    Group,
}

/// A module of a [`Diagram`] that one value enters and one leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Its module path, `layer3.1` to `layer3.35` as `layer3.1–35`.
    pub name: String,
    /// How often it is repeated.
    pub times: usize,
    /// The place of its first box.
    pub first: usize,
    /// The place of its last box, whose value leaves it.
    pub last: usize,
}

impl Diagram {
    /// The drawing of `graph`, which is called `model`; with `depth`, layers whose names begin
    /// with the same `depth` names are one box, as in
    /// [`Summary::grouped`](crate::summary::Summary::grouped).
    pub fn from_graph(graph: &Graph, model: &str, depth: Option<usize>) -> Self {
        let mut diagram = boxes::diagram(graph, model);
        if let Some(depth) = depth {
            diagram = group::grouped(&diagram, depth);
        }
        fold::folded(&diagram)
    }

    /// The boxes that the one at `place` reads.
    fn sources(&self, place: usize) -> impl Iterator<Item = usize> {
        let into = move |&&[_, to]: &&[usize; 2]| to == place;
        self.arrows.iter().filter(into).map(|&[from, _]| from)
    }
}
