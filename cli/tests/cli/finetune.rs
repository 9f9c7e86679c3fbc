//! Fine-tuning of pretrained weights on three new classes.

use std::fs;
use std::path::Path;
use std::time::Instant;

use receptive_train::augment::{ColorJitter, RandomResizedCrop, Transform};
use receptive_train::{Image, Purpose, stream};

use crate::{output, photo, text, training_lock};

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
