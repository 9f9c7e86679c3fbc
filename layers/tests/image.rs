//! Decoding and preprocessing compared with Pillow's output and with the definition of the filters,
//! and robustness against arbitrary files.
//!
//! `images/generate.py` writes the images with Pillow. `images/decoded` contains the results of
//! Pillow's `convert("RGB")`, and `images/{filter}-{resize}-{crop}.png` contains `photo.png` after
//! Pillow's resize and torchvision's centre crop.
#![cfg(feature = "image")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use receptive_layers::image::{
    self, EXTENSIONS, ImageError, MAX_BYTES, RgbImage, preprocess, preprocess_grey,
};
use receptive_layers::preprocessing::{Interpolation, Preprocessing};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/images")
        .join(name)
}

/// Returns preprocessing without normalization: samples stay in `[0, 1]`.
fn plain(resize: usize, crop: usize, interpolation: Interpolation) -> Preprocessing {
    Preprocessing {
        resize,
        crop,
        interpolation,
        mean: [0.0; 3],
        std: [1.0; 3],
    }
}

/// Converts planes of samples in `[0, 1]` to interleaved 8-bit samples.
fn interleaved<const C: usize>(planes: &[f32]) -> Vec<u8> {
    let pixels = planes.len() / C;
    (0..planes.len())
        .map(|i| (planes[i % C * pixels + i / C] * 255.0).round() as u8)
        .collect()
}

#[test]
fn the_resize_is_bit_identical_to_pillow() {
    let photo = image::open(fixture("photo.png")).unwrap();
    for (name, interpolation) in [
        ("bilinear", Interpolation::Bilinear),
        ("bicubic", Interpolation::Bicubic),
    ] {
        for (resize, crop) in [(20, 17), (70, 48), (30, 36), (31, 36)] {
            let expected = image::open(fixture(&format!("{name}-{resize}-{crop}.png"))).unwrap();
            let found = preprocess(&photo, &plain(resize, crop, interpolation));
            assert!(
                interleaved::<3>(&found) == *expected.as_raw(),
                "{name}, {resize} cropped to {crop}"
            );
        }
    }
}

#[test]
fn grey_is_the_luma_of_pillow() {
    let photo = image::open(fixture("photo.png")).unwrap();
    let found = preprocess_grey(&photo, &plain(20, 17, Interpolation::Bilinear));
    let expected = image::open(fixture("grey-bilinear-20-17.png")).unwrap();
    let expected: Vec<u8> = expected.pixels().map(|pixel| pixel.0[0]).collect();
    assert_eq!(interleaved::<1>(&found), expected);
}

#[test]
fn samples_are_scaled_and_normalized_per_channel() {
    let photo = RgbImage::from_pixel(5, 3, ::image::Rgb([0, 51, 255]));
    let planes = preprocess(&photo, &Preprocessing::IMAGENET);
    let expected = [-0.485 / 0.229, (0.2 - 0.456) / 0.224, (1.0 - 0.406) / 0.225];
    for (plane, expected) in planes.chunks_exact(224 * 224).zip(expected) {
        assert!(plane.iter().all(|v| (v - expected).abs() < 1e-6));
    }
}

#[test]
fn every_format_and_colour_type_is_decoded_as_by_pillow() {
    let mut seen = 0;
    for entry in fs::read_dir(fixture("encoded")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = format!("decoded/{}.png", name.replace('.', "-"));
        let expected = image::open(fixture(&expected)).unwrap();
        let found = image::open(&path).unwrap();
        assert_eq!(found.dimensions(), expected.dimensions(), "{name}");

        assert!(
            found.as_raw() == expected.as_raw(),
            "the samples of {name} differ"
        );
        seen += 1;
    }
    assert_eq!(seen, 27);
}

#[test]
fn the_content_determines_the_format_instead_of_the_extension() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [("rgb.png", "a.jpg"), ("baseline.jpg", "b.txt")] {
        let path = folder.path().join(to);
        fs::copy(fixture("encoded").join(from), &path).unwrap();
        assert_eq!(image::open(&path).unwrap().dimensions(), (18, 14));
    }
}

#[test]
fn the_extensions_of_all_fixtures_are_listed() {
    for entry in fs::read_dir(fixture("encoded")).unwrap() {
        let path = entry.unwrap().path();
        assert!(EXTENSIONS.contains(&path.extension().unwrap().to_str().unwrap()));
    }
}

