//! One feature map as a solid, with its text and the arrow before it.
//!
//! A map's height and depth grow with its height and width, its thickness with the channels; all
//! three less than in proportion, so that 224 pixels and 7 are on one page. A vector is a thin bar.

use svg::Document;
use svg::node::element::{Group, Polygon, Rectangle, Title};

use super::label::{signed, size, width};
use super::paint::{arrow, colour, round, text};
use super::{Role, Volume};

/// The tallest map.
const TALLEST: f64 = 150.0;
/// The longest vector.
const LONGEST: f64 = 120.0;
/// How far the depth of a map goes to the right, and up, for its length.
const DEPTH: [f64; 2] = [0.26, 0.22];
/// Slabs that are drawn of repeated volumes.
const SLABS: usize = 4;
/// Between slabs.
const SLIT: f64 = 4.0;
/// From one line of text to the next.
const LINE: f64 = 14.0;
/// The shortest arrow.
const ARROW: f64 = 34.0;
/// How many letters a line on an arrow has, where words allow.
const LETTERS: usize = 11;
/// Between rows.
pub(super) const ROWS: f64 = 34.0;

/// Where a slot is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At {
    pub left: f64,
    /// The height on which arrows run.
    pub axis: f64,
    /// Where its row begins.
    pub top: f64,
}

/// What lengths are measured by.
pub(super) struct Scale {
    /// The tallest or widest map.
    map: usize,
    /// The longest vector.
    vector: usize,
}

impl Scale {
    pub fn of(volumes: &[Volume]) -> Self {
        let mut scale = Self { map: 1, vector: 1 };
        for volume in volumes {
            match maps(&volume.output) {
                Some([_, height, width]) => scale.map = scale.map.max(height).max(width),
                None => scale.vector = scale.vector.max(length(&volume.output)),
            }
        }
        scale
    }

    fn side(&self, length: usize) -> f64 {
        (TALLEST * (length as f64 / self.map as f64).powf(0.55)).max(9.0)
    }

    /// Thickness, height and depth of a volume.
    fn solid(&self, volume: &Volume) -> [f64; 3] {
        match maps(&volume.output) {
            Some([channels, height, width]) => {
                let thickness = 4.0 + 1.15 * (channels as f64).sqrt();
                let shared = if volume.times > 1 { 0.6 } else { 1.0 };
                [
                    (shared * thickness).clamp(5.0, 70.0),
                    self.side(height),
                    self.side(width),
                ]
            }
            None => {
                let share = length(&volume.output) as f64 / self.vector as f64;
                [9.0, (LONGEST * share.powf(0.35)).max(16.0), 14.0]
            }
        }
    }
}

/// Channels, height and width of an image of more than one pixel.
fn maps(shape: &[usize]) -> Option<[usize; 3]> {
    match *shape {
        [_, channels, height, width] if height * width > 1 => Some([channels, height, width]),
        _ => None,
    }
}

fn length(shape: &[usize]) -> usize {
    shape.iter().skip(1).product::<usize>().max(1)
}

/// A volume with its text and the arrow before it.
pub(super) struct Slot {
    /// Thickness, height and depth of a slab.
    solid: [f64; 3],
    slabs: usize,
    /// On the arrow, then under it.
    labels: [Vec<String>; 2],
    /// Under the volume.
    lines: Vec<String>,
    /// Whether no arrow leads here.
    pub begins: bool,
    /// The arrow's length.
    pub gap: f64,
    /// Without the arrow.
    pub width: f64,
    /// How far it reaches above the axis, and below.
    pub above: f64,
    pub below: f64,
}

impl Slot {
    pub fn of(volume: &Volume, scale: &Scale, begins: bool) -> Self {
        let solid = scale.solid(volume);
        let slabs = volume.times.min(SLABS);
        let mut lines = vec![match volume.times {
            1 => volume.name.clone(),
            times => format!("{} ×{times}", volume.name),
        }];
        lines.push(size(&volume.output));
        let kinds = volume.kinds.iter().map(|kind| signed(kind));
        let mut labels = [Vec::new(), Vec::new()];
        if volume.role == Role::Group {
            lines.extend(kinds);
        } else {
            for (place, kind) in kinds.enumerate() {
                labels[place.min(1)].extend(wrapped(&kind));
            }
        }
        let widest = |lines: &[String], points: f64| {
            lines
                .iter()
                .map(|line| width(line, points))
                .fold(0.0, f64::max)
        };
        let written = labels
            .iter()
            .map(|lines| widest(lines, 11.0))
            .fold(0.0, f64::max);
        let gap = match begins {
            true => 0.0,
            false => (written + 18.0).max(ARROW),
        };
        let [thickness, height, depth] = solid;
        let drawn = slabs as f64 * (thickness + SLIT) - SLIT + DEPTH[0] * depth;
        Self {
            width: drawn.max(widest(&lines, 11.5)) + 6.0,
            above: (height / 2.0 + DEPTH[1] * depth).max(LINE * labels[0].len() as f64 + 12.0),
            below: (height / 2.0 + 8.0 + LINE * lines.len() as f64)
                .max(LINE * labels[1].len() as f64 + 8.0),
            solid,
            slabs,
            labels,
            lines,
            begins,
            gap,
        }
    }

