//! Points and rectangles of a layout, in pixels.

/// Coordinates x, to the right, and y, downwards.
pub(super) type Point = [f64; 2];

/// An axis-aligned rectangle.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rect {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}
