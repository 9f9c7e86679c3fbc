//! Writing of files and reading of written files.

use std::fs;
use std::path::Path;

use burn::tensor::{DType, TensorData, bf16, f16};
use proptest::prelude::*;

use super::torch::TorchFile;
use super::{FLOAT_TYPES, FORMATS, sample};
use crate::metadata::Metadata;
use crate::preprocessing::Preprocessing;
use crate::weights::file::detect_format;
use crate::weights::{FloatType, Format, StateDict, WeightsError};

fn values(dictionary: &StateDict) -> Vec<(String, TensorData)> {
    dictionary
        .iter()
        .map(|(name, tensor)| (name.to_owned(), tensor.data().expect("readable")))
        .collect()
}

/// Returns a value after conversion to `float_type` and back.
fn rounded(value: f32, float_type: FloatType) -> f32 {
    match float_type {
        FloatType::F32 => value,
        FloatType::F16 => f16::from_f32(value).to_f32(),
        FloatType::BF16 => bf16::from_f32(value).to_f32(),
    }
}

fn tensor() -> impl Strategy<Value = TensorData> {
    // The range of half precision, with its subnormal values.
    let value = prop_oneof![-65_504.0_f32..65_504.0, -1e-4_f32..1e-4, Just(-0.0)];
    prop::collection::vec(0_usize..5, 0..5).prop_flat_map(move |shape| {
        let len = shape.iter().product::<usize>();
        prop_oneof![
            3 => prop::collection::vec(value.clone(), len)
                .prop_map({
                    let shape = shape.clone();
                    move |values| TensorData::new(values, shape.clone())
                }),
            1 => prop::collection::vec(any::<i64>(), len)
                .prop_map(move |values| TensorData::new(values, shape.clone())),
        ]
    })
}

fn dictionary() -> impl Strategy<Value = StateDict> {
    let name = "[a-z]{1,8}(\\.[a-z0-9]{1,4}){0,3}";
    prop::collection::btree_map(name, tensor(), 1..6)
        .prop_map(|tensors| tensors.into_iter().collect())
}

#[test]
fn every_format_stores_the_metadata() {
    let metadata = Metadata {
        network: Some("resnet20-cifar".to_owned()),
        labels: Some(vec!["a b".to_owned(), "\u{732b}\"\n".to_owned()]),
        preprocessing: Some(Preprocessing::CIFAR_10),
        input: Some([3, 32, 32]),
        recipe_sha256: Some("0".repeat(64)),
        version: Some("0.1.0".to_owned()),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    for format in FORMATS {
        for written in [metadata.clone(), Metadata::default()] {
            let weights = sample().with_metadata(written.clone());
            let save = || {
                weights
                    .save(&path, format, FloatType::F32)
                    .expect("written")
            };
            save();
            let bytes = fs::read(&path).expect("read");
            save();
            assert!(
                fs::read(&path).expect("read") == bytes,
                "other bytes in {format}"
            );
            let read = StateDict::open(&path).expect("opened");
            assert_eq!(*read.metadata(), written, "{format}");
            assert_eq!(values(&read), values(&sample()));
            let read = StateDict::from_bytes(bytes).expect("opened");
            assert_eq!(*read.metadata(), written, "{format} in memory");
        }
    }
}

#[test]
fn a_key_chooses_tensors() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    let one = |name: &str| (name.to_owned(), TensorData::new(vec![1.0_f32], [1]));
    let both: StateDict = ["model.fc.bias", "model_ema.fc.bias", "run/fc.bias"]
        .map(one)
        .into_iter()
        .collect();
    for format in FORMATS {
        both.save(&path, format, FloatType::F32).expect("written");
        for key in ["model", "model_ema"] {
            let read = StateDict::open_key(&path, key).expect("opened");
            assert_eq!(values(&read), [one("fc.bias")], "{format}");
        }
        let error = StateDict::open_key(&path, "mod").expect_err("no such key");
        let text = error.to_string();
        assert!(
            text.contains("\"mod\"") && text.contains("\"model_ema\""),
            "{text}"
        );
    }
}

