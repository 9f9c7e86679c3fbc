//! SVG elements of both kinds of drawings: style sheet, document, text and arrows.

use svg::Document;
use svg::node::element::path::Data;
use svg::node::element::{Description, Group, Path, Rectangle, Style, Text, Title};

use super::diagram::Role;
use super::geometry::Point;

/// Margin around a drawing, in pixels.
pub(super) const MARGIN: f64 = 24.0;
/// Height of the heading, in pixels.
pub(super) const HEADING_HEIGHT: f64 = 34.0;

/// Style sheet with colours for light and dark pages. The class names have the prefix `rn-`, so
/// that the styles of an inline drawing do not affect the surrounding page.
const STYLE_SHEET: &str = "\
.rn-drawing{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif}\
.rn-page{fill:#fff}.rn-text{fill:#1b1f24;font-size:12px}.rn-strong{font-weight:600}\
.rn-quiet{fill:#57606a;font-size:11px}.rn-heading{fill:#1b1f24;font-size:17px;font-weight:600}\
.rn-middle{text-anchor:middle}.rn-arrow{fill:none;stroke:#57606a;stroke-width:1.3}\
.rn-head{fill:#57606a}.rn-frame{fill:#8c959f;fill-opacity:.08;stroke:#8c959f;stroke-dasharray:4 3}\
.rn-bracket{fill:none;stroke:#8c959f;stroke-width:1.2}\
.rn-shape{stroke-width:1;stroke-linejoin:round}\
.rn-input{fill:#eaeef2;stroke:#6e7781}.rn-convolution{fill:#cfe3fb;stroke:#1f6bc0}\
.rn-pool{fill:#fbd8c6;stroke:#bb4d1a}.rn-linear{fill:#cdebd0;stroke:#25803a}\
.rn-norm{fill:#e6d9f8;stroke:#7a4cc2}.rn-merge{fill:#fbecb4;stroke:#8f6b00}\
.rn-other{fill:#eaeef2;stroke:#6e7781}.rn-group{fill:#c9ecec;stroke:#157878}\
.rn-lit{fill:#fff;fill-opacity:.45;stroke:none}.rn-shaded{fill:#000;fill-opacity:.12;stroke:none}\
@media (prefers-color-scheme:dark){\
.rn-page{fill:#0d1117}.rn-text,.rn-heading{fill:#e6edf3}.rn-quiet{fill:#9da7b3}\
.rn-arrow{stroke:#9da7b3}.rn-head{fill:#9da7b3}.rn-frame,.rn-bracket{stroke:#7d8590}\
.rn-input,.rn-other{fill:#2b323b;stroke:#8b949e}.rn-convolution{fill:#173a63;stroke:#6cb0f5}\
.rn-pool{fill:#5a2a14;stroke:#f0955f}.rn-linear{fill:#17432a;stroke:#5fc980}\
.rn-norm{fill:#3d2a63;stroke:#b994f2}.rn-merge{fill:#4b3b08;stroke:#dcb540}\
.rn-group{fill:#124646;stroke:#55c4c4}.rn-lit{fill-opacity:.12}.rn-shaded{fill-opacity:.25}}";

/// Returns the class that sets the colours of a box or solid.
pub(super) fn colour_class(role: Role) -> &'static str {
    match role {
        Role::Input => "rn-input",
        Role::Convolution => "rn-convolution",
        Role::Pool => "rn-pool",
        Role::Linear => "rn-linear",
        Role::Norm => "rn-norm",
        Role::Merge => "rn-merge",
        Role::Other => "rn-other",
        Role::Group => "rn-group",
    }
}

/// Returns a document with a heading and without content. `size` includes the margins, `style` is
/// part of the element IDs, and `description` is the text alternative.
pub(super) fn document(size: [f64; 2], model: &str, style: &str, description: &str) -> Document {
    let slug: String = (model.chars())
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let [title_id, description_id] =
        ["title", "description"].map(|part| format!("rn-{slug}-{style}-{part}"));
    let [width, height] = size.map(f64::ceil);
    Document::new()
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("width", width)
        .set("height", height)
        .set("class", "rn-drawing")
        .set("role", "img")
        .set("aria-labelledby", format!("{title_id} {description_id}"))
        .add(Title::new(model).set("id", title_id))
        .add(
            Description::new()
                .set("id", description_id)
                .add(svg::node::Text::new(description)),
        )
        .add(Style::new(STYLE_SHEET))
        .add(
            Rectangle::new()
                .set("class", "rn-page")
                .set("width", "100%")
                .set("height", "100%"),
        )
        .add(text(model, [MARGIN, MARGIN + 14.0], "rn-heading"))
}

/// Returns a line of text with the baseline's anchor at `at`: the start of the baseline, or its
/// middle with the class `rn-middle`.
pub(super) fn text(content: &str, at: Point, class: &str) -> Text {
    Text::new(content)
        .set("class", class)
        .set("x", round(at[0]))
        .set("y", round(at[1]))
}

/// Returns a polyline with rounded corners, and an arrowhead at its end if `has_head`.
pub(super) fn arrow(points: &[Point], has_head: bool) -> Group {
    let mut group = Group::new().add(
        Path::new()
            .set("class", "rn-arrow")
            .set("d", rounded_polyline(points)),
    );
    if let (true, [.., before, end]) = (has_head, points) {
        group = group.add(
            Path::new()
                .set("class", "rn-head")
                .set("d", arrowhead(*before, *end)),
        );
    }
    group
}

/// Returns an arrowhead with its tip at `end`, in the direction from `before` to `end`.
fn arrowhead(before: Point, end: Point) -> Data {
    let length = (end[0] - before[0]).hypot(end[1] - before[1]).max(1e-9);
    let [dx, dy] = [(end[0] - before[0]) / length, (end[1] - before[1]) / length];
    let corner = |side: f64| {
        (
            round(end[0] - 7.0 * dx - side * 3.5 * dy),
            round(end[1] - 7.0 * dy + side * 3.5 * dx),
        )
    };
    Data::new()
        .move_to((round(end[0]), round(end[1])))
        .line_to(corner(1.0))
        .line_to(corner(-1.0))
        .close()
}

/// Returns a polyline through `points` whose corners are quadratic curves of a radius of at most
/// `RADIUS`.
fn rounded_polyline(points: &[Point]) -> Data {
    const RADIUS: f64 = 8.0;
    let pair = |[x, y]: Point| (round(x), round(y));
    let Some(&first) = points.first() else {
        return Data::new();
    };
    let mut data = Data::new().move_to(pair(first));
    for corner in points.windows(3) {
        let at = corner[1];
        let towards = |other: Point| {
            let length = (other[0] - at[0]).hypot(other[1] - at[1]).max(1e-9);
            let fraction = (RADIUS / length).min(0.5);
            [0, 1].map(|axis| at[axis] + fraction * (other[axis] - at[axis]))
        };
        let [x, y] = at.map(round);
        let (to_x, to_y) = pair(towards(corner[2]));
        data = data
            .line_to(pair(towards(corner[0])))
            .quadratic_curve_to((x, y, to_x, to_y));
    }
    match points {
        [_, .., last] => data.line_to(pair(*last)),
        _ => data,
    }
}

/// Rounds a length to a tenth of a pixel.
pub(super) fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
