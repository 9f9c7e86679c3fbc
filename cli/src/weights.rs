//! The weights of a network, opened once per command from a file, the program, the cache or the
//! web.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use receptive_layers::metadata::{self, Metadata};
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{self, Checkpoint, FindOptions, StateDict};

use crate::embedded::EMBEDDED;
use crate::error::{CliError, print_note};
use crate::progress::download_bar;
use crate::registry::{AnyNetwork, Model};

/// A network's weights, with everything that depends on their source.
pub struct ModelWeights<'a> {
    /// The network that the weights are for.
    pub model: &'a Model,
    /// Tensors under the reference implementation's names.
    pub tensors: StateDict,
    /// Network, classes and preprocessing of the weights.
    pub description: Description,
    /// Source of the weights in error messages: a path, or the name of an embedded file.
    pub origin: String,
    /// Author and licence of published and embedded weights.
    pub publisher: Option<Publisher>,
}

/// Author and licence of published weights.
pub struct Publisher {
    /// Author, name and address of the weights.
    pub source: String,
    /// Licence, as an SPDX expression.
    pub licence: &'static str,
}

impl From<&Checkpoint> for Publisher {
    fn from(checkpoint: &Checkpoint) -> Self {
        let Checkpoint {
            source, tag, url, ..
        } = checkpoint;
        Self {
            source: format!("{}, {tag}, {url}", source.name()),
            licence: source.licence(),
        }
    }
}

/// Network, classes and preprocessing of weights: the metadata of their file, completed by the published
/// values.
pub struct Description {
    /// Name of the network.
    network: &'static str,
    /// Preprocessing of images for the weights.
    pub preprocessing: Preprocessing,
    /// Name of each class, in class order; empty if the names are unknown.
    pub labels: Vec<String>,
    /// Whether the names of the classes are stored with the weights.
    #[cfg_attr(
        not(feature = "train"),
        expect(dead_code, reason = "only training reads it")
    )]
    pub own_labels: bool,
    /// Number of classes of the head.
    pub classes: usize,
    /// Shape of an input image, `[channels, height, width]`.
    pub input: [usize; 3],
    recipe_sha256: Option<String>,
}

impl Description {
    /// Completes the metadata `stored` with the weights of `origin` by the published values of `model`
    /// and of `checkpoint`, the published checkpoint that the weights are.
    ///
    /// # Errors
    ///
    /// [`CliError::OtherNetwork`] when the metadata name another network, [`CliError::StoredInput`] when
    /// their preprocessing does not fit the network, [`CliError::StoredLabels`] when they have not one
    /// name for each class.
    pub fn new(
        model: &Model,
        stored: &Metadata,
        checkpoint: Option<&Checkpoint>,
        classes: usize,
        origin: &str,
    ) -> Result<Self, CliError> {
        if let Some(found) = stored.network.as_ref().filter(|&found| found != model.name) {
            return Err(CliError::OtherNetwork {
                origin: origin.to_owned(),
                found: found.clone(),
                model: model.name,
            });
        }
        let preprocessing = model.published.preprocessing_of(stored, checkpoint);
        let input = [model.input.channels, preprocessing.crop, preprocessing.crop];
        let shape = [1, input[0], input[1], input[2]];
        model
            .input
            .check(shape)
            .map_err(|source| CliError::StoredInput {
                origin: origin.to_owned(),
                model: model.name,
                source,
            })?;
        if let Some(labels) = stored
            .labels
            .as_ref()
            .filter(|labels| labels.len() != classes)
        {
            return Err(CliError::StoredLabels {
                origin: origin.to_owned(),
                found: labels.len(),
                classes,
            });
        }
        let labels = model.published.labels_of(stored, checkpoint, classes);
        Ok(Self {
            network: model.name,
            preprocessing,
            own_labels: stored.labels.is_some(),
            labels,
            classes,
            input,
            recipe_sha256: stored.recipe_sha256.clone(),
        })
    }

    /// Returns the metadata to store with the weights.
    pub fn metadata(&self) -> Metadata {
        Metadata {
            network: Some(self.network.to_owned()),
            labels: Some(self.labels.clone()).filter(|labels| !labels.is_empty()),
            preprocessing: Some(self.preprocessing),
            input: Some(self.input),
            recipe_sha256: self.recipe_sha256.clone(),
            version: Some(metadata::VERSION.to_owned()),
        }
    }
}

impl<'a> ModelWeights<'a> {
    fn new(
        model: &'a Model,
        tensors: StateDict,
        checkpoint: Option<&Checkpoint>,
        origin: String,
    ) -> Result<Self, CliError> {
        let tensors = aligned(model, tensors, &origin)?;
        let classes = model.classes_of(&tensors);
        let description =
            Description::new(model, tensors.metadata(), checkpoint, classes, &origin)?;
        Ok(Self {
            model,
            tensors,
            description,
            origin,
            publisher: checkpoint.map(Publisher::from),
        })
    }

