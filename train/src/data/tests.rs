//! Valid dataset folders are read; errors name the file or folder that is invalid.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use receptive_layers::image::RgbImage;
use tempfile::TempDir;

use super::*;
use crate::image::Image;

const HOLDOUT: Holdout = Holdout {
    fraction: 0.25,
    seed: 1,
};

/// Temporary dataset folder.
struct TempDataset(TempDir);

impl TempDataset {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Writes a file and creates its parent folders.
    fn write_file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(&path, bytes).expect("written");
        path
    }

    fn write_image(&self, name: &str, grey: u8) {
        let path = self.write_file(name, b"");
        RgbImage::from_pixel(4, 3, [grey; 3].into())
            .save(path)
            .expect("written");
    }

    fn open(&self) -> Result<DataSplits, DataError> {
        DataSplits::open(self.0.path(), HOLDOUT)
    }

    /// Returns the error message of [`open`](Self::open): one line with `expected` and the path of
    /// the folder.
    fn error_message(&self, expected: &str) -> String {
        let message = self.open().err().expect("an error").to_string();
        assert!(message.contains(expected), "{message}");
        assert!(
            message.contains(&self.0.path().display().to_string()),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1);
        message
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = (0x0800 + dimensions.len() as u32).to_be_bytes().to_vec();
    dimensions
        .iter()
        .for_each(|e| bytes.extend(e.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// Returns a folder with the four files of MNIST: two training images and one test image.
fn digits() -> TempDataset {
    let folder = TempDataset::new();
    let images: Vec<u8> = (0..12).collect();
    folder.write_file("train-images-idx3-ubyte", &idx(&[2, 2, 3], &images));
    folder.write_file("train-labels-idx1-ubyte", &idx(&[2], &[7, 3]));
    let test = gzipped(&idx(&[1, 2, 3], &images[6..]));
    folder.write_file("t10k-images-idx3-ubyte.gz", &test);
    folder.write_file("t10k-labels-idx1-ubyte.gz", &gzipped(&idx(&[1], &[9])));
    folder
}

#[test]
fn idx_folders_are_read_plain_and_gzipped() {
    let data = digits().open().expect("a valid dataset");
    assert_eq!((data.train.len(), data.validation.len()), (2, 1));
    assert_eq!((data.train.label(0), data.validation.label(0)), (7, 9));
    let image = data.train.image(1).expect("a image");
    assert_eq!((image.width, image.height, image.channels), (3, 2, 1));
    assert_eq!(image, data.validation.image(0).expect("a image"));
    assert_eq!(data.classes.len(), 10);
}

#[test]
fn invalid_idx_folders_are_errors() {
    let folder = digits();
    fs::remove_file(folder.0.path().join("train-labels-idx1-ubyte")).expect("removed");
    folder.error_message("has no train-labels-idx1-ubyte: expected train-images-idx3-ubyte and");
    for (name, bytes, expected) in [
        ("train-images-idx3-ubyte", &b"PNG"[..], "too short"),
        (
            "train-images-idx3-ubyte",
            &idx(&[2, 2, 3], &[0; 11]),
            "11 values",
        ),
        (
            "train-images-idx3-ubyte",
            &idx(&[12], &[0; 12]),
            "0x00000803",
        ),
        (
            "train-images-idx3-ubyte",
            &idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 12]),
            "12 values",
        ),
        ("train-images-idx3-ubyte", &idx(&[0, 2, 3], &[]), "0 images"),
        (
            "train-labels-idx1-ubyte",
            &idx(&[3], &[0; 3]),
            "3 labels, expected 2",
        ),
        (
            "train-labels-idx1-ubyte",
            &idx(&[2], &[0, 10]),
            "image 1 has the label 10, expected 0 to 9",
        ),
        (
            "train-labels-idx1-ubyte",
            &[0x1f, 0x8b, 8, 0],
            "decompressed",
        ),
    ] {
        let folder = digits();
        folder.write_file(name, bytes);
        let message = folder.error_message(expected);
        assert!(message.contains(name), "{message}");
    }
}

/// Returns the CIFAR record of an image of one colour.
fn record(labels: &[u8], colour: [u8; 3]) -> Vec<u8> {
    let planes = colour.iter().flat_map(|&value| [value; 32 * 32]);
    labels.iter().copied().chain(planes).collect()
}

fn cifar_10() -> TempDataset {
    let folder = TempDataset::new();
    for number in 1..=5 {
        let image = record(&[number], [number, 20, 30]);
        folder.write_file(&format!("data_batch_{number}.bin"), &image);
    }
    folder.write_file("test_batch.bin", &record(&[9], [1, 2, 3]));
    folder
}

#[test]
fn cifar_folders_are_read() {
    let data = cifar_10().open().expect("a valid dataset");
    assert_eq!((data.train.len(), data.validation.len()), (5, 1));
    assert_eq!(data.train.label(3), 4);
    let image = data.train.image(3).expect("a image");
    assert_eq!((image.width, image.height), (32, 32));
    assert_eq!(image.pixel(31, 31), [4, 20, 30]);
    assert_eq!(data.classes[9], "truck");

    let folder = TempDataset::new();
    folder.write_file("train.bin", &record(&[3, 77], [5, 6, 7]));
    folder.write_file("test.bin", &record(&[19, 99], [5, 6, 7]));
    let data = folder.open().expect("a valid dataset");
    assert_eq!((data.train.label(0), data.validation.label(0)), (77, 99));
    assert_eq!(data.classes.len(), 100);
}

#[test]
fn invalid_cifar_folders_are_errors() {
    let folder = cifar_10();
    fs::remove_file(folder.0.path().join("data_batch_4.bin")).expect("removed");
    folder.error_message("has no data_batch_4.bin: expected data_batch_1.bin, data_batch_2.bin");
    for (bytes, expected) in [
        (&b""[..], "0 bytes"),
        (&[0; 3072], "multiple of 3073"),
        (&record(&[10], [0; 3]), "label 10, expected 0 to 9"),
    ] {
        let folder = cifar_10();
        folder.write_file("data_batch_2.bin", bytes);
        assert!(folder.error_message(expected).contains("data_batch_2.bin"));
    }
}

fn folders() -> TempDataset {
    let folder = TempDataset::new();
    for (class, count) in [("cat", 8), ("dog", 4)] {
        for image in 0..count {
            folder.write_image(&format!("{class}/{image}.png"), 10 * image);
        }
    }
    folder.write_file("cat/notes.txt", b"not an image");
    folder.write_file(".hidden/1.png", b"");
    folder
}

#[test]
fn a_fraction_of_each_class_is_held_out() {
    let data = folders().open().expect("a valid dataset");
    assert_eq!(data.classes, ["cat", "dog"]);
    let classes = |dataset: &dyn Dataset| -> Vec<usize> {
        (0..dataset.len()).map(|i| dataset.label(i)).collect()
    };
    assert_eq!(classes(&*data.train), [0, 0, 0, 0, 0, 0, 1, 1, 1]);
    assert_eq!(classes(&*data.validation), [0, 0, 1]);
}

#[test]
fn the_seed_determines_the_held_out_images() {
    let folder = folders();
    let held_out = |seed| -> Vec<Image> {
        let data = DataSplits::open(folder.0.path(), Holdout { seed, ..HOLDOUT })
            .expect("a valid dataset");
        (0..data.validation.len())
            .map(|i| data.validation.image(i).expect("a image"))
            .collect()
    };
    assert_eq!(held_out(1), held_out(1));
    assert!((2..10).any(|seed| held_out(seed) != held_out(1)));
}

#[test]
fn train_and_val_folders_are_not_split_again() {
    let folder = TempDataset::new();
    for name in ["train/a/1.png", "train/a/2.png", "train/b/1.png"] {
        folder.write_image(name, 1);
    }
    folder.write_image("val/a/9.png", 2);
    folder.write_image("val/b/9.png", 3);
    let data = folder.open().expect("a valid dataset");
    assert_eq!((data.train.len(), data.validation.len()), (3, 2));
    let image = data.validation.image(1).expect("a image");
    assert_eq!(image, Image::filled(4, 3, &[3; 3]));
    folder.write_image("val/c/9.png", 3);
    assert!(folder.error_message("\"c\"").contains("differ"));
}

#[test]
fn invalid_image_folders_are_errors() {
    let missing = DataSplits::open(Path::new("no-such-folder"), HOLDOUT);
    let message = missing.err().expect("an error").to_string();
    assert!(message.contains("cannot read no-such-folder"), "{message}");

    TempDataset::new().error_message("holds no dataset");
    let folder = folders();
    fs::create_dir(folder.0.path().join("bird")).expect("made");
    assert!(folder.error_message("holds no images").contains("bird"));
    let folder = folders();
    fs::remove_dir_all(folder.0.path().join("dog")).expect("removed");
    assert!(folder.error_message("only one class").contains("\"cat\""));
    let folder = folders();
    folder.write_image("bird/1.png", 1);
    assert!(folder.error_message("has 1 image").contains("bird"));
}

#[test]
fn evaluation_needs_only_the_evaluated_part() {
    let evaluated = |folder: &TempDataset| {
        let data = DataSplits::open_for_evaluation(folder.0.path())
            .unwrap_or_else(|error| panic!("{error}"));
        let labels: Vec<usize> = (0..data.images.len())
            .map(|index| data.images.label(index))
            .collect();
        (data.classes, labels)
    };

    let folder = digits();
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        fs::remove_file(folder.0.path().join(name)).expect("removed");
    }
    let (classes, labels) = evaluated(&folder);
    assert_eq!((classes.len(), labels), (10, vec![9]));
    folder.error_message("has no train-images-idx3-ubyte");

    let folder = TempDataset::new();
    folder.write_file("test_batch.bin", &record(&[9], [1, 2, 3]));
    let (classes, labels) = evaluated(&folder);
    assert_eq!((classes[9].as_str(), labels), ("truck", vec![9]));
    folder.error_message("has no data_batch_1.bin");

    let folder = TempDataset::new();
    folder.write_file("test.bin", &record(&[19, 99], [5, 6, 7]));
    let (classes, labels) = evaluated(&folder);
    assert_eq!((classes.len(), labels), (100, vec![99]));

    // One image of a class cannot be split, but it can be evaluated.
    let folder = TempDataset::new();
    folder.write_image("cat/1.png", 1);
    folder.write_image("dog/1.png", 1);
    folder.write_image("dog/2.png", 1);
    let expected = (vec!["cat".to_owned(), "dog".to_owned()], vec![0, 1, 1]);
    assert_eq!(evaluated(&folder), expected);

    // Sub-folders of a class are walked, and hidden files are left out.
    folder.write_image("cat/deep/2.png", 1);
    folder.write_file("cat/._2.png", b"");
    let expected = (vec!["cat".to_owned(), "dog".to_owned()], vec![0, 0, 1, 1]);
    assert_eq!(evaluated(&folder), expected);
    let data = DataSplits::open_for_evaluation(folder.0.path()).expect("opened");
    assert_eq!(data.left_out.hidden, 1);

    for name in ["val", "test"] {
        let folder = TempDataset::new();
        folder.write_image(&format!("{name}/cat/1.png"), 1);
        folder.write_image(&format!("{name}/dog/1.png"), 1);
        let expected = (vec!["cat".to_owned(), "dog".to_owned()], vec![0, 1]);
        assert_eq!(evaluated(&folder), expected);
        folder.error_message(&format!(
            "has no train: expected the folders train and {name}"
        ));
    }

    // Folders that hold images are classes, whatever their names.
    let folder = TempDataset::new();
    folder.write_image("test/1.png", 1);
    folder.write_image("other/1.png", 1);
    let expected = (vec!["other".to_owned(), "test".to_owned()], vec![0, 1]);
    assert_eq!(evaluated(&folder), expected);
}

