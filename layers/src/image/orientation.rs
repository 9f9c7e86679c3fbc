//! The orientation of an image, as Pillow's `ImageOps.exif_transpose` finds it.

use std::borrow::Cow;
use std::io::Read;

use ::image::ImageFormat;
use ::image::metadata::Orientation;
use flate2::read::ZlibDecoder;

/// Tag of the orientation in EXIF.
const TAG: u16 = 0x0112;

/// Beginning of an APP1 segment of JPEG with EXIF.
const EXIF_HEADER: &[u8] = b"Exif\0\0";
/// Beginning of an APP1 segment of JPEG with XMP.
const XMP_HEADER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Returns the orientation of an image file: that of its EXIF block, else that of its XMP packet. A
/// block that cannot be read is ignored, because the pixels may be valid.
pub fn orientation(bytes: &[u8], format: ImageFormat) -> Orientation {
    let metadata = match format {
        ImageFormat::Jpeg => Metadata::of_jpeg(bytes),
        ImageFormat::Png => Metadata::of_png(bytes),
        ImageFormat::WebP => Metadata::of_webp(bytes),
        _ => Metadata::default(),
    };
    let exif = metadata.exif.as_deref().and_then(of_exif);
    let value = exif.or_else(|| metadata.xmp.and_then(|xmp| of_xmp(&xmp)).map(f64::from));
    // The cast saturates; a value with a fraction is none of an orientation.
    value
        .filter(|value| value.fract() == 0.0)
        .and_then(|value| Orientation::from_exif(value as u8))
        .unwrap_or(Orientation::NoTransforms)
}

/// Blocks of metadata of a file.
#[derive(Default)]
struct Metadata<'a> {
    /// The EXIF block.
    exif: Option<Vec<u8>>,
    /// The XMP packet.
    xmp: Option<Cow<'a, [u8]>>,
}

impl<'a> Metadata<'a> {
    /// Reads the APP1 segments before the first scan. Several EXIF segments are one block, in order; the
    /// last XMP packet counts.
    fn of_jpeg(bytes: &'a [u8]) -> Self {
        let mut metadata = Self::default();
        let mut rest = bytes;
        while let Some(at) = rest
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))
        {
            let marker = rest[at + 1];
            rest = &rest[at + 2..];
            if matches!(marker, 0xd0..=0xd8 | 0x01) {
                continue;
            }
            let length = rest.first_chunk().map(|&length| u16::from_be_bytes(length));
            let segment = length.and_then(|length| rest.get(..usize::from(length)));
            let Some(segment) = segment.filter(|segment| segment.len() >= 2 && marker != 0xda)
            else {
                break;
            };
            rest = &rest[segment.len()..];
            if marker != 0xe1 {
                continue;
            }
            if let Some(exif) = segment[2..].strip_prefix(EXIF_HEADER) {
                metadata
                    .exif
                    .get_or_insert_default()
                    .extend_from_slice(exif);
            } else if let Some(xmp) = segment[2..].strip_prefix(XMP_HEADER) {
                metadata.xmp = Some(xmp.into());
            }
        }
        metadata
    }

    /// Reads the chunk `eXIf` and the texts with EXIF, as ImageMagick writes it, or XMP.
    fn of_png(bytes: &'a [u8]) -> Self {
        let mut metadata = Self::default();
        let mut raw_profile = None;
        let mut rest = bytes.get(8..).unwrap_or_default();
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let [l3, l2, l1, l0, name @ ..] = *head;
            let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
            let Some(content) = after.get(..length) else {
                break;
            };
            match &name {
                b"eXIf" => metadata.exif = Some(content.to_vec()),
                b"tEXt" | b"zTXt" | b"iTXt" => match png_text(&name, content) {
                    Some((b"XML:com.adobe.xmp", text)) => metadata.xmp = Some(text),
                    Some((b"Raw profile type exif", text)) => raw_profile = Some(text),
                    _ => {}
                },
                _ => {}
            }
            // The check sum.
            rest = after.get(length + 4..).unwrap_or_default();
        }
        metadata.exif = metadata
            .exif
            .or_else(|| raw_profile.and_then(|text| of_raw_profile(&text)));
        metadata
    }

    /// Reads the chunks `EXIF` and `XMP `.
    fn of_webp(bytes: &'a [u8]) -> Self {
        let mut metadata = Self::default();
        let mut rest = bytes.get(12..).unwrap_or_default();
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let [name @ .., l0, l1, l2, l3] = *head;
            let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
            let Some(content) = after.get(..length) else {
                break;
            };
            match &name {
                b"EXIF" => metadata.exif = Some(content.to_vec()),
                b"XMP " => metadata.xmp = Some(content.into()),
                _ => {}
            }
            rest = after.get(length.next_multiple_of(2)..).unwrap_or_default();
        }
        metadata
    }
}

/// Maximum length of a decompressed text, in bytes.
const MAX_TEXT: u64 = 1 << 20;

/// Returns keyword and text of a chunk of a PNG file (PNG, third edition, section 11.3.3). A compressed
/// text is cut at [`MAX_TEXT`].
fn png_text<'a>(name: &[u8; 4], content: &'a [u8]) -> Option<(&'a [u8], Cow<'a, [u8]>)> {
    let part = |bytes: &'a [u8]| {
        let end = bytes.iter().position(|&byte| byte == 0)?;
        Some((&bytes[..end], &bytes[end + 1..]))
    };
    let (keyword, rest) = part(content)?;
    let (is_compressed, text) = match name {
        b"tEXt" => (false, rest),
        b"zTXt" => (true, rest.get(1..)?),
        _ => {
            // Flag and method of compression, language, translated keyword.
            let (_, text) = part(rest.get(2..)?)?;
            let (_, text) = part(text)?;
            (rest[0] == 1, text)
        }
    };
    if !is_compressed {
        return Some((keyword, text.into()));
    }
    let mut inflated = Vec::new();
    let mut decoder = ZlibDecoder::new(text).take(MAX_TEXT);
    decoder.read_to_end(&mut inflated).ok()?;
    Some((keyword, inflated.into()))
}

