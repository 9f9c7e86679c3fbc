//! The explanation of a value, as the page shows it.

use serde::Serialize;

use crate::chain::LayerKind;

/// One value of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Index of the layer.
    pub layer: usize,
    /// Channel, counted from 0.
    pub channel: usize,
    /// Row, counted from 0.
    pub row: usize,
    /// Column, counted from 0.
    pub column: usize,
}

/// Computation of the value of a unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Value that the compiled network computed.
    pub value: f32,
    /// Kind of the layer.
    pub kind: LayerKind,
    /// Receptive field in pixels of the drawing. Height and width are 0 if the receptive field lies
    /// entirely in the padding around the drawing.
    pub receptive_field: Rect,
    /// Window in the feature maps that the layer reads; a convolution's window may extend into the
    /// padding. `None` for the input.
    pub patch: Option<Rect>,
    /// Terms of the sum, one for each channel that the unit reads.
    pub terms: Vec<Term>,
    /// Bias of the unit's channel.
    pub bias: Option<f32>,
    /// Sum of the terms and the bias. For a max pool, the largest value; for an activation, the
    /// argument of the function; for the input, the value.
    pub sum: f64,
    /// Name of the function that maps `sum` to `value`, if the layer is an activation.
    pub activation: Option<String>,
}

/// A rectangle in a feature map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rect {
    /// First row; negative in the padding above the feature map.
    pub top: i64,
    /// First column; negative in the padding on the left.
    pub left: i64,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

/// Contribution of one channel to the value of a unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// Channel that the unit reads, counted from 0.
    pub channel: usize,
    /// Number of rows of the patch.
    pub rows: usize,
    /// Number of columns of the patch.
    pub columns: usize,
    /// Values of the patch, row by row; zero in the padding.
    pub patch: Vec<f32>,
    /// Weight of each value of the patch, row by row; the reciprocal of the window's size for an
    /// average pool, and `None` for a max pool or an activation.
    pub kernel: Option<Vec<f32>>,
    /// Sum of the products of patch and kernel. For a max pool, the largest value; for an
    /// activation, the argument of the function.
    pub sum: f64,
}