    /// Opens the weight file at `path`, or the tensors under `key` in it, and says which of several
    /// dictionaries was taken and which prefix of names was removed.
    ///
    /// # Errors
    ///
    /// [`CliError::Weights`] when the file is not a readable weight file; the errors of
    /// [`Description::new`].
    pub fn open(model: &'a Model, path: &Path, key: Option<&str>) -> Result<Self, CliError> {
        let tensors = match key {
            Some(key) => StateDict::open_key(path, key)?,
            None => StateDict::open(path)?,
        };
        let checkpoint = Checkpoint::identify(model.checkpoints, path);
        Self::new(model, tensors, checkpoint, path.display().to_string())
    }

    /// Opens `file` as [`open`](Self::open) does; without a file, the [pretrained](Self::pretrained) weights.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`pretrained`](Self::pretrained).
    pub fn open_or_pretrained(
        model: &'a Model,
        file: Option<&Path>,
        key: Option<&str>,
    ) -> Result<Self, CliError> {
        match file {
            Some(path) => Self::open(model, path, key),
            None => Self::pretrained(model),
        }
    }

    /// Opens the pretrained weights of `model`: the embedded ones, or else the published ones,
    /// which are downloaded if the cache folder does not have them.
    ///
    /// # Errors
    ///
    /// [`CliError::NoWeights`] when no weights of `model` are published, [`CliError::Find`] when
    /// they cannot be downloaded, [`CliError::Weights`] when they cannot be read.
    pub fn pretrained(model: &'a Model) -> Result<Self, CliError> {
        if let Some(embedded) = EMBEDDED.iter().find(|own| own.model == model.name) {
            let tensors = StateDict::from_bytes(embedded.bytes)?;
            let origin = format!("the embedded {}", embedded.file);
            return Ok(Self {
                publisher: Some(Publisher {
                    source: embedded.source.to_owned(),
                    licence: embedded.licence,
                }),
                ..Self::new(model, tensors, None, origin)?
            });
        }
        let Some(checkpoint) = model.checkpoints.first() else {
            return Err(CliError::NoWeights {
                model: model.name,
                option: "--weights",
            });
        };
        let path = find_or_download(model, checkpoint)?;
        let tensors = StateDict::open(&path)?;
        Self::new(model, tensors, Some(checkpoint), path.display().to_string())
    }

    /// Builds the network for inference with these weights on `device`.
    ///
    /// # Errors
    ///
    /// [`CliError::Unfit`] when the weights do not fit the network.
    pub fn load(&self, device: &Device) -> Result<Box<dyn AnyNetwork>, CliError> {
        self.model.load(&self.tensors, &self.origin, device)
    }

    /// Builds the network with these weights on `device`, with auxiliary heads if the weights have
    /// them.
    ///
    /// # Errors
    ///
    /// [`CliError::Unfit`] when the weights do not fit the network.
    pub fn load_whole(&self, device: &Device) -> Result<Box<dyn AnyNetwork>, CliError> {
        self.model.load_whole(&self.tensors, &self.origin, device)
    }
}

/// Removes the prefix of the names in `tensors`, and prints what was taken of the file.
fn aligned(model: &Model, tensors: StateDict, origin: &str) -> Result<StateDict, CliError> {
    if let (Some(key), [_, ..]) = (tensors.key(), tensors.other_keys()) {
        let others = tensors.other_keys().join(", ");
        print_note(&format!(
            "{origin}: takes the weights under {key:?}; --weights-key can choose {others}"
        ));
    }
    let count = tensors.len();
    let (tensors, prefix) = model.without_prefix(tensors)?;
    if let Some(prefix) = prefix {
        let ignored = match count - tensors.len() {
            0 => String::new(),
            others => format!(", and {others} other tensors are ignored"),
        };
        print_note(&format!(
            "{origin}: the prefix {prefix:?} of the tensors' names is removed{ignored}"
        ));
    }
    Ok(tensors)
}

/// Returns the path of a published file in the cache folder, and downloads the file if it is
/// missing.
fn find_or_download(model: &Model, checkpoint: &Checkpoint) -> Result<PathBuf, CliError> {
    let bar = download_bar();
    bar.set_message(checkpoint.cache_name());
    let mut report = |done: u64, total: Option<u64>| {
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(done);
    };
    let found = weights::find(
        checkpoint,
        FindOptions {
            progress: Some(&mut report),
            ..FindOptions::default()
        },
    );
    bar.finish_and_clear();
    found.map_err(|source| CliError::Find {
        model: model.name,
        source,
    })
}
