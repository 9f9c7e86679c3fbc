//! Decoding of image files to upright 8-bit RGB.

use std::error::Error;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use super::error::{ImageError, OpenError};
use super::format::{self, format};
use super::limit::MAX_BYTES;
use super::orientation::orientation;
use super::upright::{Upright, check_memory, filled};
use super::{gif, jpeg};
use ::image::metadata::Orientation;
use ::image::{ColorType, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

/// Usual file extensions of the formats that [`decode`] reads, in lower case.
///
/// The decoder detects the format from the content and ignores the extension.
pub const EXTENSIONS: &[&str] = &["png", "jpg", "jpeg", "jfif", "webp", "gif", "bmp"];

/// Usual file extensions of images that [`decode`] refuses by the name of their format.
pub(super) const OTHER_EXTENSIONS: &[&str] = &[
    "tif", "tiff", "ppm", "pgm", "pbm", "pnm", "avif", "heic", "heif", "jp2", "jxl", "tga", "ico",
];

/// Extensions of TGA files, of which those of version 1 have no magic number.
const TGA_EXTENSIONS: [&str; 4] = ["tga", "vda", "icb", "vst"];

/// Reads and decodes the image file at `path`; see [`decode`].
///
/// # Errors
///
/// [`OpenError`] with the path of the file and the reason.
pub fn open(path: impl AsRef<Path>) -> Result<RgbImage, OpenError> {
    open_by(path.as_ref(), decode)
}

/// Reads and decodes the image file at `path` at a part of its size; see [`decode_reduced`].
///
/// # Errors
///
/// As [`open`].
pub fn open_reduced(path: impl AsRef<Path>, shorter: usize) -> Result<RgbImage, OpenError> {
    open_by(path.as_ref(), |bytes| decode_reduced(bytes, shorter))
}

fn open_by(
    path: &Path,
    decode: impl Fn(&[u8]) -> Result<RgbImage, ImageError>,
) -> Result<RgbImage, OpenError> {
    let decode = |bytes: Vec<u8>| match decode(&bytes) {
        Err(ImageError::NotAnImage) if has_tga_extension(path) && format::is_tga_header(&bytes) => {
            Err(ImageError::UnsupportedFormat("TGA".to_owned()))
        }
        result => result,
    };
    read(path).and_then(decode).map_err(|reason| OpenError {
        path: path.to_owned(),
        reason,
    })
}

fn has_tga_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        TGA_EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
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

/// Decodes `bytes`, a PNG, JPEG, WebP, GIF or BMP file, and applies its orientation, with a limit of
/// [`MAX_BYTES`]; see [`decode_with_limit`].
///
/// # Errors
///
/// [`ImageError`] if the file is empty, corrupt, cut, larger than [`MAX_BYTES`], or of another format.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    decode_with_limit(bytes, MAX_BYTES)
}

/// Decodes `bytes` as [`decode`] does, but a JPEG file at 1/2, 1/4 or 1/8 of its width and height, rounded up,
/// if the shorter side then has at least `shorter` pixels.
///
/// Large photos are decoded and resized in less time. The pixels are means of the pixels of the whole image,
/// up to the quantization of the file; a resize to `shorter` pixels differs from that of the whole image by a
/// few levels.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_reduced(bytes: &[u8], shorter: usize) -> Result<RgbImage, ImageError> {
    decode_to(bytes, MAX_BYTES, Some(shorter))
}

/// Decodes `bytes`, a PNG, JPEG, WebP, GIF or BMP file, and applies its orientation, with at most `limit`
/// bytes of memory.
///
/// Every colour type is converted to 8-bit RGB: grey is repeated, palettes are looked up, alpha is
/// dropped without blending, and 16-bit samples are reduced to their high byte. Colour profiles are
/// ignored. Only the first frame of an animation is decoded. The orientation is that of EXIF, else that
/// of XMP, and JPEG samples are libjpeg-turbo's, as in Pillow.
///
/// The memory is counted from the size of the image before it is allocated:
///
/// | format | bytes of a pixel |
/// |---|---|
/// | any | 3 for RGB, in the file's and any other orientation |
/// | JPEG, progressive or with several scans | 2 more for each coefficient: 6 with three components, 3 if two are halved in both directions |
/// | PNG, WebP and BMP of 8-bit RGB with an orientation, or of other colours | 1 to 8 more for the colours of the file |
/// | WebP | 8 more for the decoder |
/// | GIF | 1 more for the indices of the frame |
///
/// Tables and rows of pixels are not counted.
///
/// # Errors
///
/// [`ImageError`] if the file is empty, corrupt, cut, larger than [`MAX_BYTES`], or of another format, or
/// if its decoding takes more than `limit` bytes.
pub fn decode_with_limit(bytes: &[u8], limit: u64) -> Result<RgbImage, ImageError> {
    decode_to(bytes, limit, None)
}