#[test]
fn a_cut_file_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    for format in [Format::SafeTensors, Format::PyTorch] {
        sample()
            .save(&path, format, FloatType::F32)
            .expect("written");
        let whole = fs::read(&path).expect("read");
        let len = whole.len() - 20;
        fs::write(&path, &whole[..len]).expect("written");
        let text = StateDict::open(&path).expect_err("cut").to_string();
        assert!(
            text.contains("cut") && text.contains(&format!("{len} bytes")),
            "{text}"
        );
        if format == Format::SafeTensors {
            assert!(
                text.contains(&format!("expected {}", whole.len())),
                "{text}"
            );
        }
    }
}

#[test]
fn damaged_metadata_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    for preprocessing in [
        Preprocessing {
            crop: 1 << 40,
            ..Preprocessing::IMAGENET
        },
        Preprocessing {
            std: [0.0; 3],
            ..Preprocessing::IMAGENET
        },
    ] {
        let metadata = Metadata {
            preprocessing: Some(preprocessing),
            ..Metadata::default()
        };
        for format in FORMATS {
            let weights = sample().with_metadata(metadata.clone());
            weights
                .save(&path, format, FloatType::F32)
                .expect("written");
            let error = StateDict::open(&path).expect_err("damaged").to_string();
            assert!(error.contains("metadata"), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn read_values_are_the_written_ones_rounded_to_the_precision(written in dictionary()) {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("weights");
        for format in FORMATS {
            for float_type in FLOAT_TYPES {
                written.save(&path, format, float_type)?;
                let read = StateDict::open(&path)?;
                prop_assert_eq!(read.len(), written.len());
                for ((name, data), (read_name, read_data)) in
                    values(&written).into_iter().zip(values(&read))
                {
                    prop_assert_eq!(&name, &read_name);
                    prop_assert_eq!(data.shape(), read_data.shape());
                    let stored = read.get(&name).expect("listed").dtype();
                    if data.dtype() == DType::F32 {
                        prop_assert_eq!(stored, float_type.dtype());
                        let bits = |value: f32| rounded(value, float_type).to_bits();
                        let expected: Vec<_> =
                            data.try_to_vec::<f32>()?.into_iter().map(bits).collect();
                        let found: Vec<_> =
                            read_data.try_to_vec::<f32>()?.into_iter().map(f32::to_bits).collect();
                        prop_assert_eq!(expected, found);
                    } else {
                        prop_assert_eq!(stored, DType::I64);
                        prop_assert_eq!(data.try_to_vec::<i64>()?, read_data.try_to_vec::<i64>()?);
                    }
                }
            }
        }
    }
}

#[test]
fn a_file_can_be_converted_to_another_format_in_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.any");
    sample()
        .save(&path, Format::PyTorch, FloatType::F32)
        .expect("written");
    for format in [Format::Burnpack, Format::SafeTensors, Format::PyTorch] {
        let opened = StateDict::open(&path).expect("opened");
        opened
            .save(&path, format, FloatType::F32)
            .expect("written over the source file");
        assert_eq!(detect_format(&path).expect("known"), format);
    }
    let after = StateDict::open(&path).expect("opened");
    assert_eq!(values(&after), values(&sample()));
}

#[test]
fn a_failed_write_keeps_the_old_file_and_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    let mut weights = sample();
    weights.insert("zz.weight", TensorData::new(vec![1.0_f32, 70_000.0], [2]));
    for format in FORMATS {
        fs::write(&path, "before").expect("written");
        let error = weights.save(&path, format, FloatType::F16).unwrap_err();
        assert!(
            matches!(&error, WeightsError::OutOfRange { name, value, .. }
                if name == "zz.weight" && *value == 70_000.0),
            "{format}: {error}"
        );
        assert_eq!(fs::read(&path).expect("read"), b"before");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
    let no_folder = folder.path().join("absent/weights");
    for format in FORMATS {
        let error = weights
            .save(&no_folder, format, FloatType::F32)
            .unwrap_err();
        assert!(matches!(error, WeightsError::Write { .. }), "{error}");
    }
}

#[test]
fn infinities_and_nans_are_written_in_any_precision() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    let special = vec![f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    let weights: StateDict = [("w".to_owned(), TensorData::new(special, [3]))]
        .into_iter()
        .collect();
    for float_type in FLOAT_TYPES {
        weights
            .save(&path, Format::SafeTensors, float_type)
            .expect("written");
        let data = StateDict::open(&path)
            .expect("opened")
            .get("w")
            .expect("there")
            .data()
            .expect("read");
        let data = data.try_to_vec::<f32>().expect("f32");
        assert_eq!(data[..2], [f32::INFINITY, f32::NEG_INFINITY]);
        assert!(data[2].is_nan());
    }
}

#[test]
fn extensions_determine_formats() {
    let format = |name: &str| Format::from_extension(Path::new(name));
    assert_eq!(format("resnet18.PTH"), Some(Format::PyTorch));
    assert_eq!(format("a/b.safetensors"), Some(Format::SafeTensors));
    assert_eq!(format("b.bpk"), Some(Format::Burnpack));
    assert_eq!(format("weights"), None);
    assert_eq!(format("weights.onnx"), None);
}

#[test]
fn errors_of_invalid_files_contain_the_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("page.pth");
    for content in ["", "<html>not found</html>", "{\"a\": 1}"] {
        fs::write(&path, content).expect("written");
        let error = StateDict::open(&path).unwrap_err();
        assert!(matches!(error, WeightsError::NotWeights { .. }), "{error}");
        assert!(error.to_string().contains("page.pth"), "{error}");
    }
    let absent = StateDict::open(folder.path().join("absent")).unwrap_err();
    assert!(matches!(absent, WeightsError::Read { .. }), "{absent}");
    let empty = folder.path().join("empty");
    StateDict::new()
        .save(&empty, Format::SafeTensors, FloatType::F32)
        .expect("written");
    let error = StateDict::open(&empty).unwrap_err();
    assert!(matches!(error, WeightsError::NoTensors { .. }), "{error}");
}

