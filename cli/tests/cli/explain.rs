//! Tests of `explain` and of `classify --explain`.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use npyz::NpyFile;
use receptive_layers::image;
use receptive_layers::weights::{FloatType, Format, StateDict};
use serde_json::Value;

use crate::{error_line, json, lenet, output, photo, receptive, text};

/// Returns the JSON report of `explain` with these arguments.
fn explained(arguments: &[&str]) -> Value {
    json(&output(&[&["explain", "--json"], arguments].concat()))
}

/// Path of a light digit on a dark background.
fn digit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/digits/7.png")
}

fn values(report: &Value) -> Vec<f64> {
    let values = report["values"].as_array().expect("a list");
    values
        .iter()
        .map(|value| value.as_f64().expect("a number"))
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn a_class_activation_map_has_the_score_as_its_mean_and_is_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let (picture, map) = (folder.path().join("why.png"), folder.path().join("why.npy"));
    let coffee = photo("coffee.png");
    let report = explained(&[text(&coffee), "-o", text(&picture), "--map", text(&map)]);
    assert_eq!(report["method"], "cam");
    assert_eq!(report["stage"], "last");
    assert_eq!(report["class"]["label"], "espresso");
    let values = values(&report);
    assert_eq!(values.len(), 49);
    // The bias of the class is small.
    let score = report["score"].as_f64().expect("a number");
    assert!((mean(&values) - score).abs() < 0.1, "{score}");

    let file = NpyFile::new(fs::File::open(&map).expect("opened")).expect("an array");
    assert_eq!(file.shape(), [7, 7]);
    let written: Vec<f32> = file.into_vec().expect("values");
    assert!(
        written
            .iter()
            .zip(&values)
            .all(|(&a, &b)| (f64::from(a) - b).abs() < 1e-4)
    );

    let picture = image::open(&picture).expect("a picture");
    assert_eq!(picture.dimensions(), (600, 400));
    // The espresso is bright, the table outside the crop dark.
    let brightness = |x, y| {
        picture
            .get_pixel(x, y)
            .0
            .iter()
            .map(|&v| u32::from(v))
            .sum::<u32>()
    };
    assert!(brightness(300, 150) > 400);
    assert!(brightness(10, 350) < 200);
}

#[test]
fn a_class_is_chosen_by_its_number_or_its_label() {
    let cat = photo("chelsea.png");
    let by_number = explained(&[text(&cat), "--class", "282"]);
    let by_label = explained(&[text(&cat), "--class", "tiger cat"]);
    assert_eq!(by_number, by_label);
    assert_eq!(by_number["class"]["index"], 282);
}

#[test]
fn occlusion_covers_what_the_class_is() {
    let coffee = photo("coffee.png");
    let arguments = [text(&coffee), "--method", "occlusion", "--places", "3"];
    let report = explained(&arguments);
    assert_eq!(
        (&report["rows"], &report["columns"]),
        (&3.into(), &3.into())
    );
    let values = values(&report);
    // The cup is in the upper half.
    assert!(
        values[..6].iter().copied().fold(0.0, f64::max) > values[8] + 1.0,
        "{values:?}"
    );
    // Results do not depend on the number of threads.
    assert_eq!(
        explained(&[&arguments[..], &["--threads", "1"]].concat()),
        report
    );
    // A window over the whole image leaves nothing to see.
    let all = explained(&[&arguments[..3], &["--places", "1"]].concat());
    let grey = explained(&[&arguments[..3], &["--places", "2", "--window", "9999"]].concat());
    let all = all["values"][0].as_f64().expect("a number");
    assert!(
        grey["values"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|v| { (v.as_f64().expect("a number") - all).abs() < 1e-3 })
    );
}

#[cfg(feature = "train")]
#[test]
fn gradients_explain_networks_without_global_mean() {
    let seven = digit();
    let report = explained(&["--model", "lenet5", text(&seven)]);
    assert_eq!(report["method"], "grad-cam");
    assert_eq!(
        (&report["stage"], &report["rows"]),
        (&"s4".into(), &5.into())
    );
    assert_eq!(
        (&report["class"]["label"], &report["inverted"]),
        (&"7".into(), &false.into())
    );
    let map = values(&report);
    assert!(map.iter().all(|&value| value >= 0.0) && map.iter().any(|&value| value > 0.0));

    let method = ["--method", "integrated-gradients", "--steps", "200"];
    let report = explained(&[&["--model", "lenet5", text(&seven)], &method[..]].concat());
    let difference = report["score"].as_f64().expect("a number")
        - report["baseline_score"].as_f64().expect("a number");
    let sum: f64 = values(&report).iter().sum();
    assert!(
        (sum - difference).abs() < 0.01 * difference.abs(),
        "{sum}, {difference}"
    );
}