fn decode_to(bytes: &[u8], limit: u64, shorter: Option<usize>) -> Result<RgbImage, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ImageError::FileTooLarge);
    }
    let format = format(bytes)?;
    let orientation = orientation(bytes, format);
    match format {
        ImageFormat::Jpeg => jpeg::decode(bytes, orientation, limit, shorter),
        ImageFormat::Gif => gif::decode(bytes, limit),
        format => decode_other(bytes, format, orientation, limit),
    }
}

/// Decodes a file by the decoders of `image`.
fn decode_other(
    bytes: &[u8],
    format: ImageFormat,
    orientation: Orientation,
    limit: u64,
) -> Result<RgbImage, ImageError> {
    let undecodable = |reason: String| ImageError::Undecodable {
        format: format::name(format),
        reason,
    };
    let decoder_error = |error: ::image::ImageError| {
        undecodable(match error.source() {
            Some(cause) => cause.to_string(),
            None => error.to_string(),
        })
    };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(limit);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(decoder_error)?;

    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(undecodable(format!(
            "the image has {width}x{height} pixels, expected at least 1x1"
        )));
    }
    let colour = decoder.color_type();
    let Some((length, [red, green, blue])) = layout(colour) else {
        return Err(undecodable(format!(
            "the colour type {colour:?} is not supported"
        )));
    };
    let size = [width, height];
    let is_copied = colour != ColorType::Rgb8 || orientation != Orientation::NoTransforms;
    let pixels = u64::from(width) * u64::from(height);
    let of_decoder = if format == ImageFormat::WebP { 8 } else { 0 };
    let of_file = if is_copied { length as u64 } else { 0 };
    check_memory(size, pixels.saturating_mul(of_decoder + of_file), limit)?;

    let (width, height) = (width as usize, height as usize);
    let mut samples = filled(width * height * length, 0_u8)?;
    decoder.read_image(&mut samples).map_err(decoder_error)?;
    if !is_copied {
        return Ok(RgbImage::from_raw(size[0], size[1], samples).unwrap_or_default());
    }
    let mut image = Upright::new(size, orientation)?;
    for samples in samples.chunks_exact(width * length) {
        image.push_row(|rgb| {
            let pixels = rgb.as_chunks_mut().0.iter_mut();
            for (pixel, samples) in pixels.zip(samples.chunks_exact(length)) {
                *pixel = [samples[red], samples[green], samples[blue]];
            }
        });
    }
    Ok(image.into_image())
}

/// Returns the number of bytes of a pixel, and the position in them of red, green and blue: the high
/// byte of samples of 16 bits, which are in the order of the machine.
fn layout(colour: ColorType) -> Option<(usize, [usize; 3])> {
    const HIGH: usize = if cfg!(target_endian = "little") { 1 } else { 0 };
    Some(match colour {
        ColorType::L8 => (1, [0; 3]),
        ColorType::La8 => (2, [0; 3]),
        ColorType::Rgb8 => (3, [0, 1, 2]),
        ColorType::Rgba8 => (4, [0, 1, 2]),
        ColorType::L16 => (2, [HIGH; 3]),
        ColorType::La16 => (4, [HIGH; 3]),
        ColorType::Rgb16 => (6, [HIGH, HIGH + 2, HIGH + 4]),
        ColorType::Rgba16 => (8, [HIGH, HIGH + 2, HIGH + 4]),
        _ => return None,
    })
}
