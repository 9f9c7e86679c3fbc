//! State dictionaries: the parameters and statistics of a network by name.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::TensorData;
use burn_store::bridge;

use super::error::WeightsError;
use super::file::{self, Content};
use super::format::{FloatType, Format};
use super::naming::Naming;
use super::tensor::WeightTensor;
use crate::metadata::Metadata;

/// Tensors sorted by name, under PyTorch's names and in PyTorch's layouts.
///
/// A Burnpack file that Burn itself saved has Burn's names and layouts (`gamma`, `beta`, a fully
/// connected weight as `[in, out]`). Such a file opens and loads like any other. Without its
/// network it cannot be converted to another format.
#[derive(Debug, Clone, Default)]
pub struct StateDict {
    tensors: BTreeMap<String, WeightTensor>,
    naming: Naming,
    metadata: Metadata,
    key: Option<String>,
    other_keys: Vec<String>,
}

impl StateDict {
    /// Returns an empty dictionary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a PyTorch checkpoint, a SafeTensors file or a Burnpack file. The content of the file
    /// determines the format.
    ///
    /// A PyTorch checkpoint may be a zip archive, a tar archive or a legacy file, with the tensors
    /// at the top level or under the key `state_dict`, `model_state_dict` or `model`, or else under
    /// that of averaged weights: `state_dict_ema`, `model_ema`, `ema_state_dict` or `ema`.
    /// [`key`](Self::key) is the one that was taken. The
    /// `num_batches_tracked` of batch norms is skipped. Values are read on first use: the file must
    /// not change before.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has an unknown format, is corrupt, or contains no tensors.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let format = file::detect_format(path)?;
        Self::from_content(file::read(path, format, None)?, path)
    }

    /// Opens the tensors under `key` of the file at `path`, such as `model_ema`, as
    /// [`open`](Self::open) does. A key is the name of a dictionary in a PyTorch checkpoint, or the
    /// beginning of tensors' names up to a dot or a slash in the other formats.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open), and [`WeightsError::NoKey`].
    pub fn open_key(path: impl AsRef<Path>, key: &str) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let format = file::detect_format(path)?;
        Self::from_content(file::read(path, format, Some(key))?, path)
    }

    /// Reads a file in memory as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// See [`open`](Self::open).
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, WeightsError> {
        let bytes = bytes.into();
        let path = Path::new(file::IN_MEMORY);
        let format = Format::from_content(&bytes).ok_or_else(|| WeightsError::NotWeights {
            path: path.to_owned(),
        })?;
        Self::from_content(file::read_bytes(bytes, format)?, path)
    }

    fn from_content(content: Content, path: &Path) -> Result<Self, WeightsError> {
        let tensors: BTreeMap<_, _> = content
            .tensors
            .into_iter()
            .filter(|tensor| tensor.name.rsplit('.').next() != Some("num_batches_tracked"))
            .map(|tensor| (tensor.name.clone(), WeightTensor::new(tensor)))
            .collect();
        if tensors.is_empty() {
            return Err(WeightsError::NoTensors {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            tensors,
            naming: content.naming,
            metadata: content.metadata,
            key: content.key,
            other_keys: content.other_keys,
        })
    }

    /// Writes all tensors and the metadata to `path`, floating-point values as `float_type`.
    ///
    /// The file is written under a temporary name and renamed to `path`, replacing an existing
    /// file.
    ///
    /// # Errors
    ///
    /// The file cannot be written, a tensor cannot be read, a value is out of the range of
    /// `float_type`, or the dictionary has Burn's names. `path` is then unchanged.
    pub fn save(
        &self,
        path: impl AsRef<Path>,
        format: Format,
        float_type: FloatType,
    ) -> Result<(), WeightsError> {
        if self.naming == Naming::Burn {
            return Err(WeightsError::BurnNames);
        }
        let tensors: Vec<&WeightTensor> = self.tensors.values().collect();
        file::write(&tensors, &self.metadata, path.as_ref(), format, float_type)
    }

    /// Returns the key of the dictionary that the tensors were in, if the file has several.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the keys of the file's other dictionaries of weights, which
    /// [`open_key`](Self::open_key) opens.
    pub fn other_keys(&self) -> &[String] {
        &self.other_keys
    }

    /// Returns the tensors whose names start with `prefix`, without the prefix.
    #[must_use]
    pub(super) fn without_prefix(self, prefix: &str) -> Self {
        let tensors = self.tensors.into_iter().filter_map(|(name, tensor)| {
            let name = name.strip_prefix(prefix)?.to_owned();
            Some((name.clone(), tensor.renamed(name)))
        });
        Self {
            tensors: tensors.collect(),
            ..self
        }
    }

    /// Returns the metadata of the file.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Sets the metadata, which [`save`](Self::save) writes to files.
    #[must_use]
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// Returns the number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Returns whether the dictionary has no tensors.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Returns the tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&WeightTensor> {
        self.tensors.get(name)
    }

    /// Returns an iterator over names and tensors, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &WeightTensor)> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Inserts `data` under `name` and returns the tensor that had this name.
    pub fn insert(&mut self, name: impl Into<String>, data: TensorData) -> Option<WeightTensor> {
        let name = name.into();
        self.insert_tensor(WeightTensor::new(bridge::from_data(data, name, None)))
    }

    /// Removes the tensor called `name` and returns it.
    pub fn remove(&mut self, name: &str) -> Option<WeightTensor> {
        self.tensors.remove(name)
    }

    /// Inserts `tensor` under its name and returns the tensor that had this name.
    pub(super) fn insert_tensor(&mut self, tensor: WeightTensor) -> Option<WeightTensor> {
        self.tensors.insert(tensor.name().to_owned(), tensor)
    }

    /// Returns the naming convention of the tensors.
    pub(super) fn naming(&self) -> Naming {
        self.naming
    }
}

impl FromIterator<(String, TensorData)> for StateDict {
    fn from_iter<T: IntoIterator<Item = (String, TensorData)>>(tensors: T) -> Self {
        let mut dictionary = Self::new();
        for (name, data) in tensors {
            dictionary.insert(name, data);
        }
        dictionary
    }
}
