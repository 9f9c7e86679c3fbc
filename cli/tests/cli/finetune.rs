//! Fine-tuning of pretrained weights on three new classes.

use std::fs;
use std::path::Path;
use std::time::Instant;

use receptive_train::augment::{ColorJitter, RandomResizedCrop, Transform};
use receptive_train::{Image, Purpose, stream};

use crate::{error_line, output, photo, tensors, text, training_lock};

/// Writes a dataset of random crops, one class per photo. Training crops come from the left three
/// fifths of a photo, validation crops from the rest: the two share no pixel.
fn write_crops(folder: &Path) {
    let transforms = [
        Transform::RandomResizedCrop(RandomResizedCrop {
            size: 160,
            area: [0.3, 1.0],
            ratio: [0.75, 1.5],
            interpolation: receptive_layers::preprocessing::Interpolation::Bilinear,
        }),
        Transform::ColorJitter(ColorJitter {
            brightness: 0.3,
            contrast: 0.3,
            saturation: 0.3,
            hue: 0.03,
        }),
    ];
    for (number, name) in ["chelsea.png", "coffee.png", "rocket.jpg"]
        .into_iter()
        .enumerate()
    {
        let whole = Image::from(receptive_layers::image::open(photo(name)).expect("a photo"));
        let cut = whole.width * 3 / 5;
        let class = name.split('.').next().expect("a name");
        for (split, left, width, count) in [
            ("train", 0, cut, 16),
            ("val", cut as isize, whole.width - cut, 16),
        ] {
            let part = whole.crop(left, 0, width, whole.height);
            let folder = folder.join(split).join(class);
            fs::create_dir_all(&folder).expect("made");
            for image in 0..count {
                let mut random = stream(number as u64, Purpose::Augmentation, [left as u64, image]);
                let crop = transforms
                    .iter()
                    .fold(part.clone(), |crop, step| step.apply(crop, &mut random));
                let crop = image::RgbImage::from_raw(160, 160, crop.samples).expect("pixels");
                crop.save(folder.join(format!("{image:02}.png")))
                    .expect("written");
            }
        }
    }
}

#[test]
fn mobilenet_v2_learns_three_classes_within_two_minutes() {
    let _lock = training_lock();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write_crops(&data);
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mobilenet_v2-f16.safetensors");
    let run = folder.path().join("run");
    let started = Instant::now();
    let printed = output(&[
        "train",
        "mobilenet-v2",
        "--data",
        text(&data),
        "--output",
        text(&run),
        "--from",
        text(&weights),
        "--classes",
        "3",
        "--freeze",
        "bottleneck5",
        "--set",
        "epochs=2",
        "--set",
        "batch=8",
    ]);
    println!("{:.1} s\n{printed}", started.elapsed().as_secs_f64());
    let model = run.join("model.safetensors");
    let report = output(&[
        "eval",
        "mobilenet-v2",
        "--weights",
        text(&model),
        "--data",
        text(&data),
        "--json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["count"], 48);
    assert!(
        report["top1"].as_f64().expect("a number") > 0.95,
        "{report}"
    );
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

#[test]
fn the_last_layer_alone_is_fitted_to_embeddings_in_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write_crops(&data);
    fs::write(data.join("train/coffee/damaged.png"), "no image").expect("written");
    let run = folder.path().join("run");
    let train = [
        "train",
        "mobilenet-v2",
        "--data",
        text(&data),
        "--freeze",
        "all",
    ];
    let train = [&train[..], &["--output", text(&run)]].concat();
    // A damaged image is named, and nothing is written.
    let error = error_line(&train);
    assert!(error.contains("damaged.png"), "{error}");
    let weights = run.join("model.safetensors");
    assert!(!weights.exists());
    let printed = output(&[&train[..], &["--skip-bad"]].concat());
    let accuracy = printed
        .strip_prefix("mobilenet-v2: ")
        .and_then(|line| line.split_once(" % of 48 validation images, weights in "))
        .expect(&printed)
        .0;
    assert!(
        accuracy.parse::<f64>().expect("a number") > 90.0,
        "{printed}"
    );

    // `eval` agrees, and `classify` uses the names of the classes.
    let arguments = [
        "eval",
        "mobilenet-v2",
        "--weights",
        text(&weights),
        "--data",
        text(&data),
    ];
    let evaluated = output(&arguments);
    assert!(
        evaluated.starts_with(&format!("48 images: top-1 {accuracy} %")),
        "{evaluated}"
    );
    let coffee = photo("coffee.png");
    let classified = output(&["classify", text(&coffee), "--weights", text(&weights)]);
    assert!(
        classified
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains("coffee")),
        "{classified}"
    );

    let error = error_line(&train);
    assert!(error.contains("already contains weights"), "{error}");
    let error = error_line(&[&train[..], &["--set", "epochs=2"]].concat());
    assert!(error.contains("--set has no effect"), "{error}");
    let error = error_line(&["train", "lenet5-1998", "--freeze", "all"]);
    assert!(
        error.contains("lenet5-1998 has no head that can be replaced"),
        "{error}"
    );
}

/// The features of the head are those of `embed`, so that `probe` writes the same head.
#[test]
fn probe_and_train_fit_the_same_head() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write_crops(&data);
    let (run, vectors, probed) = (
        folder.path().join("run"),
        folder.path().join("vectors.npy"),
        folder.path().join("probed.safetensors"),
    );
    let freeze = ["--freeze", "all", "--output", text(&run)];
    output(
        &[
            &["train", "mobilenet-v2", "--data", text(&data)],
            &freeze[..],
        ]
        .concat(),
    );
    output(&[
        "embed",
        text(&data.join("train")),
        "--output",
        text(&vectors),
    ]);
    output(&[
        "probe",
        text(&vectors),
        "--by-folder",
        "--output",
        text(&probed),
    ]);
    assert_eq!(tensors(&run.join("model.safetensors")), tensors(&probed));
}
