//! The operation graph as a picture.

use svg::node::element::{Circle, Group, Rectangle, TSpan, Title};

use super::arrangement::{Arrangement, End, Point, Rect, arrange};
use super::label::{signed, size, width};
use super::paint::{HEADING, MARGIN, arrow, colour, document, round, text};
use super::{Diagram, LayerBox, Role};

/// From one line of text to the next, in pixels.
const LINE: f64 = 16.0;
/// Between a box's edge and its text.
const PADDING: f64 = 10.0;
/// How wide the kinds of a group get before they go on in another line.
const KINDS: f64 = 210.0;

impl Diagram {
    /// The graph from top to bottom, in SVG.
    pub fn svg(&self) -> String {
        let words: Vec<Words> = (0..self.boxes.len())
            .map(|place| self.words(place))
            .collect();
        let sizes: Vec<[f64; 2]> = words.iter().map(Words::size).collect();
        let titles: Vec<String> = (self.frames.iter())
            .map(|frame| title(&frame.name, frame.times))
            .collect();
        let widths: Vec<f64> = titles
            .iter()
            .map(|title| 1.06 * width(title, 11.0))
            .collect();
        let arrangement = arrange(self, &sizes, &widths);
        self.paint(&words, &titles, &arrangement)
    }

    fn paint(&self, words: &[Words], titles: &[String], arrangement: &Arrangement) -> String {
        let heading = width(&self.model, 17.0);
        let whole = [
            arrangement.size[0].max(heading) + 2.0 * MARGIN,
            arrangement.size[1] + 2.0 * MARGIN + HEADING,
        ];
        let spare = (whole[0] - 2.0 * MARGIN - arrangement.size[0]) / 2.0;
        let moved = |[x, y]: Point| [x + MARGIN + spare, y + MARGIN + HEADING];
        let mut document = document(whole, &self.model, "graph", &self.description());
        let frames = arrangement.frames.iter().zip(&self.frames);
        for (title, (frame, module)) in titles.iter().zip(frames) {
            let [left, top] = moved([frame.left, frame.top]);
            let class = match module.times {
                1 => "rn-quiet",
                _ => "rn-quiet rn-strong",
            };
            document = document
                .add(rectangle(frame, [left, top], 10.0).set("class", "rn-frame"))
                .add(text(title, [left + 12.0, top + 14.0], class));
        }
        for path in &arrangement.paths {
            let points: Vec<Point> = path.points.iter().copied().map(moved).collect();
            let headed = matches!(path.to, End::Box(_));
            let arrow = arrow(&points, headed)
                .set("data-from", end(path.from))
                .set("data-to", end(path.to));
            document = document.add(arrow);
        }
        for (place, &junction) in arrangement.junctions.iter().enumerate() {
            let [x, y] = moved(junction);
            let dot = Circle::new()
                .set("class", "rn-head")
                .set("cx", round(x))
                .set("cy", round(y))
                .set("r", 2.5)
                .set("data-box", end(End::Junction(place)));
            document = document.add(dot);
        }
        for (place, (words, rect)) in words.iter().zip(&arrangement.boxes).enumerate() {
            let layer = &self.boxes[place];
            let at = moved([rect.left, rect.top]);
            let mut group = Group::new()
                .set("data-box", end(End::Box(place)))
                .add(Title::new(tooltip(layer)))
                .add(
                    rectangle(rect, at, 5.0)
                        .set("class", format!("rn-shape {}", colour(layer.role))),
                );
            for (line, (strong, rest, class)) in words.lines.iter().enumerate() {
                let y = at[1] + PADDING / 2.0 + LINE * (line as f64 + 0.8);
                let mut text = text("", [at[0] + rect.width / 2.0, y], class);
                if !strong.is_empty() {
                    text = text.add(TSpan::new(strong.as_str()).set("class", "rn-strong"));
                }
                if !rest.is_empty() {
                    text = text.add(TSpan::new(rest.as_str()));
                }
                group = group.add(text);
            }
            document = document.add(group);
        }
        format!("{document}\n")
    }

