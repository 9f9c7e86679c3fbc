//! JPEG decoding compared with libjpeg-turbo, and errors of files that cannot be decoded.
//!
//! The sweeps write files with libjpeg-turbo's `cjpeg` and `jpegtran`, and compare the pixels with those
//! of `djpeg` (Debian's package `libjpeg-turbo-progs`). They are skipped where the programs are missing,
//! except with `CI=true` on Linux. `jpeg/generate.sh` has written the files of the folder `jpeg`.
#![cfg(feature = "image")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use receptive_layers::image::{self, ImageError, RgbImage};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Returns size and RGB samples of a PPM or PGM file of 8 bits.
fn read_ppm(bytes: &[u8]) -> ([u32; 2], Vec<u8>) {
    let mut fields = bytes.splitn(4, |byte| byte.is_ascii_whitespace());
    let mut field = || fields.next().unwrap();
    let number = |field: &[u8]| str::from_utf8(field).unwrap().parse().unwrap();
    let magic = field();
    let size = [number(field()), number(field())];
    let samples = field().strip_prefix(b"255\n").unwrap();
    match magic {
        b"P5" => (size, samples.iter().flat_map(|&grey| [grey; 3]).collect()),
        _ => (size, samples.to_vec()),
    }
}

fn write_ppm(image: &RgbImage) -> Vec<u8> {
    let head = format!("P6\n{} {}\n255\n", image.width(), image.height());
    [head.as_bytes(), image.as_raw()].concat()
}

#[track_caller]
fn assert_equal(found: &RgbImage, expected: &[u8], what: &str) {
    let (size, samples) = read_ppm(expected);
    assert_eq!(<[u32; 2]>::from(found.dimensions()), size, "{what}");
    assert!(*found.as_raw() == samples, "{what}: the samples differ");
}

/// The programs of libjpeg-turbo, in a folder for their files.
struct Programs {
    folder: TempDir,
}

impl Programs {
    /// Returns `None` if the programs are missing.
    fn new() -> Option<Self> {
        for program in ["cjpeg", "djpeg", "jpegtran"] {
            if let Err(error) = Command::new(program).arg("-version").output() {
                let message = format!("{program} of libjpeg-turbo-progs: {error}");
                let is_required = env::var_os("CI").is_some_and(|ci| ci == "true");
                assert!(!is_required || cfg!(not(target_os = "linux")), "{message}");
                println!("skipped: {message}");
                return None;
            }
        }
        Some(Self {
            folder: tempfile::tempdir().unwrap(),
        })
    }

    fn run(&self, program: &str, options: &[&str], input: &str) -> Output {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).args(options).arg(input);
        command.output().unwrap()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    /// Writes a scan script for each way of distributing `components` over the scans of a sequential file,
    /// and for progressive files. Returns the options of `cjpeg` and `jpegtran`.
    fn scan_scripts(&self, components: usize) -> Vec<Vec<String>> {
        let apart = |of_component: &dyn Fn(usize) -> String| -> String {
            (0..components).map(of_component).collect()
        };
        let ac = |range: &'static str| move |index: usize| format!("{index}: {range};\n");
        let interleaved: Vec<String> = (0..components).map(|index| index.to_string()).collect();
        let mut scripts = vec![
            apart(&|index| format!("{index};\n")),
            format!("{}: 0 0 0 0;\n", interleaved.join(" ")) + &apart(&ac("1 63 0 0")),
            format!("{}: 0 0 0 1;\n", interleaved.join(" "))
                + &apart(&ac("1 5 0 2"))
                + &apart(&ac("6 63 0 2"))
                + &apart(&ac("1 63 2 1"))
                + &apart(&ac("0 0 1 0"))
                + &apart(&ac("1 63 1 0")),
        ];
        if components == 3 {
            scripts.extend(["0;\n1 2;\n", "2;\n1;\n0;\n", "1;\n0 2;\n"].map(str::to_owned));
        }
        let mut options = vec![vec![], vec!["-progressive".to_owned()]];
        for (index, script) in scripts.iter().enumerate() {
            let name = format!("scans-{components}-{index}");
            self.write(&name, script);
            options.push(vec!["-scans".to_owned(), name]);
        }
        options
    }

    /// Compares the decoded file `name` with `djpeg`'s. Returns whether `djpeg` decodes it.
    #[track_caller]
    fn compare(&self, name: &str, what: &str) -> bool {
        let bytes = fs::read(self.folder.path().join(name)).unwrap();
        let expected = self.run("djpeg", &[], name);
        let found = image::decode(&bytes);
        if !expected.status.success() {
            assert!(found.is_err(), "{what}");
            return false;
        }
        match found {
            Ok(found) => assert_equal(&found, &expected.stdout, what),
            Err(error) => panic!("{what}: {error}"),
        }
        true
    }
}

