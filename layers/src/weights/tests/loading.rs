//! Loading of weights into networks, and extraction of weights.

use burn::module::{Module, Param, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Distribution, Shape, Tensor, TensorData};
use burn_store::{BurnpackStore, ModuleSnapshot};
use proptest::prelude::*;

use super::{FLOAT_TYPES, FORMATS};
use crate::block::{ConvBlock, ConvBlockConfig};
use crate::network::{Network, Stage};
use crate::weights::{
    FloatType, Format, Heads, ShapeMismatch, StateDict, WeightsError, load, load_module,
    module_state_dict, state_dict, without_prefix,
};

fn device() -> Device {
    #[allow(deprecated)]
    Device::ndarray()
}

/// A network with a stem whose published names differ, an enum, a list, an optional layer and a
/// head.
#[derive(Module, Debug)]
struct Toy {
    stem: ConvBlock,
    shortcut: Shortcut,
    blocks: Vec<ConvBlock>,
    aux: Option<Linear>,
    fc: Linear,
}

#[derive(Module, Debug)]
enum Shortcut {
    Projection(ConvBlock),
    #[allow(dead_code)]
    Mixing(ConvBlock),
}

impl Toy {
    fn new(classes: usize, auxiliary: bool) -> Self {
        let device = &device();
        let block = |from, to| ConvBlockConfig::new([from, to], 3).init(device);
        let linear = |to| LinearConfig::new(4, to).init(device);
        Self {
            stem: block(1, 4),
            shortcut: Shortcut::Projection(block(4, 4)),
            blocks: vec![block(4, 4), block(4, 4)],
            aux: auxiliary.then(|| linear(classes)),
            fc: linear(classes),
        }
    }
}

impl Network for Toy {
    const HEAD: &'static [&'static str] = &["fc", "aux"];
    const OPTIONAL: &'static [&'static str] = &["aux"];
    const STAGES: &'static [Stage] = &[];

    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.stem.forward(images);
        let side = match &self.shortcut {
            Shortcut::Projection(block) => block.forward(x.clone()),
            Shortcut::Mixing(_) => x.clone(),
        };
        self.embed_maps(self.blocks.iter().fold(x, |x, block| block.forward(x)) + side)
    }

    fn embed_maps(&self, maps: Tensor<4>) -> Tensor<2> {
        maps.mean_dims(&[2, 3]).flatten(1, 3)
    }

    fn classify(&self, means: Tensor<2>) -> Tensor<2> {
        self.fc.forward(means)
    }

    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        vec![self.stem.forward(images)]
    }

    fn with_new_heads(self, classes: usize) -> Self {
        let fc = LinearConfig::new(4, classes).init(&self.fc.weight.device());
        Self { fc, ..self }
    }

    fn reference_name(path: &str) -> String {
        match path.strip_prefix("stem.") {
            Some(rest) => rest
                .replace("conv.", "features.0.")
                .replace("bn.", "features.1."),
            None => path.to_owned(),
        }
    }
}

fn values(dictionary: &StateDict) -> Vec<(String, TensorData)> {
    dictionary
        .iter()
        .map(|(name, tensor)| (name.to_owned(), tensor.data().expect("readable")))
        .collect()
}

/// Returns tensors of the same names and shapes with other values than any initial value, so that a
/// tensor that is not loaded fails the test.
fn other_values(dictionary: &StateDict) -> StateDict {
    dictionary
        .iter()
        .enumerate()
        .map(|(index, (name, tensor))| {
            let len = tensor.shape().iter().product::<usize>();
            let values: Vec<f32> = (0..len).map(|i| ((index + i) % 17) as f32 / 8.0).collect();
            (
                name.to_owned(),
                TensorData::new(values, tensor.shape().to_vec()),
            )
        })
        .collect()
}

fn shape<'a>(dictionary: &'a StateDict, name: &str) -> &'a [usize] {
    dictionary.get(name).expect("there").shape()
}

/// Returns the tensors of `dictionary` under names that start with `prefix`.
fn prefixed<'a>(
    dictionary: &'a StateDict,
    prefix: &'a str,
) -> impl Iterator<Item = (String, TensorData)> + 'a {
    values(dictionary)
        .into_iter()
        .map(move |(name, data)| (format!("{prefix}{name}"), data))
}

#[test]
fn the_common_prefix_of_the_names_is_removed() {
    let toy = Toy::new(10, false);
    let weights = other_values(&state_dict(&toy));
    for prefix in [
        "module.",
        "_orig_mod.",
        "model.",
        "net.",
        "backbone.",
        "module._orig_mod.",
        "model.backbone.",
        "weights/",
    ] {
        let named: StateDict = prefixed(&weights, prefix).collect();
        let (found, removed) = without_prefix(&toy, named);
        assert_eq!(removed.as_deref(), Some(prefix));
        assert_eq!(values(&found), values(&weights));
    }
    let (found, removed) = without_prefix(&toy, weights.clone());
    assert_eq!((removed, values(&found)), (None, values(&weights)));
}

