//! PyTorch's outputs for the reference networks (`reference/README.md`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use receptive_layers::weights::StateDict;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::formula;

/// A file of `reference/`.
#[derive(Debug, Deserialize)]
pub struct Reference {
    /// The variant's name.
    pub name: String,
    /// The salt of the formula's hash.
    pub salt: String,
    /// The factor of the weights.
    pub gain: f64,
    /// Shape of the images.
    pub input: [usize; 4],
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Name and shape, in PyTorch's layout, of every weight, bias and running statistic.
    pub state: BTreeMap<String, Vec<usize>>,
    /// Class scores of each image.
    pub logits: Vec<Vec<f64>>,
    /// The results of a training step.
    pub grad: Option<Gradients>,
}

/// The results of a training step.
#[derive(Debug, Deserialize)]
pub struct Gradients {
    /// Shape of the images.
    pub input: [usize; 4],
    /// The class of each image.
    pub target: Vec<i64>,
    /// Mean cross entropy over the batch.
    pub loss: f64,
    /// L2 norm of the gradient of each parameter.
    pub norms: BTreeMap<String, f64>,
    /// Dot product of the gradient of each parameter with the parameter's probe vector.
    pub dots: BTreeMap<String, f64>,
}

/// A file of `reference/explanations/`.
#[derive(Debug, Deserialize)]
pub struct Explanation {
    /// Shape of the image.
    pub input: [usize; 4],
    /// The most probable class, which is explained.
    pub class: usize,
    /// Grad-CAM of the last stage's maps.
    pub grad_cam: Option<Vec<Vec<f64>>>,
    /// Grad-CAM, normalized and enlarged to the size of the image; 16 of its rows and columns.
    pub grad_cam_scaled: Option<Vec<Vec<f64>>>,
    /// Integrated gradients; 16 rows and columns.
    pub integrated_gradients: Vec<Vec<f64>>,
    /// Decrease of the score for each place of a window.
    pub occlusion: Vec<Vec<f64>>,
}

impl Explanation {
    /// Reads the explanations of the variant `name`.
    pub fn read(name: &str) -> Self {
        read(&explanations().join(format!("{name}.json")))
    }

    /// Returns the names of the networks with explanations, sorted.
    pub fn names() -> Vec<String> {
        names(&explanations())
    }
}

/// Returns the folder of the explanations.
fn explanations() -> PathBuf {
    folder().join("explanations")
}

/// Reads a JSON file.
fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Returns the names of the JSON files in `folder` without their extension, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder of the references")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Returns the folder of the references.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("reference")
}

impl Reference {
    /// Reads the reference of the variant `name`.
    pub fn read(name: &str) -> Self {
        read(&folder().join(format!("{name}.json")))
    }

    /// Returns the weights: each tensor of the state, filled by the formula.
    pub fn weights(&self) -> StateDict {
        self.state
            .iter()
            .map(|(name, shape)| {
                let values = formula::fill(&self.salt, name, shape, self.gain);
                (name.clone(), TensorData::new(values, shape.clone()))
            })
            .collect()
    }

    /// Returns the names of all references, sorted.
    pub fn names() -> Vec<String> {
        names(&folder())
    }
}

/// Published variants without a reference: none at present.
pub const WITHOUT_REFERENCE: &[&str] = &[];

/// Returns the largest absolute difference of `found` and `expected`, divided by the largest
/// magnitude in `expected`.
///
/// # Panics
///
/// When the lengths differ or a number is not finite.
pub fn relative_difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = |values: &mut dyn Iterator<Item = f64>| {
        values.fold(0.0_f64, |largest, v| {
            assert!(v.is_finite());
            largest.max(v.abs())
        })
    };
    let difference = largest(&mut found.iter().zip(expected).map(|(f, e)| f - e));
    difference / largest(&mut expected.iter().copied())
}