#[test]
fn the_text_has_the_class_the_peak_and_a_table() {
    let found = output(&["explain", text(&photo("coffee.png"))]);
    assert!(found.contains("  class   967 espresso, "), "{found}");
    assert!(
        found.contains("class activation map of the stage last, 7 x 7 places"),
        "{found}"
    );
    assert_eq!(found.lines().count(), 5 + 7);
}

#[test]
fn every_classified_image_gets_a_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = folder.path().join("photos");
    fs::create_dir_all(photos.join("deeper")).expect("made");
    for name in ["coffee.png", "deeper/rocket.jpg"] {
        let from = photo(
            Path::new(name)
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name"),
        );
        fs::copy(from, photos.join(name)).expect("copied");
    }
    fs::write(photos.join("damaged.png"), "no image").expect("written");
    let rows = |explain: &[&str]| {
        let arguments = ["classify", "photos", "--format", "csv"];
        let mut command = receptive(&[&arguments, explain].concat());
        let done = command.current_dir(folder.path()).assert().code(1);
        String::from_utf8(done.get_output().stdout.clone()).expect("text")
    };
    let why = folder.path().join("why");
    let explained = rows(&["--explain", "why"]);
    let probability = |rows: &str| -> Vec<String> {
        rows.lines()
            .map(|row| row.split(',').take(3).collect::<Vec<_>>().join(","))
            .collect()
    };
    assert_eq!(probability(&explained), probability(&rows(&[])));
    for (name, size) in [
        ("coffee.png", (512, 341)),
        ("deeper/rocket.jpg", (512, 342)),
    ] {
        let picture = why.join(format!("photos/{name}.explained.png"));
        let picture = image::open(picture).expect("a picture");
        let (width, height) = picture.dimensions();
        assert!(
            width == size.0 && height.abs_diff(size.1) <= 1,
            "{width} x {height}"
        );
    }
    assert!(!why.join("photos/damaged.png.explained.png").exists());

    // A folder that cannot be made, or that is among the images, is an error before the run.
    fs::remove_dir_all(&why).expect("removed");
    fs::write(&why, "a file").expect("written");
    let error_of = |arguments: &[&str]| {
        let mut command = receptive(arguments);
        let done = command.current_dir(folder.path()).assert().code(2);
        String::from_utf8_lossy(&done.get_output().stderr).into_owned()
    };
    let classify = ["classify", "photos/coffee.png", "--output", "rows.csv"];
    let error = error_of(&[&classify[..], &["--explain", "why"]].concat());
    assert!(error.contains("cannot create the folder why"), "{error}");
    let error = error_of(&["classify", "photos", "--explain", "photos/why"]);
    assert!(error.contains("choose a folder outside photos"), "{error}");
    // A picture that cannot be written ends the run, which can be continued.
    fs::remove_file(&why).expect("removed");
    fs::create_dir_all(&why).expect("made");
    fs::write(why.join("photos"), "a file").expect("written");
    let error = error_of(&[&classify[..], &["--explain", "why"]].concat());
    assert!(
        error.contains("photos/coffee.png: cannot create the folder"),
        "{error}"
    );
    assert!(!folder.path().join("rows.csv").exists());
    fs::remove_file(why.join("photos")).expect("removed");
    let resume = [&classify[..], &["--explain", "why", "--resume"]].concat();
    receptive(&resume)
        .current_dir(folder.path())
        .assert()
        .success();
    assert!(why.join("photos/coffee.png.explained.png").exists());
}

/// Pictures of a batch, with Grad-CAM on several threads, are those of single images.
#[cfg(feature = "train")]
#[test]
fn pictures_of_a_batch_are_those_of_single_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/digits");
    let names: Vec<String> = (0..10).map(|digit| format!("{digit}.png")).collect();
    let paths: Vec<PathBuf> = names.iter().map(|name| digits.join(name)).collect();
    let why = folder.path().join("why");
    let classify = ["classify", "--model", "lenet5", "--explain", text(&why)];
    let images = paths.iter().map(|path| text(path));
    output(&classify.into_iter().chain(images).collect::<Vec<_>>());
    let single = folder.path().join("single.png");
    let mut different = 0;
    for path in &paths {
        explained(&["--model", "lenet5", text(path), "-o", text(&single)]);
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        // The path is absolute, so the picture's name has a number.
        let parent = why.join(
            path.strip_prefix("/")
                .expect("absolute")
                .parent()
                .expect("one"),
        );
        let parent = PathBuf::from(text(&parent).replace("cli/../", "cli/"));
        let picture = fs::read_dir(&parent)
            .expect("a folder")
            .map(|entry| entry.expect("one").path());
        let mut picture = picture.filter(|path| text(path).contains(&format!("/{name}.")));
        let picture = image::open(picture.next().expect("a picture")).expect("a picture");
        let single = image::open(&single).expect("a picture");
        assert_eq!(picture.dimensions(), single.dimensions());
        let pairs = picture.iter().zip(single.iter());
        // The last digits of a batch of eight differ.
        different += pairs.filter(|&(&a, &b)| a.abs_diff(b) > 1).count();
    }
    assert_eq!(different, 0);
}