#[test]
fn checkpoints_of_both_containers_are_read_with_and_without_a_wrapper_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("checkpoint.pth");
    for wrapper in [
        None,
        Some("state_dict"),
        Some("model_state_dict"),
        Some("model"),
        Some("model_ema"),
    ] {
        let checkpoint = TorchFile { wrapper };
        for bytes in [checkpoint.zip(), checkpoint.legacy()] {
            fs::write(&path, bytes).expect("written");
            let read = StateDict::open(&path).expect("opened");
            assert_eq!(values(&read), TorchFile::tensors(), "under {wrapper:?}");
            assert_eq!(read.key(), wrapper);
            let memory = StateDict::from_bytes(fs::read(&path).expect("read")).expect("opened");
            assert_eq!(values(&memory), TorchFile::tensors(), "under {wrapper:?}");
        }
    }
}

#[test]
fn a_layer_called_like_a_wrapper_key_is_not_a_wrapper() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flat.pth");
    let flat: StateDict = [("model.0.weight".to_owned(), TensorData::from([1.0_f32]))]
        .into_iter()
        .collect();
    flat.save(&path, Format::PyTorch, FloatType::F32)
        .expect("written");
    assert!(
        StateDict::open(&path)
            .expect("opened")
            .get("model.0.weight")
            .is_some()
    );
}

#[test]
fn doubles_are_read_as_floats_and_batch_counters_are_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let header = br#"{"bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"w":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(7_i64.to_le_bytes());
    bytes.extend(0.1_f64.to_le_bytes());
    fs::write(&path, bytes).expect("written");
    let read = StateDict::open(&path).expect("opened");
    assert_eq!(
        values(&read),
        [("w".to_owned(), TensorData::from([0.1_f32]))]
    );
}