    /// What is in the picture, for those who do not see it.
    fn description(&self) -> String {
        let repeated = self.frames.iter().filter(|frame| frame.times > 1).count();
        let mut text = format!(
            "The operations of {} from its input, {}, to its output, in {} boxes with {} arrows",
            self.model,
            size(&self.boxes[0].output),
            self.boxes.len(),
            self.arrows.len()
        );
        if repeated > 0 {
            text += &format!("; {repeated} frames are modules that are repeated");
        }
        text
    }

    /// What is written in a box.
    fn words(&self, place: usize) -> Words {
        let layer = &self.boxes[place];
        let size = size(&layer.output);
        let kinds: Vec<String> = layer.kinds.iter().map(|kind| signed(kind)).collect();
        if layer.role == Role::Group {
            return Words::of_group(title(&layer.name, layer.times), &kinds, size);
        }
        let mut strong = kinds.first().cloned().unwrap_or_else(|| layer.name.clone());
        let rest = match kinds.get(1..) {
            Some(rest) if !rest.is_empty() => {
                // A space goes between parts, so that the comma belongs to the first.
                strong.push(',');
                format!(" {}", rest.join(", "))
            }
            _ => String::new(),
        };
        let mut lines = vec![(strong, rest, "rn-text rn-middle")];
        let quiet = match layer.role {
            Role::Input => size,
            Role::Merge => String::new(),
            _ => format!("{} · {size}", self.within_frame(place)),
        };
        if !quiet.is_empty() {
            lines.push((String::new(), quiet, "rn-quiet rn-middle"));
        }
        Words { lines }
    }

    /// A box's name without that of the frame around it.
    fn within_frame(&self, place: usize) -> &str {
        let name = &self.boxes[place].name;
        let around =
            (self.frames.iter().rev()).find(|frame| (frame.first..=frame.last).contains(&place));
        let names = around.map_or(0, |frame| {
            // A repeated module's name is that of its first copy, and more.
            let own = self.boxes[frame.first].name.split('.');
            let last = self.boxes[frame.last].name.split('.');
            own.zip(last).take_while(|(a, b)| a == b).count()
        });
        let cut: usize = name.split('.').take(names).map(|part| part.len() + 1).sum();
        name.get(cut..).unwrap_or(name)
    }
}

/// What is written in a box: a strong and a plain part for each line, and its class.
struct Words {
    lines: Vec<(String, String, &'static str)>,
}

impl Words {
    fn of_group(title: String, kinds: &[String], size: String) -> Self {
        let mut lines = vec![(title, String::new(), "rn-text rn-middle")];
        let mut line = String::new();
        for kind in kinds {
            if !line.is_empty() && width(&line, 11.0) + width(kind, 11.0) > KINDS {
                lines.push((String::new(), format!("{line},"), "rn-quiet rn-middle"));
                line.clear();
            }
            if !line.is_empty() {
                line += ", ";
            }
            line += kind;
        }
        lines.push((String::new(), line, "rn-quiet rn-middle"));
        lines.push((String::new(), size, "rn-quiet rn-middle"));
        Self { lines }
    }

    fn size(&self) -> [f64; 2] {
        let widths = self.lines.iter().map(|(strong, rest, class)| {
            let points = if class.starts_with("rn-quiet") {
                11.0
            } else {
                12.0
            };
            1.06 * width(strong, points) + width(rest, points)
        });
        [
            widths.fold(0.0, f64::max) + 2.0 * PADDING,
            LINE * self.lines.len() as f64 + PADDING,
        ]
    }
}

fn rectangle(rect: &Rect, at: Point, radius: f64) -> Rectangle {
    Rectangle::new()
        .set("x", round(at[0]))
        .set("y", round(at[1]))
        .set("width", round(rect.width))
        .set("height", round(rect.height))
        .set("rx", radius)
}

/// A name and how often it is repeated: `layer3.1–35 ×35`.
fn title(name: &str, times: usize) -> String {
    match times {
        1 => name.to_owned(),
        _ => format!("{name} ×{times}"),
    }
}

fn end(end: End) -> String {
    match end {
        End::Box(place) => format!("box{place}"),
        End::Junction(frame) => format!("frame{frame}"),
    }
}

/// What a pointer over a box is told.
fn tooltip(layer: &LayerBox) -> String {
    let kinds: Vec<String> = layer.kinds.iter().map(|kind| signed(kind)).collect();
    format!(
        "{}: {} {}",
        layer.name,
        kinds.join(", "),
        size(&layer.output)
    )
}
