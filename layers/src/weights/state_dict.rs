//! A network's parameters and statistics under the reference's names.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::TensorData;
use burn_store::bridge;
use burn_store::burn_pack::Tensor as StoredTensor;

use super::error::WeightsError;
use super::format::{self, Format, Precision};
use super::tensor::WeightTensor;

/// Tensors by name, sorted by it; names and layouts are PyTorch's.
///
/// A Burnpack file that Burn itself saved has Burn's names and layouts (`gamma`, `beta`, a fully
/// connected weight as `[in, out]`). It opens and loads like the others, but cannot be written in
/// another format without its network.
#[derive(Debug, Clone, Default)]
pub struct StateDict {
    tensors: BTreeMap<String, WeightTensor>,
    naming: Naming,
}

/// Whose names and layouts a dictionary has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Naming {
    #[default]
    Reference,
    Burn,
}

impl StateDict {
    /// A dictionary of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tensors of a PyTorch checkpoint (zip, legacy or tar, the tensors possibly under the key
    /// `state_dict`, `model_state_dict` or `model`), a SafeTensors or a Burnpack file, told apart
    /// by content. Batch norms' `num_batches_tracked` is left out.
    ///
    /// The values are read when they are asked for: the file must stay until then.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is of no known format, is damaged, or holds no tensors.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let format = Format::detect(path)?;
        let (stored, naming) = format::read(path, format)?;
        Self::of_file(stored, naming, path)
    }

    /// The tensors of a file in memory, as [`open`](Self::open) reads them.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, WeightsError> {
        let bytes = bytes.into();
        let path = Path::new(format::IN_MEMORY);
        let format = Format::of_content(&bytes).ok_or_else(|| WeightsError::NotWeights {
            path: path.to_owned(),
        })?;
        let (stored, naming) = format::read_bytes(bytes, format)?;
        Self::of_file(stored, naming, path)
    }

    fn of_file(
        stored: Vec<StoredTensor>,
        naming: Naming,
        path: &Path,
    ) -> Result<Self, WeightsError> {
        let tensors: BTreeMap<_, _> = stored
            .into_iter()
            .filter(|tensor| tensor.name.rsplit('.').next() != Some("num_batches_tracked"))
            .map(|tensor| (tensor.name.clone(), WeightTensor::new(tensor)))
            .collect();
        if tensors.is_empty() {
            return Err(WeightsError::NoTensors {
                path: path.to_owned(),
            });
        }
        Ok(Self { tensors, naming })
    }

    /// Writes every tensor, the floating-point ones in `precision`, to `path`, which appears (or
    /// is replaced) once the whole file is on the disk.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, a tensor cannot be read, or a value is out of the
    /// precision's range; `path` is then as it was.
    pub fn save(
        &self,
        path: impl AsRef<Path>,
        format: Format,
        precision: Precision,
    ) -> Result<(), WeightsError> {
        if self.naming == Naming::Burn {
            return Err(WeightsError::BurnNames);
        }
        let tensors: Vec<&WeightTensor> = self.tensors.values().collect();
        format::write(&tensors, path.as_ref(), format, precision)
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<&WeightTensor> {
        self.tensors.get(name)
    }

    /// Every tensor with its name, sorted by it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &WeightTensor)> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Puts `data` under `name`, and gives back what was there.
    pub fn insert(&mut self, name: impl Into<String>, data: TensorData) -> Option<WeightTensor> {
        let name = name.into();
        self.insert_tensor(WeightTensor::new(bridge::from_data(data, name, None)))
    }

    /// Takes the tensor of this name out.
    pub fn remove(&mut self, name: &str) -> Option<WeightTensor> {
        self.tensors.remove(name)
    }

    pub(super) fn insert_tensor(&mut self, tensor: WeightTensor) -> Option<WeightTensor> {
        self.tensors.insert(tensor.name().to_owned(), tensor)
    }

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
