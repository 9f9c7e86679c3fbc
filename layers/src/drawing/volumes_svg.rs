//! SVG drawing of volumes as rows of solids, in the style of the papers' figures.

use std::collections::BTreeSet;

use svg::node::element::Path;

use super::glyph::{Glyph, Position, ROW_GAP, Scale};
use super::label::{shape_label, text_width};
use super::svg_elements::{HEADING_HEIGHT, MARGIN, document, round, text};
use super::volumes::{Volume, Volumes};

/// Maximum width of a row, in pixels.
const MAX_ROW_WIDTH: f64 = 1080.0;
/// Height of a bracket and its label, in pixels.
const BRACKET_HEIGHT: f64 = 30.0;

impl Volumes {
    /// Returns an SVG drawing of the volumes from left to right, in rows.
    ///
    /// Each further head has its own rows, which start with a second drawing of the volume that the
    /// head reads.
    pub fn svg(&self) -> String {
        let scale = Scale::from_volumes(&self.volumes);
        let mut drawn: Vec<&Volume> = self.volumes.iter().collect();
        let mut row_starts = BTreeSet::from([0]);
        for head in &self.heads {
            row_starts.insert(drawn.len());
            drawn.push(&self.volumes[head.from]);
            drawn.extend(&head.volumes);
        }
        let glyphs: Vec<Glyph> = (drawn.iter().enumerate())
            .map(|(index, volume)| Glyph::new(volume, &scale, row_starts.contains(&index)))
            .collect();
        let layout = self.row_layout(&glyphs);
        let size = [layout.width + 2.0 * MARGIN, layout.height + MARGIN];
        let mut document = document(size, &self.model, "blocks", &self.description());
        for (index, (glyph, volume)) in glyphs.iter().zip(drawn).enumerate() {
            let position = layout.glyphs[index];
            let previous = index.checked_sub(1).filter(|_| !glyph.starts_row);
            let previous =
                previous.map(|previous| glyphs[previous].output(&layout.glyphs[previous]));
            document = glyph.draw(document, volume, &position, previous);
        }
        for (bracket, spans) in self.brackets.iter().zip(&layout.brackets) {
            for &[left, right, y] in spans {
                let d = format!("M{} {}v6H{}v-6", round(left), round(y + 6.0), round(right));
                let label = format!("{} ×{}", bracket.name, bracket.times);
                let class = "rn-quiet rn-middle";
                document = document
                    .add(Path::new().set("class", "rn-bracket").set("d", d))
                    .add(text(&label, [f64::midpoint(left, right), y + 25.0], class));
            }
        }
        format!("{document}\n")
    }

    /// Returns the text alternative of the drawing.
    fn description(&self) -> String {
        let list = |volumes: &[Volume]| {
            let volumes: Vec<String> = (volumes.iter())
                .map(|volume| {
                    let times = match volume.times {
                        1 => String::new(),
                        times => format!("{times} times "),
                    };
                    format!("{times}{} {}", volume.name, shape_label(&volume.output))
                })
                .collect();
            volumes.join(", ")
        };
        let mut text = format!(
            "The feature maps of {}: {}",
            self.model,
            list(&self.volumes)
        );
        for head in &self.heads {
            let from = &self.volumes[head.from].name;
            text += &format!("; head after {from}: {}", list(&head.volumes));
        }
        text
    }

    /// Computes the positions of `glyphs` in rows, and those of the brackets below the rows.
    fn row_layout(&self, glyphs: &[Glyph]) -> RowLayout {
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut used = f64::INFINITY;
        for (index, glyph) in glyphs.iter().enumerate() {
            used += glyph.arrow_length + glyph.width;
            // A row breaks before the first volume of a bracket if the whole bracket does not fit.
            let bracket = self.brackets.iter().find(|bracket| bracket.first == index);
            let rest = bracket.map_or(0.0, |bracket| {
                let rest = glyphs.iter().take(bracket.last + 1).skip(index + 1);
                rest.map(|glyph| glyph.arrow_length + glyph.width).sum()
            });
            match rows.last_mut() {
                Some(row) if used + rest <= MAX_ROW_WIDTH && !glyph.starts_row => row.push(index),
                _ => {
                    rows.push(vec![index]);
                    used = glyph.arrow_length + glyph.width;
                }
            }
        }
        let heading = text_width(&self.model, 17.0);
        let mut layout = RowLayout {
            glyphs: vec![Position::default(); glyphs.len()],
            brackets: vec![Vec::new(); self.brackets.len()],
            width: heading,
            height: MARGIN + HEADING_HEIGHT,
        };
        for row in &rows {
            let maximum = |extent: fn(&Glyph) -> f64| {
                row.iter()
                    .map(|&index| extent(&glyphs[index]))
                    .fold(0.0, f64::max)
            };
            let axis = layout.height + maximum(|glyph| glyph.above);
            let mut bottom = axis + maximum(|glyph| glyph.below);
            let mut left = MARGIN;
            for &index in row {
                layout.glyphs[index] = Position {
                    left,
                    axis,
                    row_top: layout.height,
                };
                left += glyphs[index].arrow_length + glyphs[index].width;
            }
            layout.width = layout.width.max(left - MARGIN);
            let mut has_bracket = false;
            for (bracket, spans) in self.brackets.iter().zip(&mut layout.brackets) {
                let inside = row
                    .iter()
                    .filter(|&&index| (bracket.first..=bracket.last).contains(&index));
                let inside: Vec<usize> = inside.copied().collect();
                if let [first, ..] = inside[..] {
                    let last = inside[inside.len() - 1];
                    let (_, right) = glyphs[last].output(&layout.glyphs[last]);
                    let left = layout.glyphs[first].left + glyphs[first].arrow_length;
                    spans.push([left, right, bottom]);
                    has_bracket = true;
                }
            }
            if has_bracket {
                bottom += BRACKET_HEIGHT;
            }
            layout.height = bottom + ROW_GAP;
        }
        layout.height -= ROW_GAP;
        layout
    }
}

/// Positions of glyphs and brackets, in pixels.
struct RowLayout {
    glyphs: Vec<Position>,
    /// Left edge, right edge and upper edge of each bracket, one triple per row.
    brackets: Vec<Vec<[f64; 3]>>,
    width: f64,
    height: f64,
}