#[test]
fn errors_contain_the_path_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let png = fs::read(fixture("encoded/rgb.png")).unwrap();
    for (name, content, reason) in [
        ("empty.png", &b""[..], "is empty"),
        ("text.png", b"not an image", "is not an image"),
        ("scan.png", b"II\x2a\0\x08\0\0\0", "unsupported format TIFF"),
        (
            "half.png",
            &png[..png.len() / 2],
            "cannot be decoded as PNG",
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let error = image::open(&path).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(reason), "{error}");
    }
    for path in [folder.path().join("missing.png"), folder.path().to_owned()] {
        let error = image::open(&path).unwrap_err();
        assert!(matches!(error.reason, ImageError::Read(_)), "{error}");
        assert_eq!(error.path, path);
    }
}

/// Every cut of a JPEG file is an error, also where only the last byte is missing. Bytes after the end
/// of the image are ignored, and an end-of-image marker inside a segment does not end the image.
#[test]
fn cut_jpeg_files_are_errors() {
    let mut files = vec![fixture("quarters.jpg")];
    for entry in fs::read_dir(fixture("encoded")).unwrap() {
        files.push(entry.unwrap().path());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jpg"));
    assert!(files.len() > 4);
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let whole = image::decode(&bytes).unwrap();
        let step = (bytes.len() / 500).max(1);
        for length in (2..bytes.len() - 2)
            .step_by(step)
            .chain([bytes.len() - 2, bytes.len() - 1])
        {
            let cut = image::decode(&bytes[..length]);
            assert!(
                cut.is_err(),
                "{}, {length} of {} bytes",
                path.display(),
                bytes.len()
            );
        }
        let message = image::decode(&bytes[..bytes.len() - 2])
            .unwrap_err()
            .to_string();
        assert!(message.contains("the file is cut"), "{message}");

        let comment = b"\xff\xfe\x00\x04\xff\xd9";
        let with_comment = [&bytes[..2], comment, &bytes[2..], b"more"].concat();
        assert_eq!(image::decode(&with_comment).unwrap(), whole);
        let cut = &with_comment[..with_comment.len() - 6];
        assert!(image::decode(cut).is_err());
    }
}

