//! Decoding of image files to upright 8-bit RGB.

use std::error::Error;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use super::jpeg;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Luma};
use ::image::{LumaA, Pixel, Rgb, RgbImage, Rgba};

/// Usual file extensions of the formats that [`decode`] reads, in lower case.
///
/// The decoder detects the format from the content and ignores the extension.
pub const EXTENSIONS: &[&str] = &["png", "jpg", "jpeg", "jfif", "webp", "gif", "bmp"];

/// Usual file extensions of images that [`decode`] refuses by the name of their format.
pub(super) const OTHER_EXTENSIONS: &[&str] = &[
    "tif", "tiff", "ppm", "pgm", "pbm", "pnm", "avif", "heic", "heif", "jp2", "jxl", "tga", "ico",
];

/// Maximum size of a file, and of its decoded pixels, in bytes: 512 MiB, which is 178,956,970
/// pixels of 8-bit RGB.
pub const MAX_BYTES: u64 = 512 * 1024 * 1024;

const FORMATS: [ImageFormat; 5] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
];

/// Why an image cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// The file has no bytes.
    #[error("is empty")]
    Empty,
    /// The first bytes do not match any image format.
    #[error("is not an image; expected PNG, JPEG, WebP, GIF or BMP")]
    NotAnImage,
    /// The image format is not supported.
    #[error("is an image of the unsupported format {0}; expected PNG, JPEG, WebP, GIF or BMP")]
    UnsupportedFormat(String),
    /// The file is larger than [`MAX_BYTES`].
    #[error("is larger than the limit of {} MiB", MAX_BYTES >> 20)]
    FileTooLarge,
    /// The decoded pixels would be larger than [`MAX_BYTES`].
    #[error(
        "has {width}x{height} pixels of {bytes_per_pixel} bytes, more than the limit of {} MiB",
        MAX_BYTES >> 20
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes per pixel in the colour type of the file.
        bytes_per_pixel: u8,
    },
    /// The content violates its format, or uses an unsupported feature of the format.
    #[error("cannot be decoded as {format}: {reason}")]
    Undecodable {
        /// Name of the format, such as `PNG`.
        format: String,
        /// The decoder's message.
        reason: String,
    },
}

/// Why an image file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{} {reason}", path.display())]
pub struct OpenError {
    /// Path of the file.
    pub path: PathBuf,
    /// Why the file cannot be decoded.
    pub reason: ImageError,
}

/// Reads and decodes the image file at `path`; see [`decode`].
///
/// # Errors
///
/// [`OpenError`] with the path of the file and the reason.
pub fn open(path: impl AsRef<Path>) -> Result<RgbImage, OpenError> {
    let path = path.as_ref();
    read(path)
        .and_then(|bytes| decode(&bytes))
        .map_err(|reason| OpenError {
            path: path.to_owned(),
            reason,
        })
}

/// Reads a file of at most [`MAX_BYTES`] bytes. The length is also limited during the read, because
/// a pipe has no length.
fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    let file = File::open(path).map_err(ImageError::Read)?;
    let length = file.metadata().map_err(ImageError::Read)?.len();
    if length > MAX_BYTES {
        return Err(ImageError::FileTooLarge);
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(ImageError::Read)?;
    Ok(bytes)
}

/// Decodes `bytes`, a PNG, JPEG, WebP, GIF or BMP file, and applies the EXIF orientation.
///
/// Every colour type is converted to 8-bit RGB: grey is repeated, palettes are looked up, alpha is
/// dropped without blending, and 16-bit samples are reduced to their high byte. Colour profiles are
/// ignored. Only the first frame of an animation is decoded.
///
/// # Errors
///
/// [`ImageError`] if the file is empty, corrupt, cut, larger than [`MAX_BYTES`], or of another format.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ImageError::FileTooLarge);
    }
    let format = ::image::guess_format(bytes).map_err(|_| ImageError::NotAnImage)?;
    if !FORMATS.contains(&format) {
        return Err(ImageError::UnsupportedFormat(name(format)));
    }

    let undecodable = |reason: String| ImageError::Undecodable {
        format: name(format),
        reason,
    };
    if format == ImageFormat::Jpeg && !jpeg::is_complete(bytes) {
        let length = bytes.len();
        return Err(undecodable(format!(
            "the file is cut: its {length} bytes have no end-of-image marker"
        )));
    }
    let decoder_error = |error: ::image::ImageError| {
        undecodable(match error.source() {
            Some(cause) => cause.to_string(),
            None => error.to_string(),
        })
    };

    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(decoder_error)?;

    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(undecodable(format!(
            "the image has {width}x{height} pixels, expected at least 1x1"
        )));
    }
    if decoder.total_bytes() > MAX_BYTES {
        return Err(ImageError::TooManyPixels {
            width,
            height,
            bytes_per_pixel: decoder.color_type().bytes_per_pixel(),
        });
    }
    // An unreadable orientation is ignored, because the pixels may be valid.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(decoder_error)?;
    let mut image = DynamicImage::ImageRgb8(to_rgb8(decoded));
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

fn name(format: ImageFormat) -> String {
    format!("{format:?}").to_uppercase()
}

fn to_rgb8(image: DynamicImage) -> RgbImage {
    match image {
        DynamicImage::ImageLuma16(image) => high_bytes(&image, |&Luma([v])| [v, v, v]),
        DynamicImage::ImageLumaA16(image) => high_bytes(&image, |&LumaA([v, _])| [v, v, v]),
        DynamicImage::ImageRgb16(image) => high_bytes(&image, |&Rgb(rgb)| rgb),
        DynamicImage::ImageRgba16(image) => high_bytes(&image, |&Rgba([r, g, b, _])| [r, g, b]),
        image => image.into_rgb8(),
    }
}

/// Returns an image of the high bytes of 16-bit samples; `rgb` converts a pixel to RGB.
fn high_bytes<P: Pixel<Subpixel = u16>>(
    image: &ImageBuffer<P, Vec<u16>>,
    rgb: impl Fn(&P) -> [u16; 3],
) -> RgbImage {
    let mut converted = RgbImage::new(image.width(), image.height());
    for (to, from) in converted.pixels_mut().zip(image.pixels()) {
        to.0 = rgb(from).map(|sample| (sample >> 8) as u8);
    }
    converted
}