    /// How wide its slabs are together.
    fn drawn(&self) -> f64 {
        let [thickness, _, depth] = self.solid;
        self.slabs as f64 * (thickness + SLIT) - SLIT + DEPTH[0] * depth
    }

    /// Where its slabs begin.
    fn begins_at(&self, at: &At) -> f64 {
        at.left + self.gap + (self.width - self.drawn()) / 2.0
    }

    /// Where the arrow to the next volume begins, and the end of its slot.
    pub fn ends_at(&self, at: &At) -> ([f64; 2], f64) {
        let end = self.begins_at(at) + self.drawn();
        ([end, at.axis], at.left + self.gap + self.width)
    }

    pub fn paint(
        &self,
        document: Document,
        volume: &Volume,
        at: &At,
        from: Option<([f64; 2], f64)>,
    ) -> Document {
        let left = self.begins_at(at);
        let mut group = Group::new().set("data-volume", volume.name.as_str());
        let kinds: Vec<String> = volume.kinds.iter().map(|kind| signed(kind)).collect();
        let title = format!(
            "{}: {} {}",
            volume.name,
            kinds.join(", "),
            size(&volume.output)
        );
        group = group.add(Title::new(title));
        if let Some((begin, slot)) = from {
            let end = [left - 2.0, at.axis];
            let points = if begin[1] == at.axis {
                vec![begin, end]
            } else {
                // From the end of a row to the beginning of the next.
                let between = at.top - ROWS / 2.0;
                let [right, back] = [slot + 10.0, at.left + 2.0];
                vec![
                    begin,
                    [right, begin[1]],
                    [right, between],
                    [back, between],
                    [back, at.axis],
                    end,
                ]
            };
            group = group.add(arrow(&points, true));
        }
        let middle = at.left + self.gap / 2.0 + 2.0;
        let above = self.labels[0].len() as f64;
        for (line, words) in self.labels[0].iter().enumerate() {
            let y = at.axis - 7.0 - LINE * (above - 1.0 - line as f64);
            group = group.add(text(words, [middle, y], "rn-quiet rn-middle"));
        }
        for (line, words) in self.labels[1].iter().enumerate() {
            let y = at.axis + 15.0 + LINE * line as f64;
            group = group.add(text(words, [middle, y], "rn-quiet rn-middle"));
        }
        for slab in 0..self.slabs {
            let x = left + slab as f64 * (self.solid[0] + SLIT);
            group = self.slab(group, colour(volume.role), [x, at.axis]);
        }
        let middle = at.left + self.gap + self.width / 2.0;
        for (line, words) in self.lines.iter().enumerate() {
            let y = at.axis + self.solid[1] / 2.0 + 16.0 + LINE * line as f64;
            let class = match line {
                0 => "rn-text rn-middle rn-strong",
                _ => "rn-quiet rn-middle",
            };
            group = group.add(text(words, [middle, y], class));
        }
        document.add(group)
    }

    /// The three sides of a slab that are seen, its left edge's middle at `at`.
    fn slab(&self, group: Group, colour: &str, at: [f64; 2]) -> Group {
        let [thickness, height, depth] = self.solid;
        let [x, y] = [at[0], at[1] - height / 2.0];
        let [aside, up] = DEPTH.map(|share| share * depth);
        let points = |corners: [[f64; 2]; 4]| {
            corners
                .map(|[x, y]| format!("{},{}", round(x), round(y)))
                .join(" ")
        };
        let above = points([
            [x, y],
            [x + aside, y - up],
            [x + thickness + aside, y - up],
            [x + thickness, y],
        ]);
        let beside = points([
            [x + thickness, y],
            [x + thickness + aside, y - up],
            [x + thickness + aside, y - up + height],
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
        for (corners, light) in [(above, "rn-lit"), (beside, "rn-shaded")] {
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

/// The words of a kind in short lines; a stride by itself: `conv`, `11×11`, `stride 4`.
fn wrapped(kind: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut joins = false;
    for word in kind.split(' ') {
        let sized = word.contains('×');
        let (word, stride) = match word.split_once('/') {
            Some((window, stride)) if sized => (window, Some(stride)),
            _ => (word, None),
        };
        match lines.last_mut() {
            Some(line) if joins && !sized && line.len() + word.len() < LETTERS => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(word.to_owned()),
        }
        joins = !sized;
        if let Some(stride) = stride.filter(|stride| *stride != "1") {
            lines.push(format!("stride {stride}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn strides_have_a_line() {
        assert_eq!(wrapped("conv 11×11/4"), ["conv", "11×11", "stride 4"]);
        assert_eq!(wrapped("max pool 3×3/2"), ["max pool", "3×3", "stride 2"]);
        assert_eq!(wrapped("avg pool 3×3/1"), ["avg pool", "3×3"]);
        assert_eq!(wrapped("fully connected"), ["fully", "connected"]);
        assert_eq!(
            wrapped("conv 5×5 in 2 groups"),
            ["conv", "5×5", "in 2 groups"]
        );
        assert_eq!(wrapped("global avg pool"), ["global avg", "pool"]);
    }
}