#[test]
fn one_of_several_prefixes_is_taken() {
    let toy = Toy::new(10, false);
    let (weights, average) = (state_dict(&toy), other_values(&state_dict(&toy)));
    let optimizer = ("optimizer".to_owned(), TensorData::new(vec![1_u8], [1]));
    for (names, expected) in [
        (["weights/", "average/"], 1),
        (["model.", "model_ema.module."], 0),
        (["ema.", "student.network."], 1),
    ] {
        let both = prefixed(&weights, names[0]).chain(prefixed(&average, names[1]));
        let both: StateDict = both.chain([optimizer.clone()]).collect();
        let (found, removed) = without_prefix(&toy, both);
        assert_eq!(removed.as_deref(), Some(names[expected]));
        assert_eq!(values(&found), values([&weights, &average][expected]));
    }
}

#[test]
fn another_number_of_classes_is_named() {
    let weights = state_dict(&Toy::new(10, false));
    let error = load(Toy::new(7, false), &weights, Heads::Load).expect_err("another head");
    assert!(
        matches!(
            error,
            WeightsError::Classes {
                found: 10,
                expected: 7
            }
        ),
        "{error}"
    );
    assert!(load(Toy::new(7, false), &weights, Heads::Keep).is_ok());
}

#[test]
fn names_and_layouts_are_those_of_pytorch() {
    let toy = Toy::new(10, true);
    let state = state_dict(&toy);
    let names: Vec<_> = state.iter().map(|(name, _)| name).collect();
    let norm = ["bias", "running_mean", "running_var", "weight"];
    let mut expected = vec!["aux.bias".to_owned(), "aux.weight".to_owned()];
    for block in ["blocks.0", "blocks.1"] {
        expected.extend(norm.map(|name| format!("{block}.bn.{name}")));
        expected.push(format!("{block}.conv.weight"));
    }
    expected.extend(["fc.bias".to_owned(), "fc.weight".to_owned()]);
    expected.push("features.0.weight".to_owned());
    expected.extend(norm.map(|name| format!("features.1.{name}")));
    expected.extend(norm.map(|name| format!("shortcut.bn.{name}")));
    expected.push("shortcut.conv.weight".to_owned());
    assert_eq!(names, expected);

    assert_eq!(shape(&state, "features.0.weight"), [4, 1, 3, 3]);
    assert_eq!(shape(&state, "fc.weight"), [10, 4]);
    let transposed = toy.fc.weight.val().transpose().into_data();
    assert_eq!(
        state.get("fc.weight").expect("there").data().expect("read"),
        transposed
    );
    let gamma = match &toy.shortcut {
        Shortcut::Projection(block) => block.bn.as_ref().expect("a norm").gamma.val().into_data(),
        Shortcut::Mixing(_) => unreachable!("built as a projection"),
    };
    assert_eq!(
        state
            .get("shortcut.bn.weight")
            .expect("there")
            .data()
            .expect("read"),
        gamma
    );
}

#[test]
fn a_loaded_network_returns_the_outputs_of_the_saved_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    let images = Tensor::random([2, 1, 7, 7], Distribution::Default, &device());
    let saved = load(
        Toy::new(10, true),
        &other_values(&state_dict(&Toy::new(10, true))),
        Heads::Load,
    )
    .expect("loaded");
    for format in FORMATS {
        state_dict(&saved)
            .save(&path, format, FloatType::F32)
            .expect("written");
        let weights = StateDict::open(&path).expect("opened");
        let loaded = load(Toy::new(10, true), &weights, Heads::Load).expect("loaded");
        assert_eq!(values(&state_dict(&loaded)), values(&state_dict(&saved)));
        assert_eq!(
            loaded.forward(images.clone()).into_data(),
            saved.forward(images.clone()).into_data()
        );
    }
}

