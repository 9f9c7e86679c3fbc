//! From a file's bytes to 8-bit RGB, upright.

use std::error::Error;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Luma};
use ::image::{LumaA, Pixel, Rgb, RgbImage, Rgba};

/// The usual extensions of the formats that [`decode`] reads, in lower case.
///
/// What a file is read as depends on its content alone.
pub const EXTENSIONS: &[&str] = &["png", "jpg", "jpeg", "webp", "gif", "bmp"];

/// The most bytes that a file may have, and that its decoded pixels may take: 512 MiB, which is
/// 178,956,970 pixels of 8-bit RGB.
pub const MAX_BYTES: u64 = 512 * 1024 * 1024;

const FORMATS: [ImageFormat; 5] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
];

/// Why an image was not decoded.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// There are no bytes.
    #[error("is empty")]
    Empty,
    /// The first bytes belong to no known image format.
    #[error("is not an image; expected PNG, JPEG, WebP, GIF or BMP")]
    NotAnImage,
    /// An image format that is not read here.
    #[error("is an image of the unsupported format {0}; expected PNG, JPEG, WebP, GIF or BMP")]
    UnsupportedFormat(String),
    /// The file has more than [`MAX_BYTES`].
    #[error("is larger than the limit of {} MiB", MAX_BYTES >> 20)]
    FileTooLarge,
    /// The pixels would take more than [`MAX_BYTES`].
    #[error(
        "has {width}x{height} pixels of {bytes_per_pixel} bytes, more than the limit of {} MiB",
        MAX_BYTES >> 20
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What one pixel takes in the file's own colour type.
        bytes_per_pixel: u8,
    },
    /// The content breaks its format's rules, or uses a part of it that is not supported.
    #[error("cannot be decoded as {format}: {reason}")]
    Undecodable {
        /// The format's name, such as `PNG`.
        format: String,
        /// What is wrong, in the decoder's words.
        reason: String,
    },
}

/// Why an image file was not opened.
#[derive(Debug, thiserror::Error)]
#[error("{} {reason}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: ImageError,
}

/// Reads the image file at `path` as [`decode`] does.
///
/// # Errors
///
/// [`OpenError`] names the file and says what is wrong.
pub fn open(path: impl AsRef<Path>) -> Result<RgbImage, OpenError> {
    let path = path.as_ref();
    read(path)
        .and_then(|bytes| decode(&bytes))
        .map_err(|reason| OpenError {
            path: path.to_owned(),
            reason,
        })
}

/// The file's bytes; a pipe, whose length nobody knows, is read up to the limit.
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

/// The image in `bytes`, a whole PNG, JPEG, WebP, GIF or BMP file, turned as its EXIF orientation
/// says.
///
/// Every colour type becomes 8-bit RGB: grey is repeated, palettes are looked up, alpha is dropped
/// without blending, and of 16-bit samples the high byte is kept. No colour profile is applied. An
/// animation gives its first frame.
///
/// # Errors
///
/// [`ImageError`], for empty, corrupt, foreign and too large images.
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
    let broken = |error: ::image::ImageError| {
        undecodable(match error.source() {
            Some(cause) => cause.to_string(),
            None => error.to_string(),
        })
    };

    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;

    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(undecodable(format!("it has {width}x{height} pixels")));
    }
    if decoder.total_bytes() > MAX_BYTES {
        return Err(ImageError::TooManyPixels {
            width,
            height,
            bytes_per_pixel: decoder.color_type().bytes_per_pixel(),
        });
    }
    // An unreadable orientation is as good as none: the pixels may be fine.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(broken)?;
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

fn high_bytes<P: Pixel<Subpixel = u16>>(
    image: &ImageBuffer<P, Vec<u16>>,
    rgb: impl Fn(&P) -> [u16; 3],
) -> RgbImage {
    let mut narrow = RgbImage::new(image.width(), image.height());
    for (to, from) in narrow.pixels_mut().zip(image.pixels()) {
        to.0 = rgb(from).map(|sample| (sample >> 8) as u8);
    }
    narrow
}
