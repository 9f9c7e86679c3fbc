//! Orientations in EXIF and XMP. The expected values are those of Pillow's `ImageOps.exif_transpose`.
#![cfg(feature = "image")]

use std::fs;
use std::io::Read;
use std::path::Path;

use receptive_layers::image::{self, RgbImage};

fn quarters(extension: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images");
    fs::read(folder.join("quarters").with_extension(extension)).unwrap()
}

/// Returns the colours of the top left, top right, bottom left and bottom right corner. Those of the file
/// are red, green, blue and white.
fn corner_colours(image: &RgbImage) -> String {
    let (right, bottom) = (image.width() - 2, image.height() - 2);
    [(1, 1), (right, 1), (1, bottom), (right, bottom)]
        .iter()
        .map(
            |&(x, y)| match image.get_pixel(x, y).0.map(|level| level > 127) {
                [true, false, false] => 'r',
                [false, true, false] => 'g',
                [false, false, true] => 'b',
                [true, true, true] => 'w',
                _ => '?',
            },
        )
        .collect()
}

/// Returns the corners of an image with an orientation.
fn turned(orientation: u16) -> &'static str {
    match orientation {
        2 => "grwb",
        3 => "wbgr",
        4 => "bwrg",
        5 => "rbgw",
        6 => "brwg",
        7 => "wgbr",
        8 => "gwrb",
        _ => "rgbw",
    }
}

/// Order of the bytes of a number.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, number: u16) -> Vec<u8> {
        match self {
            Self::Little => number.to_le_bytes().into(),
            Self::Big => number.to_be_bytes().into(),
        }
    }

    fn u32(self, number: u32) -> Vec<u8> {
        match self {
            Self::Little => number.to_le_bytes().into(),
            Self::Big => number.to_be_bytes().into(),
        }
    }
}

/// An entry of EXIF: tag, type, count and content.
type Entry = (u16, u16, u32, Vec<u8>);

/// Returns an EXIF block.
fn exif(order: Order, entries: &[Entry]) -> Vec<u8> {
    let mut block = match order {
        Order::Little => b"II\x2a\0".to_vec(),
        Order::Big => b"MM\0\x2a".to_vec(),
    };
    block.extend(order.u32(8));
    block.extend(order.u16(entries.len() as u16));
    let mut end = 8 + 2 + 12 * entries.len() as u32 + 4;
    let mut contents: Vec<u8> = Vec::new();
    for (tag, kind, count, content) in entries {
        block.extend([order.u16(*tag), order.u16(*kind), order.u32(*count)].concat());
        if content.len() > 4 {
            block.extend(order.u32(end));
            end += content.len() as u32;
            contents.extend(content);
        } else {
            block.extend(content);
            block.resize(block.len() + 4 - content.len(), 0);
        }
    }
    block.extend(order.u32(0));
    block.extend(contents);
    block
}

/// Returns an EXIF block of an orientation of type SHORT.
fn short(orientation: u16) -> Vec<u8> {
    let content = Order::Little.u16(orientation);
    exif(Order::Little, &[(0x0112, 3, 1, content)])
}

/// Returns the file with APP1 segments in place of its own.
fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let file = quarters("jpg");
    let own = file.windows(2).position(|pair| pair == [0xff, 0xe1]);
    let own = own.unwrap();
    let length = usize::from(u16::from_be_bytes([file[own + 2], file[own + 3]]));
    let mut result = file[..own].to_vec();
    for segment in segments {
        result.extend([0xff, 0xe1]);
        result.extend((segment.len() as u16 + 2).to_be_bytes());
        result.extend(segment);
    }
    result.extend(&file[own + 2 + length..]);
    result
}

fn exif_segment(block: &[u8]) -> Vec<u8> {
    [b"Exif\0\0", block].concat()
}

