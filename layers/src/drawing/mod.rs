//! Drawings of a network, made from its recorded [`Graph`](crate::graph::Graph).
//!
//! A [`Diagram`] is the simplified graph of a drawing. Each box is a layer with its norm and
//! activation, arrows connect boxes, and frames surround modules with branches. Consecutive equal
//! modules are drawn once: thirty-five of ResNet-152's residual blocks are one frame, `x35`.
//! [`Diagram::svg`] draws all operations with branches and residual connections, in a layered
//! layout from top to bottom. [`Volumes`] is the path from the input to the output in the style of
//! the papers' figures, one solid per feature map, and has its own `svg`. Both types also write
//! Graphviz's `dot`, and implement `Serialize`.
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
//! Boxes that lie on all paths are stacked on one axis. The crate `dagre` lays out the branches
//! between two such boxes, so that only the branches of a deep network add to the cost of its
//! layout. `dagre` is a port of the layered layout of Mermaid, verified against the coordinates of
//! the original, and depends only on `log`, `serde` and `serde_json`. Two alternatives do not fit:
//! `layout-rs` routes edges through boxes and spaces them for its own renderer, and `rust-sugiyama`
//! returns no bend points for long edges, so that a residual connection would cross its block.

mod boxes;
mod collapse;
mod diagram;
mod diagram_svg;
mod dot;
mod from_graph;
mod geometry;
mod glyph;
mod group;
mod label;
mod layout;
mod svg_elements;
mod volumes;
mod volumes_svg;

#[cfg(test)]
mod tests;

pub use diagram::{Diagram, Frame, LayerBox, Role};
pub use volumes::{Bracket, Head, Volume, Volumes};
