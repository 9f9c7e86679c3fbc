//! SVG drawing of a diagram: boxes, frames and arrows from top to bottom.

use svg::node::element::{Circle, Group, Rectangle, TSpan, Title};

use super::diagram::{Diagram, LayerBox, Role};
use super::geometry::{Point, Rect};
use super::label::{repeated, shape_label, text_width, with_times_sign};
use super::layout::{DiagramLayout, Endpoint, layout};
use super::svg_elements::{HEADING_HEIGHT, MARGIN, arrow, colour_class, document, round, text};

/// Line height, in pixels.
const LINE_HEIGHT: f64 = 16.0;
/// Distance between a box's edge and its text, in pixels.
const PADDING: f64 = 10.0;
/// Maximum width of a line that lists the kinds of a group, in pixels.
const MAX_KINDS_WIDTH: f64 = 210.0;

impl Diagram {
    /// Returns an SVG drawing of the diagram from top to bottom.
    pub fn svg(&self) -> String {
        let texts: Vec<BoxText> = (0..self.boxes.len())
            .map(|index| self.box_text(index))
            .collect();
        let sizes: Vec<[f64; 2]> = texts.iter().map(BoxText::box_size).collect();
        let titles: Vec<String> = (self.frames.iter())
            .map(|frame| repeated(&frame.name, frame.times))
            .collect();
        let title_widths: Vec<f64> = titles
            .iter()
            .map(|title| 1.06 * text_width(title, 11.0))
            .collect();
        let layout = layout(self, &sizes, &title_widths);
        self.draw(&texts, &titles, &layout)
    }

    fn draw(&self, texts: &[BoxText], titles: &[String], layout: &DiagramLayout) -> String {
        let heading = text_width(&self.model, 17.0);
        let size = [
            layout.size[0].max(heading) + 2.0 * MARGIN,
            layout.size[1] + 2.0 * MARGIN + HEADING_HEIGHT,
        ];
        let centring = (size[0] - 2.0 * MARGIN - layout.size[0]) / 2.0;
        let absolute = |[x, y]: Point| [x + MARGIN + centring, y + MARGIN + HEADING_HEIGHT];
        let mut document = document(size, &self.model, "graph", &self.description());
        let frames = layout.frames.iter().zip(&self.frames);
        for (title, (rect, frame)) in titles.iter().zip(frames) {
            let [left, top] = absolute([rect.left, rect.top]);
            let class = match frame.times {
                1 => "rn-quiet",
                _ => "rn-quiet rn-strong",
            };
            document = document
                .add(rectangle(rect, [left, top], 10.0).set("class", "rn-frame"))
                .add(text(title, [left + 12.0, top + 14.0], class));
        }
        for route in &layout.routes {
            let points: Vec<Point> = route.points.iter().copied().map(absolute).collect();
            let has_head = matches!(route.to, Endpoint::Box(_));
            let arrow = arrow(&points, has_head)
                .set("data-from", endpoint_id(route.from))
                .set("data-to", endpoint_id(route.to));
            document = document.add(arrow);
        }
        for (frame, &junction) in layout.junctions.iter().enumerate() {
            let [x, y] = absolute(junction);
            let dot = Circle::new()
                .set("class", "rn-head")
                .set("cx", round(x))
                .set("cy", round(y))
                .set("r", 2.5)
                .set("data-box", endpoint_id(Endpoint::Junction(frame)));
            document = document.add(dot);
        }
        for (index, (box_text, rect)) in texts.iter().zip(&layout.boxes).enumerate() {
            let layer = &self.boxes[index];
            let at = absolute([rect.left, rect.top]);
            let class = format!("rn-shape {}", colour_class(layer.role));
            let mut group = Group::new()
                .set("data-box", endpoint_id(Endpoint::Box(index)))
                .add(Title::new(tooltip(layer)))
                .add(rectangle(rect, at, 5.0).set("class", class));
            for (line, content) in box_text.lines.iter().enumerate() {
                let y = at[1] + PADDING / 2.0 + LINE_HEIGHT * (line as f64 + 0.8);
                let mut text = text("", [at[0] + rect.width / 2.0, y], content.class);
                if !content.strong.is_empty() {
                    let strong = TSpan::new(content.strong.as_str());
                    text = text.add(strong.set("class", "rn-strong"));
                }
                if !content.plain.is_empty() {
                    text = text.add(TSpan::new(content.plain.as_str()));
                }
                group = group.add(text);
            }
            document = document.add(group);
        }
        format!("{document}\n")
    }