#[test]
fn what_cannot_be_explained_is_named() {
    let coffee = photo("coffee.png");
    let coffee = text(&coffee);
    let error = |arguments: &[&str]| error_line(&[&["explain"], arguments].concat());
    assert!(
        error(&[coffee, "--class", "1000"])
            .contains("no class has the label or the number \"1000\"; the numbers are 0 to 999")
    );
    assert!(error(&[coffee, "--class", "unicorn"]).contains("\"unicorn\""));
    assert!(error(&[coffee, "-o", "why.jpg"]).contains("why.jpg must be a PNG file"));
    assert!(error(&[coffee, "-o", coffee]).contains("is an input"));
    assert!(error(&[coffee, "--places", "0"]).contains("at least 1"));
    assert!(
        error(&[coffee, "--places", "9"]).contains("--places is an option of --method occlusion")
    );
    assert!(error(&[coffee, "-o", "why.png", "--map", "why.png"]).contains("choose two files"));
    let many = error(&[coffee, "--method", "occlusion", "--places", "225"]);
    assert!(
        many.contains("--places 225, expected at most 224"),
        "{many}"
    );
    let folder = error(&[env!("CARGO_MANIFEST_DIR")]);
    assert!(
        folder.contains("is a folder, expected an image"),
        "{folder}"
    );
    assert!(error(&["no.png"]).contains("no.png"));
    let seven = digit();
    let found = error(&["--model", "lenet5", text(&seven), "--method", "cam"]);
    assert!(
        found.contains("lenet5 has no class activation maps"),
        "{found}"
    );

    let folder = tempfile::tempdir().expect("a folder");
    let labels = folder.path().join("labels.txt");
    fs::write(&labels, "a\na\nb\nc\nd\ne\nf\ng\nh\ni\n").expect("written");
    let by_label = ["--model", "lenet5", text(&seven), "--labels", text(&labels)];
    let found = error(&[&by_label[..], &["--class", "a"]].concat());
    assert!(
        found.contains("the classes 0, 1 have the label \"a\""),
        "{found}"
    );
    let plan = folder.path().join("lenet5.plan");
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lenet5.safetensors");
    let arguments = ["compile", "lenet5", "--weights", weights, "-o", text(&plan)];
    receptive(&arguments).assert().success();
    let by_plan = ["--model", "lenet5", text(&seven), "--weights", text(&plan)];
    let found = error(&by_plan);
    assert!(found.contains("is a compiled plan"), "{found}");
    receptive(&[&["explain"], &by_plan[..], &["--method", "occlusion"]].concat())
        .assert()
        .success();
    let found = error_line(&["classify", coffee, "--explain", "why", "--engine", "eager"]);
    assert!(
        found.contains("--explain needs the compiled engine"),
        "{found}"
    );
}

#[test]
fn outputs_do_not_replace_weights_and_labels() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, lenet) = lenet(folder.path(), 10);
    let weights = folder.path().join("weights.csv");
    fs::rename(lenet, &weights).expect("renamed");
    let before = fs::read(&weights).expect("bytes");
    let seven = digit();
    let (weights, seven) = (text(&weights), text(&seven));
    for arguments in [
        ["explain", seven, "--weights", weights, "--map", weights],
        ["explain", seven, "--labels", weights, "--map", weights],
        ["classify", seven, "--weights", weights, "--output", weights],
        ["embed", seven, "--weights", weights, "--output", weights],
    ] {
        let error = error_line(&arguments);
        assert!(error.contains("weights.csv is an input"), "{error}");
    }
    assert_eq!(fs::read(weights).expect("bytes"), before);
}

#[test]
fn damaged_weights_are_not_called_another_architecture() {
    let folder = tempfile::tempdir().expect("a folder");
    let weights = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/mobilenet_v2-f16.safetensors"
    );
    let mut tensors = StateDict::open(weights).expect("weights");
    let bias = TensorData::new(vec![f32::NAN; 1000], [1000]);
    tensors.insert("classifier.1.bias", bias);
    let damaged = folder.path().join("damaged.safetensors");
    let saved = tensors.save(&damaged, Format::SafeTensors, FloatType::F32);
    saved.expect("written");
    let coffee = photo("coffee.png");
    let arguments = ["explain", text(&coffee), "--weights", text(&damaged)];
    let error = error_line(&[&arguments[..], &["--method", "cam"]].concat());
    assert!(error.contains("infinite values or NaN"), "{error}");
}
