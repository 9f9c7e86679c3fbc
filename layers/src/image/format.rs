//! Detection of image formats from the content of a file.

use ::image::ImageFormat;

use super::error::ImageError;

/// The formats that are decoded.
const DECODED: [ImageFormat; 5] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
];

/// Formats that are not decoded, by their first bytes.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"%PDF-", "PDF"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"gimp xcf", "XCF"),
];

/// Brands of the ISO base media file format (ISO/IEC 14496-12) for images.
const BRANDS: &[(&[u8; 4], &str)] = &[
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"heic", "HEIC"),
    (b"heix", "HEIC"),
    (b"heim", "HEIC"),
    (b"heis", "HEIC"),
    (b"hevc", "HEIC"),
    (b"hevx", "HEIC"),
    (b"hevm", "HEIC"),
    (b"hevs", "HEIC"),
    (b"mif1", "HEIF"),
    (b"mif2", "HEIF"),
    (b"msf1", "HEIF"),
];

/// Last bytes of a TGA file (Truevision TGA 2.0, section 8).
const TGA_FOOTER: &[u8] = b"TRUEVISION-XFILE.\0";

/// Returns the format of a file, if it is decoded.
///
/// # Errors
///
/// [`ImageError::UnsupportedFormat`] for other image formats, [`ImageError::NotAnImage`] for other files.
pub fn format(bytes: &[u8]) -> Result<ImageFormat, ImageError> {
    let guess = ::image::guess_format(bytes).ok();
    match guess {
        Some(format) if DECODED.contains(&format) => Ok(format),
        _ => Err(match unsupported(bytes) {
            Some(name) => ImageError::UnsupportedFormat(name.to_owned()),
            None => match guess {
                Some(format) => ImageError::UnsupportedFormat(name(format)),
                None => ImageError::NotAnImage,
            },
        }),
    }
}

/// Returns the name of a format that is decoded, or that `image` knows.
pub fn name(format: ImageFormat) -> String {
    format!("{format:?}").to_uppercase()
}

fn unsupported(bytes: &[u8]) -> Option<&'static str> {
    let starts = |&&(magic, _): &&(&[u8], _)| bytes.starts_with(magic);
    if let Some((_, name)) = OTHERS.iter().find(starts) {
        return Some(name);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return of_brands(bytes);
    }
    bytes.ends_with(TGA_FOOTER).then_some("TGA")
}

/// Returns the format of a file of the ISO base media file format. A major brand of any codec, such as
/// `mif1`, is followed by a compatible brand of the codec.
fn of_brands(bytes: &[u8]) -> Option<&'static str> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let brands = bytes.get(8..length.min(bytes.len()))?.as_chunks::<4>().0;
    // The second word is a version.
    let names = brands.iter().enumerate().filter(|&(index, _)| index != 1);
    let names = names.filter_map(|(_, brand)| {
        let found = BRANDS.iter().find(|(known, _)| *known == brand);
        found.map(|&(_, name)| name)
    });
    let names: Vec<_> = names.collect();
    let specific = names.iter().find(|&&name| name != "HEIF");
    specific.or(names.first()).copied()
}

/// Returns whether a file with the extension `.tga` can be a TGA file: files of version 1 have no footer
/// and no magic number.
pub fn is_tga_header(bytes: &[u8]) -> bool {
    let Some(
        &[
            _,
            map,
            kind,
            _,
            _,
            _,
            _,
            map_depth,
            _,
            _,
            _,
            _,
            w0,
            w1,
            h0,
            h1,
            depth,
            _,
        ],
    ) = bytes.first_chunk::<18>()
    else {
        return false;
    };
    map <= 1
        && matches!(kind, 1 | 2 | 3 | 9 | 10 | 11 | 32 | 33)
        && matches!(map_depth, 0 | 15 | 16 | 24 | 32)
        && matches!(depth, 8 | 15 | 16 | 24 | 32)
        && (w0, w1) != (0, 0)
        && (h0, h1) != (0, 0)
}