    /// Returns the text alternative of the drawing.
    fn description(&self) -> String {
        let repeated = self.frames.iter().filter(|frame| frame.times > 1).count();
        let mut text = format!(
            "The operations of {} from its input, {}, to its output, in {} boxes with {} arrows",
            self.model,
            shape_label(&self.boxes[0].output),
            self.boxes.len(),
            self.arrows.len()
        );
        if repeated > 0 {
            text += &format!("; {repeated} frames are repeated modules");
        }
        text
    }

    /// Returns the text of box `index`.
    fn box_text(&self, index: usize) -> BoxText {
        let layer = &self.boxes[index];
        let shape = shape_label(&layer.output);
        let kinds = layer.kinds.iter().map(|kind| with_times_sign(kind));
        let kinds: Vec<String> = kinds.collect();
        if layer.role == Role::Group {
            return BoxText::of_group(repeated(&layer.name, layer.times), &kinds, shape);
        }
        let mut strong = kinds.first().cloned().unwrap_or_else(|| layer.name.clone());
        let plain = match kinds.get(1..) {
            Some(rest) if !rest.is_empty() => {
                // The comma belongs to the bold text, the space to the plain text.
                strong.push(',');
                format!(" {}", rest.join(", "))
            }
            _ => String::new(),
        };
        let mut lines = vec![Line {
            strong,
            plain,
            class: "rn-text rn-middle",
        }];
        let second = match layer.role {
            Role::Input => shape,
            Role::Merge => String::new(),
            _ => format!("{} · {shape}", self.name_in_frame(index)),
        };
        if !second.is_empty() {
            lines.push(Line::quiet(second));
        }
        BoxText { lines }
    }

    /// Returns a box's name without the name of the innermost frame around it.
    fn name_in_frame(&self, index: usize) -> &str {
        let name = &self.boxes[index].name;
        let around =
            (self.frames.iter().rev()).find(|frame| (frame.first..=frame.last).contains(&index));
        let names = around.map_or(0, |frame| {
            // The name of a repeated frame is a range, so that the common prefix of the frame's
            // first and last box is used instead.
            let first = self.boxes[frame.first].name.split('.');
            let last = self.boxes[frame.last].name.split('.');
            first.zip(last).take_while(|(a, b)| a == b).count()
        });
        let cut: usize = name.split('.').take(names).map(|part| part.len() + 1).sum();
        name.get(cut..).unwrap_or(name)
    }
}

/// The text of a box.
struct BoxText {
    lines: Vec<Line>,
}

/// A line of text: a strong part, then a plain part.
struct Line {
    strong: String,
    plain: String,
    class: &'static str,
}

impl Line {
    /// Returns a line in the secondary colour without a strong part.
    fn quiet(plain: String) -> Self {
        Self {
            strong: String::new(),
            plain,
            class: "rn-quiet rn-middle",
        }
    }

    /// Returns the width in pixels.
    fn width(&self) -> f64 {
        let points = if self.class.starts_with("rn-quiet") {
            11.0
        } else {
            12.0
        };
        1.06 * text_width(&self.strong, points) + text_width(&self.plain, points)
    }
}

impl BoxText {
    /// Returns the text of a group: its name, the number of layers of each kind, its output shape.
    fn of_group(name: String, kinds: &[String], shape: String) -> Self {
        let mut lines = vec![Line {
            strong: name,
            plain: String::new(),
            class: "rn-text rn-middle",
        }];
        let mut line = String::new();
        for kind in kinds {
            if !line.is_empty()
                && text_width(&line, 11.0) + text_width(kind, 11.0) > MAX_KINDS_WIDTH
            {
                lines.push(Line::quiet(format!("{line},")));
                line.clear();
            }
            if !line.is_empty() {
                line += ", ";
            }
            line += kind;
        }
        lines.push(Line::quiet(line));
        lines.push(Line::quiet(shape));
        Self { lines }
    }

    /// Returns the width and height of the box.
    fn box_size(&self) -> [f64; 2] {
        let widths = self.lines.iter().map(Line::width);
        [
            widths.fold(0.0, f64::max) + 2.0 * PADDING,
            LINE_HEIGHT * self.lines.len() as f64 + PADDING,
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

/// Returns the identifier of an endpoint in the `data-` attributes.
fn endpoint_id(endpoint: Endpoint) -> String {
    match endpoint {
        Endpoint::Box(index) => format!("box{index}"),
        Endpoint::Junction(frame) => format!("frame{frame}"),
    }
}

/// Returns the tooltip of a box.
fn tooltip(layer: &LayerBox) -> String {
    let kinds = layer.kinds.iter().map(|kind| with_times_sign(kind));
    let kinds: Vec<String> = kinds.collect();
    format!(
        "{}: {} {}",
        layer.name,
        kinds.join(", "),
        shape_label(&layer.output)
    )
}
