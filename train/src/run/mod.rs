//! Training runs: epochs with validation, checkpoints, and exact resumption.

mod curves;
mod folder;
mod history;
mod lock;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use receptive_layers::metadata::{self, Metadata};

pub use folder::Folder;
pub use lock::FolderLock;
pub use state::{BestEpoch, State};

pub use crate::records::{EpochRecord, Record, StepRecord};

use crate::data::{DataError, DataSplits, Dataset};
use crate::error::TrainError;
use crate::loader::{Loader, Preprocessing};
use crate::metrics::{MetricMeans, MetricSums};
use crate::monitor::{Monitor, RunInfo};
use crate::recipe::{Recipe, SchedulePosition};
use crate::session::{Scores, TrainableNetwork};
use history::History;

/// Configuration of a run.
pub struct Run<'a> {
    /// Name of the network, such as `resnet50`, which the weights are written with.
    pub name: &'a str,
    /// Network to train.
    pub network: &'a mut dyn TrainableNetwork,
    /// Hyperparameters.
    pub recipe: &'a Recipe,
    /// Training and validation images.
    pub data: &'a DataSplits,
    /// Input shape of the network: channels, height, width.
    pub input: [usize; 3],
    /// Output folder.
    pub folder: &'a Folder,
    /// Number of worker threads of the data loader, at least 1.
    pub workers: usize,
    /// Whether unreadable images are skipped instead of ending the run.
    pub skip_bad: bool,
    /// Whether [`resume`](Self::resume) accepts other data and another instruction set than those of
    /// the checkpoint.
    pub accept_changes: bool,
    /// Longest time between two checkpoints within an epoch. A checkpoint is also written after
    /// every epoch.
    pub save_every: Duration,
    /// Whether to write a checkpoint and stop; called after every mini-batch.
    pub stop: &'a dyn Fn() -> bool,
    /// Receiver of progress reports.
    pub monitor: &'a mut dyn Monitor,
}

/// Result of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The run finished. Contains the record of the last epoch, if there is one.
    Finished(Option<EpochRecord>),
    /// The run was stopped and a checkpoint was written.
    Stopped {
        /// The unfinished epoch, from 1.
        epoch: usize,
    },
}

