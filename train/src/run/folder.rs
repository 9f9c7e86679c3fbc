//! Output folder of a run.

use std::fs;
use std::path::PathBuf;

use burn::tensor::TensorData;
use receptive_layers::scratch::is_scratch_name;
use receptive_layers::weights::{FloatType, Format, StateDict};

use super::lock::FolderLock;
use super::state::State;
use crate::error::TrainError;
use crate::recipe::Recipe;
use crate::write::write_atomic;

/// Name of the tensor that stores [`State`] as JSON in a checkpoint.
const STATE_TENSOR: &str = "run";

/// Output folder of a run. Files are replaced atomically, except `metrics.jsonl`, whose last line
/// may be incomplete after a crash. A run locks its folder, so that no other process writes to it.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Returns the output folder at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Whether the folder exists.
    pub(super) fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Path of the recipe, with all defaults and overrides resolved.
    pub fn recipe(&self) -> PathBuf {
        self.path.join("recipe.toml")
    }

    /// Path of the metrics: one JSON record per step and per epoch.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Path of the chart of loss and accuracy over the epochs.
    pub fn curves(&self) -> PathBuf {
        self.path.join("curves.svg")
    }

    /// Path of the weights after the last epoch, with the tensor names of the reference
    /// implementation.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// Returns the path of the trained network as an ONNX file.
    pub fn onnx(&self) -> PathBuf {
        self.path.join("model.onnx")
    }

    /// Path of the last checkpoint, from which the run can be resumed.
    pub fn last(&self) -> PathBuf {
        self.path.join("checkpoints/last.safetensors")
    }

    /// Path of the weights after the epoch with the highest validation accuracy, with the tensor
    /// names of the reference implementation.
    pub fn best(&self) -> PathBuf {
        self.path.join("checkpoints/best.safetensors")
    }

    /// Path of the file that a run locks.
    fn lock_file(&self) -> PathBuf {
        self.path.join(".lock")
    }

    /// Locks the folder if a run has locked it before.
    ///
    /// # Errors
    ///
    /// [`TrainError::Locked`] while another process runs in the folder.
    pub fn lock_existing(&self) -> Result<Option<FolderLock>, TrainError> {
        let path = self.lock_file();
        match path.is_file() {
            true => FolderLock::acquire(&self.path, &path).map(Some),
            false => Ok(None),
        }
    }

    /// Locks the folder, which exists.
    pub(super) fn lock(&self) -> Result<FolderLock, TrainError> {
        FolderLock::acquire(&self.path, &self.lock_file())
    }

    /// Creates and locks the folder for weights that no run of epochs writes.
    ///
    /// # Errors
    ///
    /// The errors of [`check_is_new`](Self::check_is_new), [`TrainError::Locked`] while another process runs in the folder,
    /// [`TrainError::Write`] if the folder cannot be created.
    pub fn create_for_weights(&self) -> Result<FolderLock, TrainError> {
        self.check_is_new()?;
        fs::create_dir_all(&self.path).map_err(|source| TrainError::Write {
            path: self.path.clone(),
            source,
        })?;
        let lock = self.lock()?;
        // Another process may have written weights before the lock.
        self.check_is_new()?;
        Ok(lock)
    }

    /// Checks that the folder contains no weights.
    ///
    /// # Errors
    ///
    /// [`TrainError::RunExists`] if it contains a run, [`TrainError::WeightsExist`] if it contains weights alone.
    pub fn check_is_new(&self) -> Result<(), TrainError> {
        let folder = self.path.clone();
        if self.last().exists() {
            return Err(TrainError::RunExists { folder });
        }
        match self.model().exists() {
            true => Err(TrainError::WeightsExist { folder }),
            false => Ok(()),
        }
    }

    /// Creates and locks the folder and writes the recipe.
    pub(super) fn create(&self, recipe: &Recipe) -> Result<FolderLock, TrainError> {
        let locked = self.lock_existing()?;
        self.check_is_new()?;
        let checkpoints = self.path.join("checkpoints");
        fs::create_dir_all(&checkpoints).map_err(|source| TrainError::Write {
            path: checkpoints,
            source,
        })?;
        let lock = match locked {
            Some(lock) => lock,
            None => self.lock()?,
        };
        // Another process may have written a checkpoint before the lock.
        self.check_is_new()?;
        self.remove_scratch_files();
        write_atomic(&self.recipe(), recipe.text()?.as_bytes())?;
        Ok(lock)
    }

    /// Reads the recipe of the run in this folder.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoRun`] when the folder contains no checkpoint; [`TrainError::Recipe`] when
    /// the recipe cannot be read.
    pub fn read_recipe(&self) -> Result<Recipe, TrainError> {
        if !self.last().is_file() {
            return Err(TrainError::NoRun {
                folder: self.path.clone(),
            });
        }
        Ok(Recipe::open(&self.recipe(), &[])?)
    }

    /// Removes the temporary files of a killed process from the locked folder.
    pub(super) fn remove_scratch_files(&self) {
        for folder in [self.path.clone(), self.path.join("checkpoints")] {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| is_scratch_name(&entry.file_name())) {
                // A temporary file that cannot be removed does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Writes the last checkpoint.
    pub(super) fn write_checkpoint(
        &self,
        mut weights: StateDict,
        state: &State,
    ) -> Result<(), TrainError> {
        let json = serde_json::to_vec(state).map_err(|error| TrainError::Write {
            path: self.last(),
            source: error.into(),
        })?;
        let length = json.len();
        weights.insert(STATE_TENSOR, TensorData::new(json, [length]));
        Ok(weights.save(self.last(), Format::SafeTensors, FloatType::F32)?)
    }

    /// Reads the last checkpoint.
    pub(super) fn read_checkpoint(&self) -> Result<(StateDict, State), TrainError> {
        let weights = StateDict::open(self.last())?;
        let state = self.state_of(&weights)?;
        Ok((weights, state))
    }

    /// Returns the content of the last checkpoint.
    pub(super) fn checkpoint_bytes(&self) -> Result<Vec<u8>, TrainError> {
        fs::read(self.last()).map_err(|error| self.unreadable(&error))
    }

    /// Returns the state in a checkpoint.
    pub(super) fn state_of(&self, weights: &StateDict) -> Result<State, TrainError> {
        let json = weights
            .get(STATE_TENSOR)
            .ok_or_else(|| TrainError::MissingTensor {
                name: STATE_TENSOR.to_owned(),
            })?
            .data()?
            .try_to_vec::<u8>()
            .map_err(|error| self.unreadable(&error))?;
        serde_json::from_slice(&json).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &dyn ToString) -> TrainError {
        TrainError::Read {
            path: self.last(),
            reason: error.to_string(),
        }
    }

    /// Writes the weights of the best epoch.
    pub(super) fn write_best(&self, weights: &StateDict) -> Result<(), TrainError> {
        Ok(weights.save(self.best(), Format::SafeTensors, FloatType::F32)?)
    }

    /// Writes the weights of the last epoch.
    pub(super) fn write_model(&self, weights: &StateDict) -> Result<(), TrainError> {
        Ok(weights.save(self.model(), Format::SafeTensors, FloatType::F32)?)
    }
}
