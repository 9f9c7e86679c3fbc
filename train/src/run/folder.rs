//! The files of a run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use receptive_layers::atomic_file::{AtomicFile, is_temporary_name};
use receptive_layers::weights::{Format, Precision, StateDict};

use super::State;
use crate::error::TrainError;
use crate::recipe::Recipe;

/// The name under which a checkpoint keeps [`State`] as JSON.
const STATE: &str = "run";

/// The folder that a run is written to. Each file is there whole or not at all, except the last line
/// of `metrics.jsonl`.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The recipe with all its defaults and overrides.
    pub fn recipe(&self) -> PathBuf {
        self.path.join("recipe.toml")
    }

    /// A line for each step and each epoch.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Loss and accuracy over the epochs.
    pub fn curves(&self) -> PathBuf {
        self.path.join("curves.svg")
    }

    /// The weights after the last epoch, under the reference's names.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// All that the run can go on from.
    pub fn last(&self) -> PathBuf {
        self.path.join("checkpoints/last.safetensors")
    }

    /// The weights after the best epoch, under the reference's names.
    pub fn best(&self) -> PathBuf {
        self.path.join("checkpoints/best.safetensors")
    }

    /// Makes the folder and writes the recipe.
    pub(super) fn begin(&self, recipe: &Recipe) -> Result<(), TrainError> {
        if self.last().exists() {
            return Err(TrainError::Occupied {
                folder: self.path.clone(),
            });
        }
        let checkpoints = self.path.join("checkpoints");
        fs::create_dir_all(&checkpoints).map_err(|source| TrainError::Write {
            path: checkpoints,
            source,
        })?;
        write(&self.recipe(), recipe.text()?.as_bytes())
    }

    /// The recipe of the run in this folder.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoRun`] where there is none.
    pub fn read_recipe(&self) -> Result<Recipe, TrainError> {
        if !self.last().is_file() {
            return Err(TrainError::NoRun {
                folder: self.path.clone(),
            });
        }
        Ok(Recipe::open(&self.recipe(), &[])?)
    }

    /// Removes what a killed process had begun to write.
    pub(super) fn sweep(&self) {
        for folder in [self.path.clone(), self.path.join("checkpoints")] {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| is_temporary_name(&entry.file_name())) {
                // A file that stays is of no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

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
        weights.insert(STATE, TensorData::new(json, [length]));
        Ok(weights.save(self.last(), Format::SafeTensors, Precision::F32)?)
    }

    pub(super) fn last_checkpoint(&self) -> Result<(StateDict, State), TrainError> {
        let path = self.last();
        let weights = StateDict::open(&path)?;
        let unreadable = |error: &dyn ToString| TrainError::Read {
            path: path.clone(),
            reason: error.to_string(),
        };
        let json = weights
            .get(STATE)
            .ok_or_else(|| TrainError::Incomplete {
                lacking: STATE.to_owned(),
            })?
            .data()?
            .try_to_vec::<u8>()
            .map_err(|error| unreadable(&error))?;
        let state = serde_json::from_slice(&json).map_err(|error| unreadable(&error))?;
        Ok((weights, state))
    }

    pub(super) fn write_best(&self, weights: &StateDict) -> Result<(), TrainError> {
        Ok(weights.save(self.best(), Format::SafeTensors, Precision::F32)?)
    }

    pub(super) fn write_model(&self, weights: &StateDict) -> Result<(), TrainError> {
        Ok(weights.save(self.model(), Format::SafeTensors, Precision::F32)?)
    }
}

/// Writes a file that appears once it is whole.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let written = || {
        let mut file = AtomicFile::create(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    written().map_err(|source| TrainError::Write {
        path: path.to_owned(),
        source,
    })
}