/// Returns a rectangle of a photo.
fn photo(width: u32, height: u32) -> RgbImage {
    let photo = image::open(fixture("images/photo.png")).unwrap();
    RgbImage::from_fn(width, height, |x, y| {
        *photo.get_pixel((x + 3) % photo.width(), (y + 5) % photo.height())
    })
}

/// All sampling factors, scan scripts and restart intervals, at sizes around the borders of blocks and of
/// minimum coded units.
#[test]
fn pixels_are_those_of_libjpeg_turbo() {
    let Some(programs) = Programs::new() else {
        return;
    };
    let factors = [
        "1x1",
        "2x1",
        "1x2",
        "2x2",
        "4x1",
        "1x4",
        "4x2",
        "2x4",
        "3x1",
        "1x3",
        "3x2",
        "2x2,1x2,2x1",
        "2x1,1x1,2x1",
        "4x2,2x1,1x2",
    ];
    let sizes = [
        (1, 1),
        (2, 3),
        (7, 8),
        (8, 16),
        (9, 17),
        (16, 16),
        (17, 33),
        (33, 1),
        (5, 41),
        (40, 31),
        (70, 50),
    ];
    let scripts = programs.scan_scripts(3);
    let restarts: [&[&str]; 3] = [&[], &["-restart", "1"], &["-restart", "3B"]];
    let mut cases = 0;
    for (place, (width, height)) in sizes.into_iter().enumerate() {
        programs.write("photo.ppm", write_ppm(&photo(width, height)));
        for (number, factors) in factors.into_iter().enumerate() {
            for (index, script) in scripts.iter().enumerate() {
                // One restart interval for each case, and all of them for each script and size.
                let restart = restarts[(place + number + index) % restarts.len()];
                let quality = ["95", "70", "20"][(place + number) % 3];
                let mut options = vec!["-quality", quality, "-sample", factors];
                options.extend(
                    script
                        .iter()
                        .map(String::as_str)
                        .chain(restart.iter().copied()),
                );
                options.extend(["-outfile", "case.jpg"]);
                // Interleaved units of more than ten blocks are invalid.
                if programs
                    .run("cjpeg", &options, "photo.ppm")
                    .status
                    .success()
                {
                    let what = format!("{width}x{height} {options:?}");
                    assert!(programs.compare("case.jpg", &what), "{what}");
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 1000, "{cases}");
}

/// Images of 1/2, 1/4 and 1/8 of the size differ from libjpeg-turbo's only by roundings: of the transform, by a
/// level, and of the interpolation of components and the conversion of colours, by two more.
#[test]
fn reduced_images_are_those_of_libjpeg_turbo_up_to_roundings() {
    let Some(programs) = Programs::new() else {
        return;
    };
    let mut histogram = [0_u64; 256];
    for (number, (width, height)) in [(70, 50), (64, 48), (33, 97), (16, 16), (130, 9)]
        .into_iter()
        .enumerate()
    {
        programs.write("photo.ppm", write_ppm(&photo(width, height)));
        for factors in ["1x1", "2x1", "1x2", "2x2", "4x1", "4x2", "2x2,1x2,2x1"] {
            for script in [&[][..], &["-progressive"]] {
                let quality = ["95", "70"][number % 2];
                let options = [
                    "-quality", quality, "-sample", factors, "-outfile", "case.jpg",
                ];
                let written = programs.run("cjpeg", &[&options, script].concat(), "photo.ppm");
                assert!(written.status.success());
                let bytes = fs::read(programs.folder.path().join("case.jpg")).unwrap();
                for side in [1, 2, 4] {
                    // At 1/8, libjpeg-turbo repeats the samples of components that it interpolates
                    // at other sizes.
                    if side == 1 && !matches!(factors, "1x1" | "2x2") {
                        continue;
                    }
                    let scale = format!("{side}/8");
                    let what = format!("{width}x{height} {factors} {scale}");
                    let expected = programs.run("djpeg", &["-scale", &scale], "case.jpg");
                    let (size, samples) = read_ppm(&expected.stdout);
                    let shorter = width.min(height) as usize * side;
                    let found = image::decode_reduced(&bytes, shorter.div_ceil(8)).unwrap();
                    let dimensions = <[u32; 2]>::from(found.dimensions());
                    if width.min(height) < 10 && dimensions != size {
                        // A shorter side of this size is covered by a smaller scale too.
                        continue;
                    }
                    assert_eq!(dimensions, size, "{what}");
                    for (&a, &b) in found.as_raw().iter().zip(&samples) {
                        histogram[usize::from(a.abs_diff(b))] += 1;
                    }
                }
            }
        }
    }
    let total: u64 = histogram.iter().sum();
    let beyond: u64 = histogram[4..].iter().sum();
    println!("{:?}", &histogram[..16]);
    assert!(total > 100_000 && beyond == 0, "{:?}", &histogram[..16]);
}

/// A reduced grey image is the mean of the whole image up to a level, where no sample is cut off.
#[test]
fn reduced_images_are_means_of_the_whole_image() {
    let Some(programs) = Programs::new() else {
        return;
    };
    let grey = RgbImage::from_fn(64, 48, |x, y| {
        ::image::Rgb([(60 + (x * 7 + y * 13) % 40 + (x / 5 + y / 3) % 2 * 60) as u8; 3])
    });
    programs.write("grey.ppm", write_ppm(&grey));
    let options = ["-grayscale", "-quality", "97", "-outfile", "grey.jpg"];
    assert!(programs.run("cjpeg", &options, "grey.ppm").status.success());
    let bytes = fs::read(programs.folder.path().join("grey.jpg")).unwrap();
    let whole = image::decode(&bytes).unwrap();
    for factor in [2, 4, 8] {
        let reduced = image::decode_reduced(&bytes, 48 / factor as usize).unwrap();
        assert_eq!(reduced.dimensions(), (64 / factor, 48 / factor));
        for (x, y, pixel) in reduced.enumerate_pixels() {
            let block =
                (0..factor * factor).map(|i| (factor * x + i % factor, factor * y + i / factor));
            let sum: u32 = block
                .map(|(x, y)| u32::from(whole.get_pixel(x, y)[0]))
                .sum();
            let mean = sum as f32 / (factor * factor) as f32;
            let off = f32::from(pixel[0]) - mean;
            assert!(
                off.abs() <= 1.0,
                "1/{factor} at ({x}, {y}): {} and {mean}",
                pixel[0]
            );
        }
    }
}

#[test]
fn all_colour_spaces_are_converted_as_by_libjpeg_turbo() {
    let Some(programs) = Programs::new() else {
        return;
    };
    programs.write("photo.ppm", write_ppm(&photo(45, 27)));
    for (colour, factors) in [
        ("-grayscale", "1x1"),
        ("-grayscale", "2x2"),
        ("-rgb", "1x1"),
    ] {
        for script in programs.scan_scripts(if colour == "-rgb" { 3 } else { 1 }) {
            let mut options = vec![colour, "-sample", factors, "-restart", "2"];
            options.extend(script.iter().map(String::as_str));
            options.extend(["-outfile", "case.jpg"]);
            assert!(
                programs
                    .run("cjpeg", &options, "photo.ppm")
                    .status
                    .success()
            );
            assert!(programs.compare("case.jpg", &format!("{options:?}")));
        }
    }
    for name in ["images/encoded/cmyk.jpg", "jpeg/ycck.jpg"] {
        programs.write("four.jpg", fs::read(fixture(name)).unwrap());
        for script in programs.scan_scripts(4) {
            let mut options: Vec<&str> = script.iter().map(String::as_str).collect();
            options.extend(["-restart", "1B", "-outfile", "case.jpg"]);
            assert!(
                programs
                    .run("jpegtran", &options, "four.jpg")
                    .status
                    .success()
            );
            assert!(programs.compare("case.jpg", &format!("{name} {options:?}")));
        }
    }
}

#[test]
fn committed_files_have_the_pixels_of_libjpeg_turbo() {
    let mut seen = 0;
    for entry in fs::read_dir(fixture("jpeg")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.extension().is_none_or(|extension| extension != "jpg") {
            continue;
        }
        match fs::read(path.with_extension("ppm")) {
            Ok(expected) => assert_equal(&image::open(&path).unwrap(), &expected, &name),
            Err(_) => {
                let error = image::open(&path).unwrap_err().to_string();
                assert!(
                    error.contains("arithmetic coding is not supported"),
                    "{error}"
                );
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 15);
}

/// A file of 8x16 pixels with one scan for each component.
#[test]
fn components_in_scans_of_their_own_are_decoded() {
    let image = image::open(fixture("jpeg/apart-8x16.jpg")).unwrap();
    assert_eq!(image.dimensions(), (8, 16));
    assert_eq!(image.get_pixel(4, 13).0, [128, 208, 123]);
}

/// Returns the reason why a changed file is not decoded.
#[track_caller]
fn reason(bytes: &[u8]) -> String {
    match image::decode(bytes) {
        Err(ImageError::Undecodable { format, reason }) => {
            assert_eq!(format, "JPEG");
            reason
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the position after the first `marker`.
fn after(bytes: &[u8], marker: u8) -> usize {
    let mut pairs = bytes.windows(2);
    pairs.position(|pair| *pair == [0xff, marker]).unwrap() + 2
}

#[test]
fn coding_processes_that_are_not_supported_are_named() {
    let baseline = fs::read(fixture("images/encoded/baseline.jpg")).unwrap();
    let frame = after(&baseline, 0xc0);
    for (marker, name) in [
        (0xc3, "lossless JPEG is"),
        (0xc5, "hierarchical JPEG is"),
        (0xc6, "hierarchical JPEG is"),
        (0xc9, "arithmetic coding is"),
        (0xca, "arithmetic coding is"),
        (0xcb, "lossless JPEG with arithmetic coding is"),
        (0xde, "hierarchical JPEG is"),
        (0xf7, "JPEG-LS is"),
    ] {
        let mut bytes = baseline.clone();
        bytes[frame - 1] = marker;
        assert_eq!(reason(&bytes), format!("{name} not supported"));
    }
    // Precision and number of components follow the length of the segment.
    for (offset, value, expected) in [
        (2, 12, "samples of 12 bits are not supported"),
        (
            7,
            2,
            "an image of 2 components, expected 1, 3 or 4, is not supported",
        ),
    ] {
        let mut bytes = baseline.clone();
        bytes[frame + offset] = value;
        assert_eq!(reason(&bytes), expected);
    }
    // Factors that do not divide the largest one, which libjpeg-turbo does not decode either.
    let mut bytes = baseline.clone();
    bytes[frame + 9] = 0x31;
    bytes[frame + 12] = 0x21;
    assert_eq!(
        reason(&bytes),
        "a component of sampling factors 2x1 beside one of 3x1 is not supported"
    );
    bytes[frame + 12] = 0x51;
    assert!(reason(&bytes).contains("a sampling factor is 5x1, expected 1 to 4"));
    let mut bytes = baseline;
    bytes[frame + 3..frame + 5].fill(0);
    assert!(reason(&bytes).contains("18x0 pixels, expected at least 1x1"));
}

#[test]
fn damaged_data_are_an_error_that_names_the_scan() {
    let restarts = fs::read(fixture("jpeg/restart-420.jpg")).unwrap();
    let mut bytes = restarts.clone();
    let second = after(&bytes, 0xd1);
    bytes[second - 1] = 0xd2;
    assert_eq!(
        reason(&bytes),
        "scan 1 is damaged: restart marker 1 is missing"
    );

    // Without the data of the last restart interval.
    let last = after(&restarts, 0xd2);
    let bytes = [&restarts[..last], b"\xff\xd9"].concat();
    assert_eq!(reason(&bytes), "scan 1 is damaged: its data end early");

    let apart = fs::read(fixture("jpeg/apart-420.jpg")).unwrap();
    // The second scan ends after its first byte; a third one follows.
    let scans: Vec<usize> = (0..apart.len() - 1)
        .filter(|&at| apart[at..].starts_with(b"\xff\xda"))
        .collect();
    assert_eq!(scans.len(), 3);
    let bytes = [&apart[..scans[1] + 11], &apart[scans[2]..]].concat();
    assert_eq!(reason(&bytes), "scan 2 is damaged: its data end early");
    // No third scan.
    let bytes = [&apart[..scans[2]], b"\xff\xd9"].concat();
    assert_eq!(reason(&bytes), "no scan contains component 3");
    // No scan.
    let bytes = [&apart[..scans[0]], b"\xff\xd9"].concat();
    assert_eq!(reason(&bytes), "the file has no image data");
}

#[test]
fn tables_that_are_missing_or_invalid_are_named() {
    let baseline = fs::read(fixture("images/encoded/baseline.jpg")).unwrap();
    for (marker, expected) in [
        (0xdb, "quantization table 0 is used, but not defined"),
        (0xc4, "DC Huffman table 0 is used, but not defined"),
    ] {
        // The segments become comments.
        let mut bytes = baseline.clone();
        while let Some(at) = bytes.windows(2).position(|pair| *pair == [0xff, marker]) {
            bytes[at + 1] = 0xfe;
        }
        assert_eq!(reason(&bytes), expected);
    }
    let table = after(&baseline, 0xc4) + 2;
    let mut bytes = baseline.clone();
    // Three codes of one bit.
    bytes[table + 1] = 3;
    let message = reason(&bytes);
    assert!(
        message.starts_with("the Huffman table segment is invalid"),
        "{message}"
    );
    let mut bytes = baseline;
    bytes[table] = 0x24;
    let message = reason(&bytes);
    assert!(message.contains("are not whole tables"), "{message}");
}