#[test]
fn parameters_are_f32_for_every_precision_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    for format in FORMATS {
        for float_type in FLOAT_TYPES {
            state_dict(&Toy::new(3, false))
                .save(&path, format, float_type)
                .expect("written");
            let weights = StateDict::open(&path).expect("opened");
            let loaded = load(Toy::new(3, false), &weights, Heads::Load).expect("loaded");
            for (name, tensor) in state_dict(&loaded).iter() {
                assert_eq!(tensor.dtype(), DType::F32, "{name}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn heads_keep_preserves_the_head_and_loads_the_rest(
        classes in 1_usize..20, published in 1_usize..20,
    ) {
        let weights = other_values(&state_dict(&Toy::new(published, true)));
        let fresh = Toy::new(classes, true);
        let head = fresh.fc.weight.val().into_data();
        let loaded = load(fresh, &weights, Heads::Keep)?;
        prop_assert_eq!(loaded.fc.weight.val().into_data(), head);
        for (name, data) in values(&state_dict(&loaded)) {
            if !name.starts_with("fc.") && !name.starts_with("aux.") {
                prop_assert_eq!(data, weights.get(&name).expect("published").data()?);
            }
        }
    }
}

#[test]
fn optional_layers_may_be_missing_as_a_whole_but_not_in_part() {
    let with = other_values(&state_dict(&Toy::new(3, true)));
    let without = other_values(&state_dict(&Toy::new(3, false)));
    load(Toy::new(3, false), &with, Heads::Load).expect("optional layers of the file are ignored");
    let kept = Toy::new(3, true);
    let aux = values(&state_dict(&kept))[..2].to_vec();
    let kept = load(kept, &without, Heads::Load).expect("optional layers of the network are kept");
    assert_eq!(values(&state_dict(&kept))[..2], aux);
    let both = load(Toy::new(3, true), &with, Heads::Load).expect("both");
    assert_eq!(values(&state_dict(&both)), values(&with));

    let mut half = with.clone();
    half.remove("aux.bias");
    let error = load(Toy::new(3, true), &half, Heads::Load).unwrap_err();
    assert!(
        matches!(&error, WeightsError::Mismatch { missing, .. } if missing == &["aux.bias"]),
        "{error}"
    );
}

#[test]
fn a_mismatch_lists_all_differences() {
    let mut weights = state_dict(&Toy::new(3, false));
    weights.remove("blocks.1.bn.running_var");
    weights.remove("features.0.weight");
    weights.insert("blocks.2.conv.weight", TensorData::from([1.0_f32]));
    weights.insert("counter", TensorData::from([1_i64]));
    let error = load(Toy::new(5, false), &weights, Heads::Load).unwrap_err();
    let WeightsError::Mismatch {
        missing,
        unexpected,
        shapes,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(missing, &["features.0.weight", "blocks.1.bn.running_var"]);
    assert_eq!(unexpected, &["blocks.2.conv.weight", "counter"]);
    let differs = |name: &str, expected: &[usize], found: &[usize]| ShapeMismatch {
        name: name.to_owned(),
        expected: expected.to_vec(),
        found: found.to_vec(),
    };
    assert_eq!(
        shapes,
        &[
            differs("fc.weight", &[5, 4], &[3, 4]),
            differs("fc.bias", &[5], &[3])
        ]
    );
}

#[test]
fn integers_are_not_loaded_into_a_parameter() {
    let mut weights = state_dict(&Toy::new(3, false));
    weights.insert("fc.bias", TensorData::from([1_i64, 2, 3]));
    let error = load(Toy::new(3, false), &weights, Heads::Load).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tensor fc.bias: contains integers, expected floating-point numbers"
    );
}

#[derive(Module, Debug)]
struct Lazy {
    weight: Param<Tensor<2>>,
}

#[test]
fn loading_initialises_no_parameter() {
    let lazy = Lazy {
        weight: Param::uninitialized(
            ParamId::new(),
            |_, _| panic!("initialised"),
            device(),
            true,
            Shape::new([2, 3]),
        ),
    };
    let data = TensorData::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let weights: StateDict = [("weight".to_owned(), data.clone())].into_iter().collect();
    let loaded = load_module(lazy, &weights).expect("loaded");
    assert_eq!(loaded.weight.val().into_data(), data);
    assert!(loaded.weight.val().is_require_grad() || !device().is_autodiff());
}

#[test]
fn files_saved_by_burn_are_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.bpk");
    let weights = other_values(&state_dict(&Toy::new(3, true)));
    let saved = load(Toy::new(3, true), &weights, Heads::Load).expect("loaded");
    saved
        .save_into(&mut BurnpackStore::from_file(&path))
        .expect("saved by Burn");
    let opened = StateDict::open(&path).expect("opened");
    assert!(opened.get("shortcut.Projection.bn.gamma").is_some());
    let loaded = load(Toy::new(3, true), &opened, Heads::Load).expect("loaded");
    assert_eq!(values(&state_dict(&loaded)), values(&weights));

    let other = folder.path().join("model.pth");
    let error = opened
        .save(&other, Format::PyTorch, FloatType::F32)
        .unwrap_err();
    assert!(matches!(error, WeightsError::BurnNames), "{error}");
    load(Toy::new(7, false), &opened, Heads::Keep).expect("all but the heads");
}

#[test]
fn load_module_uses_the_field_names_of_any_module() {
    let toy = Toy::new(3, false);
    let state = module_state_dict(&toy);
    assert!(state.get("stem.bn.weight").is_some());
    let weights = other_values(&state);
    let loaded = load_module(toy, &weights).expect("loaded");
    assert_eq!(values(&module_state_dict(&loaded)), values(&weights));
}
