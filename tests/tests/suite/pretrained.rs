//! Pretrained networks and the classifier.

use std::path::{Path, PathBuf};
use std::thread;

use receptive_layers::classifier::{Classifier, ClassifierError};
use receptive_layers::compile::{Options, compile, compile_outputs};
use receptive_layers::image;
use receptive_layers::metadata::Metadata;
use receptive_layers::network::NetworkConfig;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::pretrained::{Pretrained, PretrainedError, Weights};
use receptive_layers::weights::{self, FloatType, Format};
use receptive_lenet::{LeNet5, LeNet5Config, LeNet5OriginalConfig};
use receptive_resnet::{CifarResNetConfig, ResNetConfig};
use receptive_tests::devices;

/// Returns the path of a file in the workspace.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn lenet() -> Pretrained<LeNet5> {
    let file = file("cli/assets/lenet5.safetensors");
    let config = LeNet5Config::lenet5();
    config
        .pretrained(Weights::from_file(&file), &devices::flex())
        .unwrap()
}

/// The ten digits in `assets/digits`, in order.
fn digits() -> Vec<image::RgbImage> {
    let digits = 0..10;
    digits
        .map(|digit| image::open(file(&format!("assets/digits/{digit}.png"))).unwrap())
        .collect()
}

#[test]
fn plans_and_burn_devices_read_the_same_digits() {
    let options = Options {
        batch: Some(4),
        ..Options::default()
    };
    let compiled = Classifier::compile(&lenet(), &options).unwrap();
    let eager = Classifier::on_device(lenet(), devices::flex());
    assert_eq!((compiled.max_batch(), eager.max_batch()), (4, 32));
    let digits = digits();
    for classifier in [&compiled, &eager] {
        let results = classifier.classify_all(&digits).unwrap();
        for (digit, result) in results.iter().enumerate() {
            let top = &result.top(1)[0];
            assert_eq!((top.index, top.label.clone()), (digit, digit.to_string()));
            let sum: f32 = result.probabilities().iter().sum();
            assert!((sum - 1.0).abs() < 1e-5);
        }
        // The batch of ten and single images give the same result.
        assert_eq!(classifier.classify(&digits[3]).unwrap().top(1)[0].index, 3);
    }
}

#[test]
fn threads_share_a_classifier() {
    let classifier = Classifier::compile(&lenet(), &Options::default()).unwrap();
    let digits = digits();
    let expected: Vec<_> = digits
        .iter()
        .map(|digit| classifier.classify(digit).unwrap())
        .collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (digit, expected) in digits.iter().zip(&expected) {
                    assert_eq!(&classifier.classify(digit).unwrap(), expected);
                }
            });
        }
    });
}

#[test]
fn logits_come_first_wherever_the_plan_has_them() {
    let lenet = lenet();
    let outputs = ["embedding", "logits"];
    let plan = compile_outputs(
        &lenet.network,
        [1, 1, 32, 32],
        &outputs,
        &Options::default(),
    );
    let classifier =
        Classifier::from_plan(plan.unwrap(), lenet.preprocessing, lenet.labels).unwrap();
    let digit = &digits()[5];
    assert_eq!(classifier.classify(digit).unwrap().top(1)[0].label, "5");
    let results = classifier.run(&classifier.prepare(digit)).unwrap();
    let names: Vec<&str> = results.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["logits", "embedding"]);
    assert_eq!(results["embedding"].len(), 84);
}

#[test]
fn a_plan_of_another_size_or_other_labels_are_errors() {
    let lenet = lenet();
    let plan = compile(&lenet.network, [1, 1, 32, 32], &Options::default()).unwrap();
    let labels = vec!["zero".to_owned()];
    let error = Classifier::from_plan(plan.clone(), lenet.preprocessing, labels);
    let Err(ClassifierError::Labels {
        found: 1,
        classes: 10,
    }) = error.map(|_| ())
    else {
        panic!("one label for ten classes was accepted");
    };
    let error = Classifier::from_plan(plan, Preprocessing::IMAGENET, Vec::new());
    let Err(ClassifierError::Input {
        found: [1, 32, 32],
        crop: 224,
    }) = error.map(|_| ())
    else {
        panic!("a plan for 32x32 pixels was accepted with crops of 224");
    };
}

#[test]
fn weights_that_are_not_finite_are_an_error() {
    let classifier = Classifier::on_device(lenet(), devices::flex());
    let logits = [f32::NAN; 10];
    assert!(matches!(
        classifier.classification(&logits),
        Err(ClassifierError::NotFinite)
    ));
}

