//! Progress bars on standard error.

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Progress bar of a download, in bytes. The length is set when it is known.
pub fn download_bar() -> ProgressBar {
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}";
    ProgressBar::no_length().with_style(style(template))
}

/// Progress bar of `count` images, if the number is known; hidden for a single image, or if standard
/// error is not a terminal.
pub fn image_bar(count: Option<u64>) -> ProgressBar {
    match count {
        Some(0 | 1) => ProgressBar::hidden(),
        Some(count) => {
            let template = "{bar:40} {pos}/{len} images, {per_sec}, {eta} left";
            ProgressBar::new(count).with_style(rate_style(template))
        }
        None => ProgressBar::no_length()
            .with_style(rate_style("{spinner} {pos} images, {per_sec}, {elapsed}")),
    }
}

/// Progress bar of a computation, in thousandths; hidden if not `visible`.
pub fn share_bar(visible: bool) -> ProgressBar {
    if !visible {
        return ProgressBar::hidden();
    }
    ProgressBar::new(1000).with_style(style("{bar:40} {percent} %, {eta} left"))
}

/// A style whose `per_sec` is a number of images per second.
fn rate_style(template: &str) -> ProgressStyle {
    style(template).with_key(
        "per_sec",
        |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            // An error means that the bar cannot be drawn.
            let _ = write!(text, "{:.1} images/s", state.per_sec());
        },
    )
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