#[test]
fn a_missing_evaluated_part_is_named() {
    let error = |folder: &TempDataset| {
        let opened = DataSplits::open_for_evaluation(folder.0.path());
        opened.err().expect("an error").to_string()
    };
    let folder = digits();
    fs::remove_file(folder.0.path().join("t10k-labels-idx1-ubyte.gz")).expect("removed");
    let message = error(&folder);
    assert!(
        message.contains("has no t10k-labels-idx1-ubyte: expected t10k-images-idx3-ubyte and"),
        "{message}"
    );
    let folder = cifar_10();
    fs::remove_file(folder.0.path().join("test_batch.bin")).expect("removed");
    let message = error(&folder);
    assert!(
        message.contains("has no test_batch.bin: expected test_batch.bin"),
        "{message}"
    );
    let message = error(&TempDataset::new());
    assert!(message.contains("holds no dataset"), "{message}");
}

#[test]
fn an_undecodable_image_is_named_when_it_is_read() {
    let folder = folders();
    folder.write_file("cat/0.png", b"no pixels at all");
    let data = folder.open().expect("listed");
    let train = (0..data.train.len()).map(|i| data.train.image(i));
    let validation = (0..data.validation.len()).map(|i| data.validation.image(i));
    let errors: Vec<String> = train
        .chain(validation)
        .filter_map(|image| image.err().map(|error| error.to_string()))
        .collect();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].contains("cat/0.png is not an image"),
        "{errors:?}"
    );
}
