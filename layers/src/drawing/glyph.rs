//! The drawing of one volume: its solid, its text, and the arrow before it.
//!
//! The height and depth of a solid grow with the height and width of the feature maps, the
//! thickness with the channels. All three grow less than proportionally, so that maps of 224 and of
//! 7 pixels fit on one page. A vector is a thin bar.

use svg::Document;
use svg::node::element::{Group, Polygon, Rectangle, Title};

use super::diagram::Role;
use super::geometry::Point;
use super::label::{repeated, shape_label, text_width, with_times_sign};
use super::svg_elements::{arrow, colour_class, round, text};
use super::volumes::Volume;

/// Height of the tallest feature maps, in pixels.
const MAX_MAP_SIDE: f64 = 150.0;
/// Height of the longest vector, in pixels.
const MAX_VECTOR_LENGTH: f64 = 120.0;
/// Horizontal and vertical offset of the depth axis per unit of depth.
const DEPTH_AXIS: [f64; 2] = [0.26, 0.22];
/// Maximum number of slabs drawn for a repeated volume.
const MAX_SLABS: usize = 4;
/// Distance between slabs, in pixels.
const SLAB_GAP: f64 = 4.0;
/// Line height, in pixels.
const LINE_HEIGHT: f64 = 14.0;
/// Minimum length of an arrow, in pixels.
const MIN_ARROW: f64 = 34.0;
/// Maximum number of characters in a line of an arrow's label; longer words are not split.
const LINE_CHARACTERS: usize = 11;
/// Distance between rows of glyphs, in pixels.
pub(super) const ROW_GAP: f64 = 34.0;

/// Position of a glyph, in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    /// Left edge of the glyph.
    pub left: f64,
    /// Height of the arrows.
    pub axis: f64,
    /// Upper edge of the glyph's row.
    pub row_top: f64,
}

/// Scale of the solids of a drawing.
pub(super) struct Scale {
    /// Maximum height or width of the feature maps.
    map: usize,
    /// Maximum length of the vectors.
    vector: usize,
}

impl Scale {
    /// Returns the scale at which the largest of `volumes` has the maximum size.
    pub fn from_volumes(volumes: &[Volume]) -> Self {
        let mut scale = Self { map: 1, vector: 1 };
        for volume in volumes {
            match map_shape(&volume.output) {
                Some([_, height, width]) => scale.map = scale.map.max(height).max(width),
                None => scale.vector = scale.vector.max(vector_length(&volume.output)),
            }
        }
        scale
    }

    /// Returns the height or depth of a solid, in pixels, for feature maps of this height or width.
    fn side(&self, length: usize) -> f64 {
        (MAX_MAP_SIDE * (length as f64 / self.map as f64).powf(0.55)).max(9.0)
    }

    /// Returns the thickness, height and depth of a volume's slabs, in pixels.
    fn slab(&self, volume: &Volume) -> [f64; 3] {
        match map_shape(&volume.output) {
            Some([channels, height, width]) => {
                let thickness = 4.0 + 1.15 * (channels as f64).sqrt();
                let factor = if volume.times > 1 { 0.6 } else { 1.0 };
                [
                    (factor * thickness).clamp(5.0, 70.0),
                    self.side(height),
                    self.side(width),
                ]
            }
            None => {
                let ratio = vector_length(&volume.output) as f64 / self.vector as f64;
                [9.0, (MAX_VECTOR_LENGTH * ratio.powf(0.35)).max(16.0), 14.0]
            }
        }
    }
}

/// Returns the channels, height and width of feature maps; `None` for vectors and maps of one
/// pixel.
fn map_shape(shape: &[usize]) -> Option<[usize; 3]> {
    match *shape {
        [_, channels, height, width] if height * width > 1 => Some([channels, height, width]),
        _ => None,
    }
}

/// Returns the number of elements per image, at least 1.
fn vector_length(shape: &[usize]) -> usize {
    shape.iter().skip(1).product::<usize>().max(1)
}

