//! Groups of near-duplicates as text, JSON, CSV, or a page of thumbnails.

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use receptive_layers::image::{self, Raster, RgbImage};
use receptive_layers::preprocessing::Interpolation;
use receptive_layers::printable;
use serde::Serialize;

use crate::args::GroupFormat;
use crate::error::CliError;
use crate::json::write_json;
use crate::rows::io_error;

/// Height of a thumbnail in pixels.
const THUMBNAIL: usize = 120;

/// Largest ratio of the width of a thumbnail to its height.
const MAX_RATIO: usize = 3;

/// Largest number of thumbnails on a page; further images have their paths alone.
const MAX_THUMBNAILS: usize = 1000;

/// Images that are near-duplicates, each of at least one other of the group.
#[derive(Serialize)]
pub struct Group<'a> {
    /// The images, in the order of the set.
    pub images: Vec<Member<'a>>,
}

/// An image of a group.
#[derive(Serialize)]
pub struct Member<'a> {
    /// Path of the image.
    pub path: &'a str,
    /// Cosine similarity to the first image of the group.
    pub similarity: f64,
}

/// Writes groups of images whose similarities are at least `threshold`.
///
/// # Errors
///
/// [`CliError::Output`] when `out` cannot be written.
pub fn write(
    groups: &[Group<'_>],
    format: GroupFormat,
    threshold: f64,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match format {
        GroupFormat::Text => {
            for (number, group) in groups.iter().enumerate() {
                if number > 0 {
                    writeln!(out)?;
                }
                for member in &group.images {
                    writeln!(out, "{:.4}  {}", member.similarity, printable(member.path))?;
                }
            }
        }
        GroupFormat::Json => write_json(&groups, out)?,
        GroupFormat::Csv => write_csv(groups, out)?,
        GroupFormat::Html => out.write_all(page(groups, threshold).as_bytes())?,
    }
    Ok(())
}

fn write_csv(groups: &[Group<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(["group", "path", "similarity"])
        .map_err(io_error)?;
    for (number, group) in groups.iter().enumerate() {
        for member in &group.images {
            let (group, similarity) = ((number + 1).to_string(), member.similarity.to_string());
            let row = [group.as_str(), member.path, &similarity];
            rows.write_record(row).map_err(io_error)?;
        }
    }
    rows.flush()
}

/// Returns a self-contained page with a thumbnail of each image that can be decoded.
fn page(groups: &[Group<'_>], threshold: f64) -> String {
    let images: usize = groups.iter().map(|group| group.images.len()).sum();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Near-duplicates</title>\n\
         <style>\n{STYLE}</style>\n<h1>Near-duplicates</h1>\n\
         <p>{images} images in {} groups, of cosine similarity {threshold} or more. The number under an \
         image is its similarity to the first image of the group.</p>\n",
        groups.len()
    );
    let mut thumbnails = 0;
    for (number, group) in groups.iter().enumerate() {
        let _ = writeln!(page, "<section>\n<h2>Group {}</h2>", number + 1);
        for member in &group.images {
            let path = escaped(&printable(member.path));
            let picture = (thumbnails < MAX_THUMBNAILS).then(|| thumbnail(member.path));
            let picture = match picture.flatten() {
                Some(data) => {
                    thumbnails += 1;
                    format!("<img src=\"data:image/png;base64,{data}\" alt=\"\">")
                }
                None => "<span class=\"none\">no preview</span>".to_owned(),
            };
            let _ = writeln!(
                page,
                "<figure>{picture}<figcaption><b>{:.4}</b> {path}</figcaption></figure>",
                member.similarity
            );
        }
        page += "</section>\n";
    }
    page + "</html>\n"
}

const STYLE: &str = "\
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
section { border-top: 1px solid #8884; }
figure { display: inline-block; margin: 0 1rem 1rem 0; max-width: 24rem; vertical-align: top; }
img, .none { display: block; height: 120px; border-radius: 4px; }
.none { width: 120px; background: #8882; text-align: center; line-height: 120px; }
figcaption { overflow-wrap: anywhere; font-size: .85rem; }
";

/// Returns a thumbnail as a PNG file in Base64, if the image can be decoded.
fn thumbnail(path: &str) -> Option<String> {
    let photo = image::open_reduced(path, THUMBNAIL).ok()?;
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let scaled = (width * THUMBNAIL).div_ceil(height.max(1));
    let scaled = scaled.clamp(1, MAX_RATIO * THUMBNAIL);
    let raster = Raster::<3> {
        width,
        height,
        samples: photo.as_raw(),
    };
    let samples = image::resize(raster, scaled, THUMBNAIL, Interpolation::Bilinear);
    let small = RgbImage::from_raw(scaled as u32, THUMBNAIL as u32, samples)?;
    let mut png = io::Cursor::new(Vec::new());
    small.write_to(&mut png, ::image::ImageFormat::Png).ok()?;
    Some(BASE64_STANDARD.encode(png.into_inner()))
}

/// Replaces the characters that have a meaning in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