fn xmp_segment(packet: &str) -> Vec<u8> {
    [b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat()
}

#[track_caller]
fn assert_orientation(file: &[u8], orientation: u16, what: &str) {
    let image = image::decode(file).unwrap();
    assert_eq!(corner_colours(&image), turned(orientation), "{what}");
    let is_turned = (5..=8).contains(&orientation);
    assert_eq!(image.width() < image.height(), is_turned, "{what}");
}

#[test]
fn every_orientation_is_applied() {
    for orientation in 0..=9 {
        let file = jpeg(&[exif_segment(&short(orientation))]);
        assert_orientation(&file, orientation, "EXIF");
        let packet = format!("<rdf:Description tiff:Orientation=\"{orientation}\"/>");
        assert_orientation(&jpeg(&[xmp_segment(&packet)]), orientation, "XMP");
    }
    assert_orientation(&jpeg(&[]), 1, "none");
}

#[test]
fn the_value_may_have_any_type_of_number_and_count() {
    for order in [Order::Little, Order::Big] {
        let long = order.u32(6);
        let rational = [order.u32(6), order.u32(1)].concat();
        let (double, long8) = match order {
            Order::Little => (6_f64.to_le_bytes(), 6_u64.to_le_bytes()),
            Order::Big => (6_f64.to_be_bytes(), 6_u64.to_be_bytes()),
        };
        for (kind, value, orientation) in [
            (3, order.u16(6), 6),
            (4, long.clone(), 6),
            (5, rational.clone(), 6),
            (6, vec![6], 6),
            (8, order.u16(6), 6),
            (9, long.clone(), 6),
            (10, rational, 6),
            (11, order.u32(6_f32.to_bits()), 6),
            (12, double.to_vec(), 6),
            (13, long, 6),
            (16, long8.to_vec(), 6),
            // Bytes and text are no number.
            (1, vec![6], 1),
            (2, b"6".to_vec(), 1),
            (7, vec![6], 1),
            // Values that are none of an orientation, and an unknown type.
            (4, order.u32(0x0106), 1),
            (11, order.u32(6.5_f32.to_bits()), 1),
            (9, order.u32(-6_i32 as u32), 1),
            (99, vec![6], 1),
        ] {
            for count in 1..4 {
                let content = value.repeat(count as usize);
                let block = exif(order, &[(0x0112, kind, count, content)]);
                let what = format!("type {kind}, count {count}");
                assert_orientation(&jpeg(&[exif_segment(&block)]), orientation, &what);
            }
        }
        let empty = exif(order, &[(0x0112, 3, 0, order.u16(6))]);
        assert_orientation(&jpeg(&[exif_segment(&empty)]), 1, "count 0");
    }
}

#[test]
fn exif_is_found_in_any_segment_and_xmp_only_without_it() {
    let block = |entries: &[(u16, u16, u8)]| {
        let entries: Vec<Entry> = entries
            .iter()
            .map(|&(tag, kind, value)| (tag, kind, 1, vec![value, 0]))
            .collect();
        exif_segment(&exif(Order::Little, &entries))
    };
    let six = block(&[(0x0112, 3, 6)]);
    let without = block(&[(0x0100, 3, 1)]);
    let xmp = xmp_segment("<a tiff:Orientation=\"8\"/>");
    let none = xmp_segment("<a/>");
    let (first_part, second_part) = six.split_at(20);
    let parts = vec![first_part.to_vec(), exif_segment(second_part)];
    for (segments, orientation, what) in [
        (vec![none.clone(), six.clone()], 6, "EXIF after XMP"),
        (
            vec![exif_segment(b""), six.clone()],
            6,
            "EXIF after nothing",
        ),
        (vec![six.clone(), block(&[(0x0112, 3, 3)])], 6, "two blocks"),
        (
            vec![without.clone(), six.clone()],
            1,
            "the first block counts",
        ),
        (parts, 6, "one block in two segments"),
        (vec![exif_segment(&six)], 6, "two headers"),
        (
            vec![block(&[(0x0112, 3, 3), (0x0112, 3, 6)])],
            3,
            "two entries",
        ),
        (
            vec![block(&[(0x0112, 99, 3), (0x0112, 3, 6)])],
            6,
            "unknown type first",
        ),
        (vec![xmp.clone(), six], 6, "EXIF and XMP"),
        (
            vec![block(&[(0x0112, 3, 1)]), xmp.clone()],
            1,
            "EXIF says 1",
        ),
        (
            vec![block(&[(0x0112, 3, 0)]), xmp.clone()],
            1,
            "EXIF says 0",
        ),
        (
            vec![block(&[(0x0112, 1, 3)]), xmp.clone()],
            1,
            "EXIF says a byte",
        ),
        (vec![without, xmp.clone()], 8, "EXIF without orientation"),
        (
            vec![block(&[(0x0112, 99, 3)]), xmp.clone()],
            8,
            "EXIF of an unknown type",
        ),
        (
            vec![exif_segment(b"??"), xmp.clone()],
            8,
            "EXIF that is none",
        ),
        (vec![none.clone(), xmp.clone()], 8, "second packet"),
        (vec![xmp, none], 1, "the last packet counts"),
        (
            vec![xmp_segment("<tiff:Orientation>5</tiff:Orientation>")],
            5,
            "element",
        ),
        (vec![xmp_segment("tiff:Orientation='6'")], 1, "other quotes"),
        (
            vec![xmp_segment("tiff:Orientation=\"x tiff:Orientation=\"6\"")],
            6,
            "no digit first",
        ),
    ] {
        assert_orientation(&jpeg(&segments), orientation, what);
    }
}

/// Returns the file with a chunk in place of its own EXIF, before the pixels or after them.
fn png(name: &[u8; 4], content: &[u8], is_after: bool) -> Vec<u8> {
    let file = quarters("png");
    let mut chunks = Vec::new();
    let mut rest = &file[8..];
    while let Some((length, _)) = rest.split_first_chunk() {
        let (chunk, after) = rest.split_at(12 + u32::from_be_bytes(*length) as usize);
        if &chunk[4..8] != b"eXIf" {
            chunks.push(chunk.to_vec());
        }
        rest = after;
    }
    let named = [name, content].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&named);
    let length = (content.len() as u32).to_be_bytes();
    let chunk = [&length[..], &named, &sum.sum().to_be_bytes()].concat();
    chunks.insert(if is_after { chunks.len() - 1 } else { 1 }, chunk);
    [&file[..8], &chunks.concat()].concat()
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut encoder = flate2::read::ZlibEncoder::new(text, flate2::Compression::default());
    encoder.read_to_end(&mut result).unwrap();
    result
}

