//! Feature maps as solids, row by row, as the papers' figures have them.

use std::collections::BTreeSet;

use svg::node::element::Path;

use super::label::{size, width};
use super::paint::{HEADING, MARGIN, document, round, text};
use super::slot::{At, ROWS, Scale, Slot};
use super::{Volume, Volumes};

/// How wide a row gets before it goes on in another, in pixels.
const ROW: f64 = 1080.0;
/// The height of a bracket with its name.
const BRACKET: f64 = 30.0;

impl Volumes {
    /// The volumes from left to right, row by row, in SVG. A further head has rows of its own, with what it
    /// begins at once more.
    pub fn svg(&self) -> String {
        let scale = Scale::of(&self.volumes);
        let mut drawn: Vec<&Volume> = self.volumes.iter().collect();
        let mut begins = BTreeSet::from([0]);
        for head in &self.heads {
            begins.insert(drawn.len());
            drawn.push(&self.volumes[head.from]);
            drawn.extend(&head.volumes);
        }
        let slots: Vec<Slot> = (drawn.iter().enumerate())
            .map(|(place, volume)| Slot::of(volume, &scale, begins.contains(&place)))
            .collect();
        let placed = self.place(&slots);
        let size = [placed.width + 2.0 * MARGIN, placed.height + MARGIN];
        let mut document = document(size, &self.model, "blocks", &self.description());
        for (place, (slot, volume)) in slots.iter().zip(drawn).enumerate() {
            let at = placed.slots[place];
            let before = place.checked_sub(1).filter(|_| !slot.begins);
            let from = before.map(|before| slots[before].ends_at(&placed.slots[before]));
            document = slot.paint(document, volume, &at, from);
        }
        for (bracket, spans) in self.brackets.iter().zip(&placed.brackets) {
            for &[left, right, y] in spans {
                let d = format!("M{} {}v6H{}v-6", round(left), round(y + 6.0), round(right));
                let words = format!("{} ×{}", bracket.name, bracket.times);
                let class = "rn-quiet rn-middle";
                document = document
                    .add(Path::new().set("class", "rn-bracket").set("d", d))
                    .add(text(&words, [f64::midpoint(left, right), y + 25.0], class));
            }
        }
        format!("{document}\n")
    }

    /// What is in the picture, for those who do not see it.
    fn description(&self) -> String {
        let steps = |volumes: &[Volume]| {
            let steps: Vec<String> = (volumes.iter())
                .map(|volume| {
                    let times = match volume.times {
                        1 => String::new(),
                        times => format!("{times} times "),
                    };
                    format!("{times}{} {}", volume.name, size(&volume.output))
                })
                .collect();
            steps.join(", ")
        };
        let mut text = format!(
            "The feature maps of {}: {}",
            self.model,
            steps(&self.volumes)
        );
        for head in &self.heads {
            let from = &self.volumes[head.from].name;
            text += &format!("; from {from} on: {}", steps(&head.volumes));
        }
        text
    }

    /// Rows of slots.
    fn place(&self, slots: &[Slot]) -> Placed {
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut used = f64::INFINITY;
        for (place, slot) in slots.iter().enumerate() {
            used += slot.gap + slot.width;
            // What a bracket is under stays together where a row has room for it.
            let together = self.brackets.iter().find(|bracket| bracket.first == place);
            let rest = together.map_or(0.0, |bracket| {
                let rest = slots.iter().take(bracket.last + 1).skip(place + 1);
                rest.map(|slot| slot.gap + slot.width).sum()
            });
            match rows.last_mut() {
                Some(row) if used + rest <= ROW && !slot.begins => row.push(place),
                _ => {
                    rows.push(vec![place]);
                    used = slot.gap + slot.width;
                }
            }
        }
        let heading = width(&self.model, 17.0);
        let mut placed = Placed {
            slots: vec![At::default(); slots.len()],
            brackets: vec![Vec::new(); self.brackets.len()],
            width: heading,
            height: MARGIN + HEADING,
        };
        for row in &rows {
            let reach = |side: fn(&Slot) -> f64| {
                row.iter()
                    .map(|&place| side(&slots[place]))
                    .fold(0.0, f64::max)
            };
            let axis = placed.height + reach(|slot| slot.above);
            let mut bottom = axis + reach(|slot| slot.below);
            let mut left = MARGIN;
            for &place in row {
                placed.slots[place] = At {
                    left,
                    axis,
                    top: placed.height,
                };
                left += slots[place].gap + slots[place].width;
            }
            placed.width = placed.width.max(left - MARGIN);
            let mut bracketed = false;
            for (bracket, spans) in self.brackets.iter().zip(&mut placed.brackets) {
                let within = row
                    .iter()
                    .filter(|&&place| (bracket.first..=bracket.last).contains(&place));
                let within: Vec<usize> = within.copied().collect();
                if let [first, ..] = within[..] {
                    let last = within[within.len() - 1];
                    let right = placed.slots[last].left + slots[last].gap + slots[last].width;
                    spans.push([placed.slots[first].left + slots[first].gap, right, bottom]);
                    bracketed = true;
                }
            }
            if bracketed {
                bottom += BRACKET;
            }
            placed.height = bottom + ROWS;
        }
        placed.height -= ROWS;
        placed
    }
}

struct Placed {
    slots: Vec<At>,
    /// Left, right and top of each bracket, row by row.
    brackets: Vec<Vec<[f64; 3]>>,
    width: f64,
    height: f64,
}