/// A volume's slabs and text, and the arrow before the volume. Lengths are in pixels.
pub(super) struct Glyph {
    /// Thickness, height and depth of a slab.
    slab: [f64; 3],
    /// Number of slabs.
    slabs: usize,
    /// Lines above and below the arrow.
    arrow_labels: [Vec<String>; 2],
    /// Lines below the slabs.
    lines: Vec<String>,
    /// Whether the glyph starts a row and has no arrow.
    pub starts_row: bool,
    /// Length of the arrow.
    pub arrow_length: f64,
    /// Width without the arrow.
    pub width: f64,
    /// Extent above the arrow's axis.
    pub above: f64,
    /// Extent below the arrow's axis.
    pub below: f64,
}

impl Glyph {
    /// Returns the glyph of `volume`.
    pub fn new(volume: &Volume, scale: &Scale, starts_row: bool) -> Self {
        let slab = scale.slab(volume);
        let slabs = volume.times.min(MAX_SLABS);
        let mut lines = vec![
            repeated(&volume.name, volume.times),
            shape_label(&volume.output),
        ];
        let kinds = volume.kinds.iter().map(|kind| with_times_sign(kind));
        let mut arrow_labels = [Vec::new(), Vec::new()];
        if volume.role == Role::Group {
            lines.extend(kinds);
        } else {
            for (index, kind) in kinds.enumerate() {
                arrow_labels[index.min(1)].extend(wrap(&kind));
            }
        }
        let widest = |lines: &[String], points: f64| {
            lines
                .iter()
                .map(|line| text_width(line, points))
                .fold(0.0, f64::max)
        };
        let label_width = arrow_labels
            .iter()
            .map(|lines| widest(lines, 11.0))
            .fold(0.0, f64::max);
        let arrow_length = match starts_row {
            true => 0.0,
            false => (label_width + 18.0).max(MIN_ARROW),
        };
        let [thickness, height, depth] = slab;
        let slabs_width = slabs as f64 * (thickness + SLAB_GAP) - SLAB_GAP + DEPTH_AXIS[0] * depth;
        let lines_above = LINE_HEIGHT * arrow_labels[0].len() as f64;
        let lines_below = LINE_HEIGHT * arrow_labels[1].len() as f64;
        Self {
            width: slabs_width.max(widest(&lines, 11.5)) + 6.0,
            above: (height / 2.0 + DEPTH_AXIS[1] * depth).max(lines_above + 12.0),
            below: (height / 2.0 + 8.0 + LINE_HEIGHT * lines.len() as f64).max(lines_below + 8.0),
            slab,
            slabs,
            arrow_labels,
            lines,
            starts_row,
            arrow_length,
        }
    }

    /// Returns the width of all slabs.
    fn slabs_width(&self) -> f64 {
        let [thickness, _, depth] = self.slab;
        self.slabs as f64 * (thickness + SLAB_GAP) - SLAB_GAP + DEPTH_AXIS[0] * depth
    }

    /// Returns the left edge of the first slab.
    fn slabs_left(&self, position: &Position) -> f64 {
        position.left + self.arrow_length + (self.width - self.slabs_width()) / 2.0
    }

    /// Returns the point where the arrow to the next glyph starts, and the right edge of this
    /// glyph.
    pub fn output(&self, position: &Position) -> (Point, f64) {
        let end = self.slabs_left(position) + self.slabs_width();
        (
            [end, position.axis],
            position.left + self.arrow_length + self.width,
        )
    }