#[test]
fn the_orientation_of_png_is_applied() {
    assert_orientation(&quarters("png"), 6, "own");
    let packet = b"<a tiff:Orientation=\"8\"/>";
    let xmp = |head: &[u8], text: &[u8]| [b"XML:com.adobe.xmp\0", head, text].concat();
    let profile = exif_segment(&short(7));
    let digits: String = profile.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, second) = digits.split_at(30);
    let profile = format!("\nexif\n{:8}\n{first}\n{second}\n", profile.len()).into_bytes();
    let raw = |head: &[u8], text: &[u8]| [b"Raw profile type exif\0", head, text].concat();
    for (name, content, orientation) in [
        (b"eXIf", short(6), 6),
        (b"eXIf", exif_segment(&short(6)), 6),
        (b"iTXt", xmp(b"\0\0\0\0", packet), 8),
        (b"iTXt", xmp(b"\0\0en\0a packet\0", packet), 8),
        (b"iTXt", xmp(b"\x01\0\0\0", &deflated(packet)), 8),
        (b"tEXt", xmp(b"", packet), 8),
        (b"tEXt", raw(b"", &profile), 7),
        (b"zTXt", raw(b"\0", &deflated(&profile)), 7),
        (b"zTXt", raw(b"\0", &profile), 1),
        (b"tEXt", b"Comment\0tiff:Orientation=\"6\"".to_vec(), 1),
    ] {
        for is_after in [false, true] {
            let what = format!("{} {is_after}", name.escape_ascii());
            assert_orientation(&png(name, &content, is_after), orientation, &what);
        }
    }
}

/// Returns the file with a chunk in place of its own EXIF.
fn webp(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let file = quarters("webp");
    let mut body = b"WEBP".to_vec();
    let mut rest = &file[12..];
    while let Some(([n0, n1, n2, n3, length @ ..], _)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(*length) as usize;
        let end = (8 + length.next_multiple_of(2)).min(rest.len());
        match &[*n0, *n1, *n2, *n3] {
            b"EXIF" => {}
            b"VP8X" => {
                // Flags of the optional chunks.
                let flag = if name == b"EXIF" { 0x08 } else { 0x04 };
                body.extend([&rest[..8], &[flag], &rest[9..end]].concat());
            }
            _ => body.extend(&rest[..end]),
        }
        rest = &rest[end..];
    }
    body.extend(name);
    body.extend((content.len() as u32).to_le_bytes());
    body.extend(content);
    body.resize(body.len().next_multiple_of(2), 0);
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

#[test]
fn the_orientation_of_webp_is_applied() {
    assert_orientation(&quarters("webp"), 6, "own");
    for (name, content, orientation) in [
        (b"EXIF", short(6), 6),
        (b"EXIF", exif_segment(&short(5)), 5),
        (
            b"XMP ",
            b"<tiff:Orientation>8</tiff:Orientation>".to_vec(),
            8,
        ),
        (b"XMP ", b"<a/>.".to_vec(), 1),
    ] {
        let what = name.escape_ascii().to_string();
        assert_orientation(&webp(name, &content), orientation, &what);
    }
}
