//! The summary of a network: totals, and one row per layer.

use serde::Serialize;

/// The costs of a network for one forward pass of an input of a given shape.
///
/// The `Display` implementation writes a table. The serialized keys are the field names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Name of the network.
    pub model: String,
    /// Shape of the input, batch axis first.
    pub input: Vec<usize>,
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Number of running statistics and of constants, such as the centres of radial basis
    /// functions.
    pub fixed: u64,
    /// Size of the trainable parameters in bytes.
    pub parameter_bytes: u64,
    /// Number of multiply-adds, without those of [`uncounted`](Self::uncounted) operations.
    pub macs: u64,
    /// Operations whose multiply-adds are unknown, each with its layer: `up: interpolate`.
    pub uncounted: Vec<String>,
    /// Number of values of the input and of the layers with their own output memory.
    pub activation_values: u64,
    /// Size of the activation values in bytes.
    pub activation_bytes: u64,
    /// Number of connections into all units, biases included, for one image (Gradient-Based
    /// Learning Applied to Document Recognition, section II.B).
    pub connections: u64,
    /// Name of the first layer with the maximum number of activation values.
    pub widest: Option<String>,
    /// Height and width of the receptive field of a unit of the last feature map, in pixels of the
    /// input; `None` if the network has no convolution and no pool.
    pub receptive_field: Option<[usize; 2]>,
    /// Layers in execution order, without the input.
    pub layers: Vec<Layer>,
}

/// A row of a [`Summary`]: a layer or a group of layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Name of the layer's node in the graph, such as `layer1.0.conv1`.
    pub name: String,
    /// Kind: `conv 3x3/2`, `max pool 2x2/2`, `batch norm`, `fully connected`.
    pub kind: String,
    /// Activation that follows the layer in place, such as `relu`.
    pub activation: Option<String>,
    /// Shape of the output, batch axis first.
    pub output: Vec<usize>,
    /// Axis of the channels in `output`: 1 for `[batch, channels, height, width]`, 3 for
    /// `[batch, height, width, channels]`.
    pub channel_axis: usize,
    /// Number of trainable parameters. Shared parameters are counted in the first layer that reads
    /// them.
    pub parameters: u64,
    /// Number of running statistics and constants.
    pub fixed: u64,
    /// Shapes of the trainable parameters, such as `64x3x3x3 + 64`: output channels by input
    /// channels by height by width, and the bias.
    pub formula: String,
    /// Number of multiply-adds, without those of `uncounted` operations.
    pub macs: u64,
    /// Operations of the layer whose multiply-adds are unknown.
    pub uncounted: Vec<String>,
    /// Number of connections into all units, biases included, for one image.
    pub connections: u64,
    /// Number of output values; 0 if the layer works in place.
    pub activation_values: u64,
    /// Size of the activation values in bytes.
    pub memory_bytes: u64,
}