    /// Adds the glyph to `document`. `previous` is the [`output`](Self::output) of the previous
    /// glyph, from which the arrow starts.
    pub fn draw(
        &self,
        document: Document,
        volume: &Volume,
        position: &Position,
        previous: Option<(Point, f64)>,
    ) -> Document {
        let left = self.slabs_left(position);
        let mut group = Group::new().set("data-volume", volume.name.as_str());
        let kinds = volume.kinds.iter().map(|kind| with_times_sign(kind));
        let kinds: Vec<String> = kinds.collect();
        let title = format!(
            "{}: {} {}",
            volume.name,
            kinds.join(", "),
            shape_label(&volume.output)
        );
        group = group.add(Title::new(title));
        if let Some((start, previous_right)) = previous {
            let end = [left - 2.0, position.axis];
            let points = if start[1] == position.axis {
                vec![start, end]
            } else {
                // The arrow leads from the end of a row to the start of the next row.
                let between_rows = position.row_top - ROW_GAP / 2.0;
                let [right, row_start] = [previous_right + 10.0, position.left + 2.0];
                vec![
                    start,
                    [right, start[1]],
                    [right, between_rows],
                    [row_start, between_rows],
                    [row_start, position.axis],
                    end,
                ]
            };
            group = group.add(arrow(&points, true));
        }
        let middle = position.left + self.arrow_length / 2.0 + 2.0;
        let above = self.arrow_labels[0].len() as f64;
        for (line, label) in self.arrow_labels[0].iter().enumerate() {
            let y = position.axis - 7.0 - LINE_HEIGHT * (above - 1.0 - line as f64);
            group = group.add(text(label, [middle, y], "rn-quiet rn-middle"));
        }
        for (line, label) in self.arrow_labels[1].iter().enumerate() {
            let y = position.axis + 15.0 + LINE_HEIGHT * line as f64;
            group = group.add(text(label, [middle, y], "rn-quiet rn-middle"));
        }
        for slab in 0..self.slabs {
            let x = left + slab as f64 * (self.slab[0] + SLAB_GAP);
            group = self.draw_slab(group, colour_class(volume.role), [x, position.axis]);
        }
        let middle = position.left + self.arrow_length + self.width / 2.0;
        for (line, label) in self.lines.iter().enumerate() {
            let y = position.axis + self.slab[1] / 2.0 + 16.0 + LINE_HEIGHT * line as f64;
            let class = match line {
                0 => "rn-text rn-middle rn-strong",
                _ => "rn-quiet rn-middle",
            };
            group = group.add(text(label, [middle, y], class));
        }
        document.add(group)
    }

    /// Adds the three visible faces of a slab to `group`. The middle of the front face's left edge
    /// is at `left_middle`.
    fn draw_slab(&self, group: Group, colour: &str, left_middle: Point) -> Group {
        let [thickness, height, depth] = self.slab;
        let [x, y] = [left_middle[0], left_middle[1] - height / 2.0];
        let [right, up] = DEPTH_AXIS.map(|offset| offset * depth);
        let points = |corners: [Point; 4]| {
            corners
                .map(|[x, y]| format!("{},{}", round(x), round(y)))
                .join(" ")
        };
        let top_face = points([
            [x, y],
            [x + right, y - up],
            [x + thickness + right, y - up],
            [x + thickness, y],
        ]);
        let side_face = points([
            [x + thickness, y],
            [x + thickness + right, y - up],
            [x + thickness + right, y - up + height],
            [x + thickness, y + height],
        ]);
        let shape = format!("rn-shape {colour}");
        let mut group = group.add(
            Rectangle::new()
                .set("class", shape.as_str())
                .set("x", round(x))
                .set("y", round(y))
                .set("width", round(thickness))
                .set("height", round(height)),
        );
        for (corners, light) in [(top_face, "rn-lit"), (side_face, "rn-shaded")] {
            for class in [shape.as_str(), light] {
                group = group.add(
                    Polygon::new()
                        .set("class", class)
                        .set("points", corners.as_str()),
                );
            }
        }
        group
    }
}

/// Breaks the kind of a layer into short lines, with the window and the stride on separate lines:
/// `conv`, `11×11`, `stride 4`. A stride of 1 is omitted.
fn wrap(kind: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut may_extend = false;
    for word in kind.split(' ') {
        let is_window = word.contains('×');
        let (word, stride) = match word.split_once('/') {
            Some((window, stride)) if is_window => (window, Some(stride)),
            _ => (word, None),
        };
        match lines.last_mut() {
            Some(line) if may_extend && !is_window && line.len() + word.len() < LINE_CHARACTERS => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(word.to_owned()),
        }
        may_extend = !is_window;
        if let Some(stride) = stride.filter(|stride| *stride != "1") {
            lines.push(format!("stride {stride}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn windows_and_strides_have_their_own_lines() {
        assert_eq!(wrap("conv 11×11/4"), ["conv", "11×11", "stride 4"]);
        assert_eq!(wrap("max pool 3×3/2"), ["max pool", "3×3", "stride 2"]);
        assert_eq!(wrap("avg pool 3×3/1"), ["avg pool", "3×3"]);
        assert_eq!(wrap("fully connected"), ["fully", "connected"]);
        assert_eq!(wrap("conv 5×5 in 2 groups"), ["conv", "5×5", "in 2 groups"]);
        assert_eq!(wrap("global avg pool"), ["global avg", "pool"]);
    }
}
