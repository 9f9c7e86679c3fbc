//! Progress bars on standard error.

use indicatif::{ProgressBar, ProgressStyle};

/// Progress bar of a download, in bytes. The length is set when it is known.
pub fn download_bar() -> ProgressBar {
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}";
    ProgressBar::no_length().with_style(style(template))
}

/// Progress bar of `count` images; hidden for a single image, or if standard error is not a
/// terminal.
pub fn image_bar(count: usize) -> ProgressBar {
    if count < 2 {
        return ProgressBar::hidden();
    }
    let template = "{bar:40} {pos}/{len} images, {eta} left";
    ProgressBar::new(count as u64).with_style(style(template))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