/// Formats that are not decoded are named, by their first bytes or, for TGA, by its footer or extension.
#[test]
fn unsupported_formats_are_named() {
    let ftyp = |brands: &[u8]| {
        let length = 8 + brands.len() as u32;
        [
            &length.to_be_bytes()[..],
            b"ftyp",
            brands,
            b"\0\0\0\x08free",
        ]
        .concat()
    };
    let tga = [
        0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 24, 0, 10, 20, 30,
    ];
    let tga_2 = [&tga[..], &[0; 8], b"TRUEVISION-XFILE.\0"].concat();
    let folder = tempfile::tempdir().unwrap();
    for (name, content, format) in [
        ("a.heic", ftyp(b"heic\0\0\0\0mif1heic"), "HEIC"),
        ("b.jpg", ftyp(b"mif1\0\0\0\0mif1heic"), "HEIC"),
        ("c.heif", ftyp(b"mif1\0\0\0\0mif1"), "HEIF"),
        ("d.avif", ftyp(b"avif\0\0\0\0mif1avif"), "AVIF"),
        ("e.avif", ftyp(b"mif1\0\0\0\0avifmif1"), "AVIF"),
        (
            "f.jp2",
            b"\0\0\0\x0cjP  \r\n\x87\n\0\0".to_vec(),
            "JPEG 2000",
        ),
        ("g.j2k", b"\xff\x4f\xff\x51\0\x2f".to_vec(), "JPEG 2000"),
        ("h.jxl", b"\0\0\0\x0cJXL \r\n\x87\n\0\0".to_vec(), "JPEG XL"),
        ("i.jpg", b"\xff\x0a\x7f\0".to_vec(), "JPEG XL"),
        ("j.png", tga_2, "TGA"),
        ("k.TGA", tga.to_vec(), "TGA"),
        ("l.psd", b"8BPS\0\x01".to_vec(), "Photoshop"),
        ("m.tif", b"II\x2a\0\x08\0\0\0".to_vec(), "TIFF"),
        ("n.ppm", b"P6\n1 1\n255\n...".to_vec(), "PNM"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let expected = format!(
            "is an image of the unsupported format {format}; expected PNG, JPEG, WebP, GIF or BMP"
        );
        assert_eq!(image::open(&path).unwrap_err().reason.to_string(), expected);
    }
    // A film, text called TGA, and the header of a TGA file with another extension.
    for (name, content) in [
        ("film.mp4", ftyp(b"isom\0\0\0\0mp42")),
        ("text.tga", b"This is a text of many words.".to_vec()),
        ("image.bin", tga.to_vec()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let error = image::open(&path).unwrap_err();
        assert!(matches!(error.reason, ImageError::NotAnImage), "{error}");
    }
}

/// The memory of every file is known before it is allocated, and one byte less is an error.
#[test]
fn the_limit_counts_the_memory_of_the_decoding() {
    // 18x14 pixels are three times six blocks.
    const PIXELS: u64 = 18 * 14;
    for (name, bytes) in [
        ("encoded/grey.jpg", 3 * PIXELS),
        ("encoded/baseline.jpg", 3 * PIXELS),
        ("encoded/progressive.jpg", 3 * PIXELS + 3 * 6 * 128),
        ("encoded/rgb.png", 3 * PIXELS),
        ("encoded/grey.png", 4 * PIXELS),
        ("encoded/palette.png", 3 * PIXELS),
        ("encoded/rgba-16.png", 11 * PIXELS),
        ("encoded/rgb.bmp", 3 * PIXELS),
        ("encoded/lossy.webp", 11 * PIXELS),
        ("encoded/lossless-alpha.webp", 15 * PIXELS),
        ("encoded/palette.gif", 4 * PIXELS),
        // 32x16 pixels that are turned.
        ("quarters.jpg", 3 * 512),
        ("quarters.png", 6 * 512),
    ] {
        let file = fs::read(fixture(name)).unwrap();
        let whole = image::decode(&file).unwrap();
        match image::decode_with_limit(&file, bytes) {
            Ok(image) => assert_eq!(image, whole, "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
        match image::decode_with_limit(&file, bytes - 1).unwrap_err() {
            ImageError::TooManyPixels {
                bytes: found,
                limit,
                ..
            } => assert_eq!((found, limit), (bytes, bytes - 1), "{name}"),
            error => panic!("{name}: {error}"),
        }
    }
}

/// A grey JPEG file of 23,000x23,000 pixels that has data for few.
#[test]
fn a_small_file_of_many_pixels_is_an_error_without_an_allocation() {
    let mut bytes = fs::read(fixture("encoded/grey.jpg")).unwrap();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let size = frame.unwrap() + 5;
    let side = 23_000_u16.to_be_bytes();
    bytes[size..size + 4].copy_from_slice(&[side, side].concat());
    let error = image::decode(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "has 23000x23000 pixels, whose decoding takes 1514 MiB, more than the limit of 512 MiB"
    );
}

#[test]
fn too_many_pixels_are_an_error_without_an_allocation() {
    let gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0\x01\0\x01\0\0\x02";
    let error = image::decode(gif).unwrap_err();
    assert_eq!(
        error.to_string(),
        "has 65535x65535 pixels, whose decoding takes 12288 MiB, more than the limit of 512 MiB"
    );
}

#[test]
fn a_file_above_the_limit_is_an_error_without_a_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    File::create(file.path())
        .unwrap()
        .set_len(MAX_BYTES + 1)
        .unwrap();
    let error = image::open(file.path()).unwrap_err();
    assert!(matches!(error.reason, ImageError::FileTooLarge), "{error}");
}

#[test]
fn extreme_aspect_ratios_are_preprocessed() {
    for (width, height) in [(1, 1), (1, 10_000), (10_000, 1), (1, 3_000_000), (2, 1)] {
        let photo = RgbImage::from_pixel(width, height, ::image::Rgb([255; 3]));
        let planes = preprocess(&photo, &plain(256, 224, Interpolation::Bicubic));
        assert_eq!(planes.len(), 3 * 224 * 224);
        assert!(planes.iter().all(|&v| v == 1.0), "{width}x{height}");
    }
}

#[test]
fn an_image_without_pixels_becomes_black() {
    for (photo, resize) in [(RgbImage::new(0, 0), 8), (RgbImage::new(4, 4), 0)] {
        let planes = preprocess(&photo, &plain(resize, 8, Interpolation::Bilinear));
        assert_eq!(planes, [0.0; 3 * 64]);
    }
}

/// Returns the weights of all source pixels for output pixel `index`, by the definition of the
/// filter in one dimension.
fn definition(
    source: usize,
    target: usize,
    index: usize,
    interpolation: Interpolation,
) -> Vec<f64> {
    let scale = source as f64 / target as f64;
    let weights: Vec<f64> = (0..source)
        .map(|from| {
            let x = (from as f64 + 0.5 - (index as f64 + 0.5) * scale).abs() / scale.max(1.0);
            match interpolation {
                Interpolation::Bilinear if x < 1.0 => 1.0 - x,
                Interpolation::Bicubic if x < 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
                Interpolation::Bicubic if x < 2.0 => {
                    -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0
                }
                _ => 0.0,
            }
        })
        .collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

fn interpolation() -> impl Strategy<Value = Interpolation> {
    prop_oneof![Just(Interpolation::Bilinear), Just(Interpolation::Bicubic)]
}

fn photo(sides: std::ops::Range<u32>) -> impl Strategy<Value = RgbImage> {
    (sides.clone(), sides).prop_flat_map(|(width, height)| {
        proptest::collection::vec(any::<u8>(), (width * height * 3) as usize)
            .prop_map(move |samples| RgbImage::from_raw(width, height, samples).unwrap())
    })
}

proptest! {
    #[test]
    fn any_image_becomes_finite_samples_of_the_crop(
        photo in photo(1..40),
        resize in 0_usize..60,
        crop in 0_usize..60,
        interpolation in interpolation(),
    ) {
        let preprocessing = Preprocessing { resize, crop, interpolation, ..Preprocessing::IMAGENET };
        let colour = preprocess(&photo, &preprocessing);
        prop_assert_eq!(colour.len(), 3 * crop * crop);
        prop_assert!(colour.iter().all(|v| v.is_finite()));
        prop_assert_eq!(preprocess_grey(&photo, &preprocessing).len(), crop * crop);
    }

    #[test]
    fn the_resize_follows_its_definition_within_rounding(
        side in 1_u32..24,
        target in 1_usize..48,
        interpolation in interpolation(),
        seed in proptest::collection::vec(any::<u8>(), 24 * 24),
    ) {
        let n = side as usize;
        let grey = &seed[..n * n];
        let samples = grey.iter().flat_map(|&v| [v; 3]).collect();
        let photo = RgbImage::from_raw(side, side, samples).unwrap();
        let found = preprocess(&photo, &plain(target, target, interpolation));
        let weights: Vec<Vec<f64>> =
            (0..target).map(|index| definition(n, target, index, interpolation)).collect();
        for row in 0..target {
            for column in 0..target {
                let mut expected = 0.0;
                for y in 0..n {
                    // The result of the horizontal pass is clamped to the range of 8-bit samples.
                    let across: f64 =
                        (0..n).map(|x| f64::from(grey[y * n + x]) * weights[column][x]).sum();
                    expected += across.clamp(0.0, 255.0) * weights[row][y];
                }
                let level = f64::from(found[row * target + column]) * 255.0;
                let difference = (level - expected.clamp(0.0, 255.0)).abs();
                prop_assert!(difference < 1.2, "{level} for {expected}");
            }
        }
    }

    #[test]
    fn a_uniform_image_keeps_its_colour(
        colour in any::<[u8; 3]>(),
        (width, height) in (1_u32..400, 1_u32..400),
        interpolation in interpolation(),
    ) {
        let photo = RgbImage::from_pixel(width, height, ::image::Rgb(colour));
        let found = interleaved::<3>(&preprocess(&photo, &plain(32, 28, interpolation)));
        prop_assert!(found.chunks_exact(3).all(|pixel| pixel == colour));
    }

    #[test]
    fn arbitrary_bytes_are_decoded_or_an_error(
        magic in proptest::sample::select(vec![
            &b""[..], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff", b"GIF89a", b"BM",
            b"RIFF\x40\0\0\0WEBPVP8 ", b"RIFF\x40\0\0\0WEBPVP8L", b"RIFF\x40\0\0\0WEBPVP8X",
        ]),
        rest in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let _ = image::decode(&[magic, &rest].concat());
    }

    #[test]
    fn damaged_files_are_decoded_or_an_error(
        file in any::<proptest::sample::Index>(),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), 0..8), 0..4),
    ) {
        let mut files: Vec<PathBuf> = fs::read_dir(fixture("encoded"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let mut bytes = fs::read(file.get(&files)).unwrap();
        for (position, bit) in flips {
            let position = position.index(bytes.len());
            bytes[position] ^= 1_u8 << bit;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(image) = image::decode(&bytes) {
            prop_assert!(image.width() > 0 && image.height() > 0);
        }
    }
}