/// Returns the EXIF block of a text of ImageMagick: after three lines, hexadecimal digits.
fn of_raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let lines = text.split(|&byte| byte == b'\n').skip(3);
    let digits: Vec<u8> = lines
        .flatten()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|&byte| char::from(byte).to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let bytes = digits.as_chunks::<2>().0.iter();
    Some(bytes.map(|[high, low]| high << 4 | low).collect())
}

/// Returns the orientation of an EXIF block: the first value of the first entry of its first directory
/// that has one.
fn of_exif(block: &[u8]) -> Option<f64> {
    // Pillow removes the header that belongs to JPEG from other files too, and when it is repeated.
    let block = block.strip_prefix(EXIF_HEADER).unwrap_or(block);
    let block = block.strip_prefix(EXIF_HEADER).unwrap_or(block);
    let order = match *block.first_chunk()? {
        [b'I', b'I', 0x2a, 0] | [b'I', b'I', 0, 0x2a] => Order::Little,
        [b'M', b'M', 0, 0x2a] | [b'M', b'M', 0x2a, 0] => Order::Big,
        _ => return None,
    };
    let directory = order.u32(block.get(4..)?)? as usize;
    let entries = block.get(directory..)?;
    let count = usize::from(order.u16(entries)?);
    let (entries, _) = entries.get(2..)?.as_chunks::<12>();
    entries.iter().take(count).find_map(|entry| {
        let value = |at: usize| order.u16(&entry[at..]);
        if value(0)? != TAG {
            return None;
        }
        let kind = Kind::new(value(2)?)?;
        let length = kind.length() as u64 * u64::from(order.u32(&entry[4..])?);
        let content = if length <= 4 {
            &entry[8..]
        } else {
            block.get(order.u32(&entry[8..])? as usize..)?
        };
        kind.first(order, content.get(..usize::try_from(length).ok()?)?)
    })
}

/// Order of the bytes of a number.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    /// Returns the number in the first `N` bytes.
    fn number<const N: usize>(self, bytes: &[u8]) -> Option<u64> {
        let add = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        let bytes: &[u8; N] = bytes.first_chunk()?;
        Some(match self {
            Self::Little => bytes.iter().rev().fold(0, add),
            Self::Big => bytes.iter().fold(0, add),
        })
    }

    fn u16(self, bytes: &[u8]) -> Option<u16> {
        self.number::<2>(bytes).map(|number| number as u16)
    }

    fn u32(self, bytes: &[u8]) -> Option<u32> {
        self.number::<4>(bytes).map(|number| number as u32)
    }
}

/// Types of values (TIFF 6.0, section 2).
enum Kind {
    /// Bytes or text, which Pillow does not read as numbers.
    Byte,
    Short,
    Long,
    Rational,
    SignedByte,
    SignedShort,
    SignedLong,
    SignedRational,
    Float,
    Double,
    /// Of BigTIFF.
    Long8,
}

impl Kind {
    fn new(code: u16) -> Option<Self> {
        Some(match code {
            1 | 2 | 7 => Self::Byte,
            3 => Self::Short,
            // 13 is the position of a directory.
            4 | 13 => Self::Long,
            5 => Self::Rational,
            6 => Self::SignedByte,
            8 => Self::SignedShort,
            9 => Self::SignedLong,
            10 => Self::SignedRational,
            11 => Self::Float,
            12 => Self::Double,
            16 => Self::Long8,
            _ => return None,
        })
    }

    /// Returns the length of a value in bytes.
    fn length(&self) -> usize {
        match self {
            Self::Byte | Self::SignedByte => 1,
            Self::Short | Self::SignedShort => 2,
            Self::Long | Self::SignedLong | Self::Float => 4,
            Self::Rational | Self::SignedRational | Self::Double | Self::Long8 => 8,
        }
    }

    /// Returns the first number of `bytes`. It is 0, which is no orientation, for bytes.
    fn first(&self, order: Order, bytes: &[u8]) -> Option<f64> {
        let signed = |bytes| order.u32(bytes).map(|number| f64::from(number as i32));
        Some(match self {
            Self::Short => f64::from(order.u16(bytes)?),
            Self::Long => f64::from(order.u32(bytes)?),
            Self::Rational => f64::from(order.u32(bytes)?) / f64::from(order.u32(&bytes[4..])?),
            Self::SignedByte => f64::from(*bytes.first()? as i8),
            Self::SignedShort => f64::from(order.u16(bytes)? as i16),
            Self::SignedLong => signed(bytes)?,
            Self::SignedRational => signed(bytes)? / signed(&bytes[4..])?,
            Self::Float => f64::from(f32::from_bits(order.u32(bytes)?)),
            Self::Double => f64::from_bits(order.number::<8>(bytes)?),
            Self::Long8 => order.number::<8>(bytes)? as f64,
            Self::Byte => bytes.first().map(|_| 0.0)?,
        })
    }
}

/// Returns the digit after the first `tiff:Orientation="` or `tiff:Orientation>`.
fn of_xmp(packet: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    packet
        .windows(NAME.len())
        .enumerate()
        .find_map(|(at, name)| {
            let after = (name == NAME).then(|| &packet[at + NAME.len()..])?;
            let after = after.strip_prefix(b"=\"").or(after.strip_prefix(b">"))?;
            let digit = after.first().filter(|digit| digit.is_ascii_digit())?;
            Some(digit - b'0')
        })
}