impl Run<'_> {
    /// Starts a new run with the current weights of the network.
    ///
    /// # Errors
    ///
    /// [`TrainError`]. If the folder already contains a run, the error is [`TrainError::RunExists`]
    /// and the folder is not changed. If another process runs in the folder, the error is
    /// [`TrainError::Locked`].
    pub fn start(mut self) -> Result<Outcome, TrainError> {
        let metadata = self.metadata()?;
        let state = State::initial(self.data)?;
        let _lock = self.folder.create(self.recipe)?;
        let history = History::create(&self.folder.metrics())?;
        self.run_epochs(state, history, metadata)
    }

    /// Resumes the run from the last checkpoint of the folder.
    ///
    /// # Errors
    ///
    /// [`TrainError`], for example when the folder has no checkpoint, or when its checkpoint
    /// belongs to a run of another network or on other classes; also on other data or another
    /// instruction set, unless [`accept_changes`](Self::accept_changes).
    pub fn resume(mut self) -> Result<Outcome, TrainError> {
        // Without a folder, reading the checkpoint reports what is missing.
        let _lock = match self.folder.exists() {
            true => Some(self.folder.lock()?),
            false => None,
        };
        let metadata = self.metadata()?;
        let (weights, state) = self.folder.read_checkpoint()?;
        check_metadata(weights.metadata(), &metadata)?;
        if !self.accept_changes {
            state.check(&State::initial(self.data)?)?;
        }
        self.folder.remove_scratch_files();
        self.network.restore(&weights)?;
        let (history, damage) = History::reopen(&self.folder.metrics(), state.metrics_bytes)?;
        if let Some(damage) = damage {
            self.monitor.warning(&damage.to_string());
        }
        self.run_epochs(state, history, metadata)
    }

    /// Returns the metadata of the weights of the run.
    fn metadata(&self) -> Result<Metadata, TrainError> {
        let [channels, height, _] = self.input;
        Ok(Metadata {
            network: Some(self.name.to_owned()),
            labels: Some(self.data.classes.clone()),
            preprocessing: Some(self.recipe.preprocessing(channels, height)?),
            input: Some(self.input),
            recipe_sha256: Some(self.recipe.sha256()?),
            version: Some(metadata::VERSION.to_owned()),
        })
    }

    /// Runs the remaining epochs. All weights are written with `metadata`.
    fn run_epochs(
        &mut self,
        state: State,
        history: History,
        metadata: Metadata,
    ) -> Result<Outcome, TrainError> {
        let (train, validation) = (self.train_loader(), self.validation_loader(&metadata));
        self.monitor.start_run(&RunInfo {
            epochs: self.recipe.epochs,
            first_epoch: state.epoch + 1,
            train_images: train.dataset.len(),
            validation_images: validation.dataset.len(),
        });
        let mut progress = Progress {
            state,
            history,
            train,
            validation,
            metadata,
            last_save: Instant::now(),
        };
        if progress.state.is_initial() {
            self.save_checkpoint(&mut progress)?;
        }
        while progress.state.epoch < self.recipe.epochs {
            if !self.train_epoch(&mut progress)? || !self.validate_epoch(&mut progress)? {
                self.save_checkpoint(&mut progress)?;
                self.monitor.end_run();
                let epoch = progress.state.epoch + 1;
                return Ok(Outcome::Stopped { epoch });
            }
        }
        let weights = self.network.weights().with_metadata(progress.metadata);
        self.folder.write_model(&weights)?;
        self.monitor.end_run();
        Ok(Outcome::Finished(progress.history.last_epoch()))
    }

    /// Returns the data loader of the training images.
    fn train_loader(&self) -> Loader {
        let data = &self.recipe.data;
        Loader {
            mix: data.mix.clone(),
            shuffle: true,
            ..self.loader(
                Arc::clone(&self.data.train),
                Preprocessing {
                    transforms: data.train.clone(),
                    normalisation: data.normalise.clone(),
                    shape: self.input,
                    classes: self.data.classes.len(),
                    smoothing: self.recipe.loss.smoothing() as f32,
                },
            )
        }
    }

    /// Returns the data loader of the validation images, prepared as `metadata` says.
    fn validation_loader(&self, metadata: &Metadata) -> Loader {
        let preprocessing = metadata.preprocessing.expect("that of the recipe");
        let classes = self.data.classes.len();
        self.loader(
            Arc::clone(&self.data.validation),
            Preprocessing::evaluation(&preprocessing, self.input[0], classes),
        )
    }

    fn loader(&self, dataset: Arc<dyn Dataset>, preprocessing: Preprocessing) -> Loader {
        // Validation uses the size of a micro-batch: a micro-batch fits in memory with its
        // gradients, so it fits without them.
        let batch = match self.recipe.batch {
            batch if Arc::ptr_eq(&dataset, &self.data.train) => batch,
            batch => batch.div_ceil(self.recipe.accumulate),
        };
        Loader {
            dataset,
            preprocessing,
            mix: None,
            batch,
            shuffle: false,
            seed: self.recipe.seed,
            workers: self.workers,
            skip_bad: self.skip_bad,
        }
    }

    /// Runs the remaining steps of the epoch. Returns false if the run should stop.
    fn train_epoch(&mut self, progress: &mut Progress) -> Result<bool, TrainError> {
        let batches = progress.train.batches_per_epoch();
        let State { epoch, batch, .. } = progress.state;
        self.monitor
            .start_training(epoch + 1, progress.train.dataset.len());
        for batch in progress.train.epoch(epoch as u64, batch) {
            let batch = batch?;
            let step = (epoch * batches + progress.state.batch) as u64;
            self.count_skipped(&mut progress.state, &batch.skipped);
            if !batch.is_empty() {
                let position = SchedulePosition {
                    step,
                    steps_per_epoch: batches as u64,
                    epochs: self.recipe.epochs,
                };
                let base = self.recipe.optimizer.rate();
                let rate = self
                    .recipe
                    .schedule
                    .rate(base, position, &progress.state.plateau);
                let Scores { loss, logits } = self.network.step(&batch, rate, step)?;
                progress.state.sums.add(loss, &logits, &batch.labels);
                let record = StepRecord {
                    epoch: epoch + 1,
                    step: step + 1,
                    rate,
                    loss,
                };
                progress.history.step(&record)?;
                let seen = (progress.state.batch + 1) * self.recipe.batch;
                let means = progress.state.sums.means();
                self.monitor
                    .step(&record, seen.min(progress.train.dataset.len()), means);
            }
            progress.state.batch += 1;
            if (self.stop)() {
                return Ok(false);
            }
            if progress.last_save.elapsed() >= self.save_every {
                self.save_checkpoint(progress)?;
            }
        }
        Ok(true)
    }

    /// Validates the epoch and completes it. Returns false if the run should stop.
    fn validate_epoch(&mut self, progress: &mut Progress) -> Result<bool, TrainError> {
        let empty = |split| TrainError::Data(DataError::NoReadableImages { split });
        let train = progress
            .state
            .sums
            .means()
            .ok_or_else(|| empty("training"))?;
        let Some(validation) = self.evaluate(progress)? else {
            return Ok(false);
        };
        let validation = validation.means().ok_or_else(|| empty("validation"))?;
        self.finish_epoch(progress, train, validation)?;
        Ok(true)
    }

    /// Computes the metrics of the validation images; `None` if the run should stop.
    fn evaluate(&mut self, progress: &Progress) -> Result<Option<MetricSums>, TrainError> {
        let images = progress.validation.dataset.len();
        self.monitor
            .start_validation(progress.state.epoch + 1, images);
        let evaluator = self.network.evaluator();
        let mut sums = MetricSums::default();
        for batch in progress.validation.epoch(0, 0) {
            let batch = batch?;
            if !batch.is_empty() {
                let Scores { loss, logits } = evaluator.scores(&batch)?;
                sums.add(loss, &logits, &batch.labels);
            }
            self.monitor.validated(sums.count as usize);
            if (self.stop)() {
                return Ok(None);
            }
        }
        Ok(Some(sums))
    }

    /// Updates the schedule, records the epoch, and writes the checkpoint and the chart.
    fn finish_epoch(
        &mut self,
        progress: &mut Progress,
        train: MetricMeans,
        validation: MetricMeans,
    ) -> Result<(), TrainError> {
        let state = &mut progress.state;
        let schedule = &self.recipe.schedule;
        schedule.observe(&mut state.plateau, 1.0 - validation.top1, validation.loss);
        state.epoch += 1;
        let record = EpochRecord {
            epoch: state.epoch,
            step: (state.epoch * progress.train.batches_per_epoch()) as u64,
            train,
            validation,
            skipped: state.skipped,
            seconds: state.seconds + progress.history.elapsed().as_secs_f64(),
        };
        progress.history.epoch(&record)?;
        let better = |best: &BestEpoch| validation.top1 > best.top1;
        let is_best = state.best.as_ref().is_none_or(better);
        if is_best {
            state.best = Some(BestEpoch {
                epoch: record.epoch,
                top1: validation.top1,
            });
            let weights = self.network.weights();
            let weights = weights.with_metadata(progress.metadata.clone());
            self.folder.write_best(&weights)?;
        }
        state.batch = 0;
        state.sums = MetricSums::default();
        state.skipped = 0;
        self.save_checkpoint(progress)?;
        progress.history.draw(&self.folder.curves())?;
        self.monitor.end_epoch(&record, is_best);
        Ok(())
    }

    /// Counts and reports the skipped images.
    fn count_skipped(&mut self, state: &mut State, skipped: &[String]) {
        state.skipped += skipped.len() as u64;
        for error in skipped {
            self.monitor.skipped(error);
        }
    }

    /// Writes a checkpoint.
    fn save_checkpoint(&mut self, progress: &mut Progress) -> Result<(), TrainError> {
        progress.state.metrics_bytes = progress.history.flush()?;
        let mut state = progress.state.clone();
        state.seconds += progress.history.elapsed().as_secs_f64();
        let weights = self.network.state()?;
        let weights = weights.with_metadata(progress.metadata.clone());
        self.folder.write_checkpoint(weights, &state)?;
        progress.last_save = Instant::now();
        Ok(())
    }
}

/// Checks that the checkpoint's network and classes are those of the run.
fn check_metadata(found: &Metadata, expected: &Metadata) -> Result<(), TrainError> {
    let mismatch = |property, found: String, expected: String| {
        Err(TrainError::RunMismatch {
            property,
            found,
            expected,
        })
    };
    if found.network != expected.network {
        let name = |metadata: &Metadata| metadata.network.clone().unwrap_or_default();
        return mismatch("the network", name(found), name(expected));
    }
    let labels = |metadata: &Metadata| metadata.labels.clone().unwrap_or_default();
    let (found, expected) = (labels(found), labels(expected));
    if found.len() != expected.len() {
        let count = |labels: &[String]| labels.len().to_string();
        return mismatch("the number of classes", count(&found), count(&expected));
    }
    match found.iter().zip(&expected).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(class) => mismatch(
            "the name of a class",
            format!("{:?}", found[class]),
            format!("{:?}", expected[class]),
        ),
    }
}

/// State, files and data loaders of a run in progress.
struct Progress {
    state: State,
    history: History,
    train: Loader,
    validation: Loader,
    /// Metadata of the weights of the run.
    metadata: Metadata,
    last_save: Instant,
}
