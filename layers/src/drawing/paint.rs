//! What both styles are painted with: colours for light and dark pages, texts, arrows.

use svg::Document;
use svg::node::element::path::Data;
use svg::node::element::{Description, Group, Path, Rectangle, Style as Sheet, Text, Title};

use super::Role;
use super::arrangement::Point;

/// Around a drawing, in pixels.
pub(super) const MARGIN: f64 = 24.0;
/// The height of the heading.
pub(super) const HEADING: f64 = 34.0;

/// Colours of light pages, then those of dark ones. The classes begin with `rn-`, so that a page that has
/// the drawing in itself keeps its own.
const SHEET: &str = "\
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

/// The class that gives a shape its colour.
pub(super) fn colour(role: Role) -> &'static str {
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

/// An empty drawing of this size, margins included, with its heading and, for those who do not see
/// it, a description.
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
    let [title, words] = ["title", "description"].map(|part| format!("rn-{slug}-{style}-{part}"));
    let [width, height] = size.map(f64::ceil);
    Document::new()
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("width", width)
        .set("height", height)
        .set("class", "rn-drawing")
        .set("role", "img")
        .set("aria-labelledby", format!("{title} {words}"))
        .add(Title::new(model).set("id", title))
        .add(
            Description::new()
                .set("id", words)
                .add(svg::node::Text::new(description)),
        )
        .add(Sheet::new(SHEET))
        .add(
            Rectangle::new()
                .set("class", "rn-page")
                .set("width", "100%")
                .set("height", "100%"),
        )
        .add(text(model, [MARGIN, MARGIN + 14.0], "rn-heading"))
}

/// A line of text whose baseline begins at `at`.
pub(super) fn text(words: &str, at: Point, class: &str) -> Text {
    Text::new(words)
        .set("class", class)
        .set("x", round(at[0]))
        .set("y", round(at[1]))
}

/// An arrow with round corners; its head only where it ends at a box.
pub(super) fn arrow(points: &[Point], headed: bool) -> Group {
    let mut group = Group::new().add(
        Path::new()
            .set("class", "rn-arrow")
            .set("d", rounded(points)),
    );
    if let (true, [.., before, end]) = (headed, points) {
        group = group.add(
            Path::new()
                .set("class", "rn-head")
                .set("d", head(*before, *end)),
        );
    }
    group
}

/// A triangle that ends at `end`.
fn head(before: Point, end: Point) -> Data {
    let length = (end[0] - before[0]).hypot(end[1] - before[1]).max(1e-9);
    let [along, aside] = [(end[0] - before[0]) / length, (end[1] - before[1]) / length];
    let corner = |side: f64| {
        (
            round(end[0] - 7.0 * along - side * 3.5 * aside),
            round(end[1] - 7.0 * aside + side * 3.5 * along),
        )
    };
    Data::new()
        .move_to((round(end[0]), round(end[1])))
        .line_to(corner(1.0))
        .line_to(corner(-1.0))
        .close()
}

/// A line through all points but the corners, which it cuts.
fn rounded(points: &[Point]) -> Data {
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
            let share = (RADIUS / length).min(0.5);
            [0, 1].map(|axis| at[axis] + share * (other[axis] - at[axis]))
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

/// To a tenth of a pixel.
pub(super) fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
