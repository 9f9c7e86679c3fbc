//! The graph of a drawing: boxes, arrows and frames.

use serde::Serialize;

/// A network as boxes, arrows and frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagram {
    /// Name of the network.
    pub model: String,
    /// Boxes in topological order; the first is the input.
    pub boxes: Vec<LayerBox>,
    /// Pairs of indices into `boxes`: the second box reads the output of the first.
    pub arrows: Vec<[usize; 2]>,
    /// Framed modules in the order of their first boxes, an outer frame before its inner frames.
    pub frames: Vec<Frame>,
    /// Indices of the boxes whose values the network returns, in the order of its outputs.
    pub outputs: Vec<usize>,
}

/// A layer of a [`Diagram`], or a group of layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerBox {
    /// Name of the layer's first node; for a group, the common prefix of its layers' names.
    pub name: String,
    /// Operations of the layer in their order: `conv 3x3/2`, `batch norm`, `relu`; for a group, the
    /// number of layers of each kind.
    pub kinds: Vec<String>,
    /// Category of the layer.
    pub role: Role,
    /// Shape of the output: `[batch, channels, height, width]` for feature maps.
    pub output: Vec<usize>,
    /// Names of the graph's nodes that the box stands for.
    pub nodes: Vec<String>,
    /// Number of repetitions.
    pub times: usize,
    /// Operations and output shape of each layer of a group.
    #[serde(skip)]
    pub(super) members: Vec<(Vec<String>, Vec<usize>)>,
}

/// Category of a [`LayerBox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The network's input.
    Input,
    /// A convolution.
    Convolution,
    /// A pool or a mean.
    Pool,
    /// A fully connected layer, a radial basis layer or a matrix product.
    Linear,
    /// A norm that is not part of a convolution's box.
    Norm,
    /// An operation that merges branches.
    Merge,
    /// Any other operation.
    Other,
    /// A group of layers.
    Group,
}

/// A module of a [`Diagram`] with one input value and one output value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Module path; `layer3.1–35` for `layer3.1` to `layer3.35`.
    pub name: String,
    /// Number of repetitions.
    pub times: usize,
    /// Index of the module's first box.
    pub first: usize,
    /// Index of the module's last box, whose value is the module's output.
    pub last: usize,
}

impl Diagram {
    /// Returns the indices of the boxes that box `index` reads.
    pub(super) fn sources(&self, index: usize) -> impl Iterator<Item = usize> {
        let incoming = move |&&[_, to]: &&[usize; 2]| to == index;
        self.arrows.iter().filter(incoming).map(|&[from, _]| from)
    }
}