#[test]
fn a_head_for_other_classes_is_new_and_all_other_weights_are_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("resnet20.safetensors");
    let device = devices::flex();
    let trained = CifarResNetConfig::resnet20().init(&device);
    let labels: Vec<String> = (0..10).map(|class| format!("thing {class}")).collect();
    let stored = Metadata {
        network: Some("resnet20-cifar".to_owned()),
        labels: Some(labels.clone()),
        ..Metadata::default()
    };
    let save = |metadata: Metadata| {
        let dictionary = weights::state_dict(&trained).with_metadata(metadata);
        dictionary
            .save(&path, Format::SafeTensors, FloatType::F32)
            .unwrap();
    };
    save(stored);

    let same = CifarResNetConfig::resnet20();
    let same = same.pretrained(Weights::from_file(&path), &device).unwrap();
    assert_eq!(same.labels, labels);
    assert_eq!(same.preprocessing, Preprocessing::CIFAR_10);
    assert_eq!(same.input, [3, 32, 32]);
    let other = CifarResNetConfig::resnet20().with_classes(7);
    let other = other
        .pretrained(Weights::from_file(&path), &device)
        .unwrap();
    assert!(other.labels.is_empty());
    // Ten classes without names are not CIFAR-10's.
    save(Metadata::default());
    let unnamed = CifarResNetConfig::resnet20();
    let unnamed = unnamed.pretrained(Weights::from_file(&path), &device);
    assert!(unnamed.unwrap().labels.is_empty());

    let expected = weights::state_dict(&trained);
    for (network, classes) in [(&same.network, 10), (&other.network, 7)] {
        for (name, tensor) in weights::state_dict(network).iter() {
            let original = expected.get(name).unwrap();
            if name.starts_with("fc.") && classes == 7 {
                assert_eq!(tensor.shape()[0], 7);
            } else {
                assert_eq!(tensor.data().unwrap(), original.data().unwrap(), "{name}");
            }
        }
    }
}

#[test]
fn errors_name_the_cause() {
    let device = devices::flex();
    let error = |result: Result<(), PretrainedError>| result.unwrap_err().to_string();

    let unpublished = LeNet5OriginalConfig::lenet5_1998().pretrained(Weights::Default, &device);
    assert!(error(unpublished.map(|_| ())).contains("no weights are published"));
    let tag = ResNetConfig::resnet50().pretrained(Weights::Tag("V7"), &device);
    let message = error(tag.map(|_| ()));
    assert!(
        message.contains("\"V7\"") && message.contains("IMAGENET1K_V1"),
        "{message}"
    );
    let classes = ResNetConfig::resnet50()
        .with_classes(0)
        .pretrained(Weights::Default, &device);
    assert!(error(classes.map(|_| ())).contains("classes is 0"));
    let missing = ResNetConfig::resnet50().pretrained(Weights::from_file("none.pth"), &device);
    assert!(error(missing.map(|_| ())).contains("none.pth"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named.safetensors");
    let stored = |metadata: Metadata| {
        let dictionary = weights::state_dict(&lenet().network).with_metadata(metadata);
        dictionary
            .save(&path, Format::SafeTensors, FloatType::F32)
            .unwrap();
        let lenet = LeNet5Config::lenet5().pretrained(Weights::from_file(&path), &device);
        error(lenet.map(|_| ()))
    };
    let message = stored(Metadata {
        labels: Some(vec!["zero".to_owned(); 9]),
        ..Metadata::default()
    });
    assert!(
        message.contains("named.safetensors: 9, expected 10"),
        "{message}"
    );
    let message = stored(Metadata {
        preprocessing: Some(Preprocessing::IMAGENET),
        ..Metadata::default()
    });
    assert!(message.contains("[1, 1, 224, 224]"), "{message}");
    let file = file("cli/assets/lenet5.safetensors");
    let other = ResNetConfig::resnet18().pretrained(Weights::from_file(&file), &device);
    let message = error(other.map(|_| ()));
    assert!(
        message.contains("lenet5.safetensors contains weights of lenet5, expected resnet18"),
        "{message}"
    );
}

#[test]
fn a_configuration_finds_its_published_variant() {
    let config = ResNetConfig::resnet101().with_classes(5);
    assert_eq!(config.variant().unwrap().name, "resnet101");
    assert_eq!(
        ResNetConfig::resnet50_v1().variant().unwrap().name,
        "resnet50-v1"
    );
    let own = ResNetConfig {
        blocks: [1, 1, 1, 1],
        ..ResNetConfig::resnet18()
    };
    assert!(own.variant().is_none());
}
