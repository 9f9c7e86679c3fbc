//! The weights of a network, opened once per command from a file, the program, the cache or the
//! web.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use receptive_layers::preprocessing::Preprocessing;
use receptive_layers::weights::{self, Checkpoint, FindOptions, StateDict};

use crate::embedded::EMBEDDED;
use crate::error::CliError;
use crate::preprocessing;
use crate::progress::download_bar;
use crate::registry::{AnyNetwork, Model};

/// A network's weights, with everything that depends on their source.
pub struct ModelWeights<'a> {
    /// The network that the weights are for.
    pub model: &'a Model,
    /// Tensors under the reference implementation's names.
    pub tensors: StateDict,
    /// Preprocessing of images for these weights.
    pub preprocessing: Preprocessing,
    /// Source of the weights in error messages: a path, or the name of an embedded file.
    pub origin: String,
}

impl<'a> ModelWeights<'a> {
    /// Opens the weight file at `path`.
    ///
    /// # Errors
    ///
    /// [`CliError::Weights`] when the file is not a readable weight file.
    pub fn open(model: &'a Model, path: &Path) -> Result<Self, CliError> {
        Ok(Self {
            model,
            tensors: StateDict::open(path)?,
            preprocessing: preprocessing::for_file(model, path),
            origin: path.display().to_string(),
        })
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
            let name = embedded.published_name();
            return Ok(Self {
                model,
                tensors: StateDict::from_bytes(embedded.bytes)?,
                preprocessing: preprocessing::for_file(model, Path::new(name)),
                origin: format!("the embedded {name}"),
            });
        }
        let Some(checkpoint) = model.checkpoints.first() else {
            return Err(CliError::NoWeights { model: model.name });
        };
        let path = find_or_download(model, checkpoint)?;
        Ok(Self {
            model,
            tensors: StateDict::open(&path)?,
            preprocessing: checkpoint.preprocessing,
            origin: path.display().to_string(),
        })
    }

    /// Number of classes of the head, or the published number for weights without a head.
    pub fn classes(&self) -> usize {
        self.model.classes_of(&self.tensors)
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
