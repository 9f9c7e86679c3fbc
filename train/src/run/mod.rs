//! Training runs: epochs with validation, checkpoints, and exact resumption.

mod curves;
mod folder;
mod history;
mod lock;
mod ranks;
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

use crate::cluster::{Cluster, any, gather_numbers, share_of};
use crate::data::{DataError, DataSplits, Dataset};
use crate::error::TrainError;
use crate::loader::{Batch, Division, Loader, Preprocessing};
use crate::metrics::{MetricMeans, MetricSums};
use crate::monitor::{Monitor, RunInfo};
use crate::recipe::{Recipe, SchedulePosition};
use crate::session::{Scores, Step, StepMetrics, TrainableNetwork};
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
    /// The ranks that run this together; [`Alone`](crate::cluster::Alone) for a single process. Rank 0
    /// alone uses the folder.
    pub cluster: &'a dyn Cluster,
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
        let outcome = self.start_rank();
        self.report_error(outcome)
    }

    fn start_rank(&mut self) -> Result<Outcome, TrainError> {
        let metadata = self.metadata()?;
        let state = State::initial(self.data)?;
        self.check_ranks(&state, &metadata)?;
        if !self.is_writer() {
            return self.run_epochs(state, None, metadata);
        }
        let _lock = self.folder.create(self.recipe)?;
        let history = History::create(&self.folder.metrics())?;
        self.run_epochs(state, Some(history), metadata)
    }

    /// Resumes the run from the last checkpoint of the folder.
    ///
    /// # Errors
    ///
    /// [`TrainError`], for example when the folder has no checkpoint, or when its checkpoint
    /// belongs to a run of another network or on other classes; also on other data or another
    /// instruction set, unless [`accept_changes`](Self::accept_changes).
    pub fn resume(mut self) -> Result<Outcome, TrainError> {
        let outcome = self.resume_rank();
        self.report_error(outcome)
    }

    fn resume_rank(&mut self) -> Result<Outcome, TrainError> {
        let metadata = self.metadata()?;
        let now = State::initial(self.data)?;
        self.check_ranks(&now, &metadata)?;
        if !self.is_writer() {
            return self.run_epochs(now, None, metadata);
        }
        // Without a folder, reading the checkpoint reports what is missing.
        let _lock = match self.folder.exists() {
            true => Some(self.folder.lock()?),
            false => None,
        };
        let (weights, state) = self.folder.read_checkpoint()?;
        check_metadata(weights.metadata(), &metadata)?;
        if !self.accept_changes {
            state.check(&now)?;
        }
        self.folder.remove_scratch_files();
        self.network.restore(&weights)?;
        let (history, damage) = History::reopen(&self.folder.metrics(), state.metrics_bytes)?;
        if let Some(damage) = damage {
            self.monitor.warning(&damage.to_string());
        }
        self.run_epochs(state, Some(history), metadata)
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
        history: Option<History>,
        metadata: Metadata,
    ) -> Result<Outcome, TrainError> {
        let (train, validation) = (self.train_loader(), self.validation_loader(&metadata));
        let mut progress = Progress {
            state,
            history,
            train,
            validation,
            metadata,
            start: Instant::now(),
            last_save: Instant::now(),
        };
        if progress.state.is_initial() {
            self.save_checkpoint(&mut progress)?;
        }
        self.share_checkpoint(&mut progress.state)?;
        self.monitor.start_run(&RunInfo {
            epochs: self.recipe.epochs,
            first_epoch: progress.state.epoch + 1,
            train_images: progress.train.dataset.len(),
            validation_images: progress.validation.dataset.len(),
        });
        while progress.state.epoch < self.recipe.epochs {
            if !self.train_epoch(&mut progress)? || !self.validate_epoch(&mut progress)? {
                self.save_checkpoint(&mut progress)?;
                self.monitor.end_run();
                let epoch = progress.state.epoch + 1;
                return Ok(Outcome::Stopped { epoch });
            }
        }
        let mut last = None;
        if let Some(history) = &progress.history {
            let weights = self.network.weights().with_metadata(progress.metadata);
            self.folder.write_model(&weights)?;
            last = history.last_epoch();
        }
        // The other ranks learn of an error of rank 0 in writing.
        any(self.cluster, false)?;
        self.monitor.end_run();
        Ok(Outcome::Finished(last))
    }

    /// Returns the data loader of the training images.
    fn train_loader(&self) -> Loader {
        let data = &self.recipe.data;
        let (rank, ranks, count) = (self.cluster.rank(), self.cluster.ranks(), self.recipe.parts);
        Loader {
            mix: data.mix.clone(),
            shuffle: true,
            division: Division::Parts {
                own: share_of(count, rank, ranks),
                count,
            },
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
            batch => batch.div_ceil(self.recipe.accumulate * self.recipe.parts),
        };
        Loader {
            division: Division::Batches {
                rank: self.cluster.rank(),
                ranks: self.cluster.ranks(),
            },
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
            let number = (epoch * batches + progress.state.batch) as u64;
            let images = self.count_images(&mut progress.state, &batch)?;
            if images > 0 {
                let position = SchedulePosition {
                    step: number,
                    steps_per_epoch: batches as u64,
                    epochs: self.recipe.epochs,
                };
                let base = self.recipe.optimizer.rate();
                let rate = self
                    .recipe
                    .schedule
                    .rate(base, position, &progress.state.plateau);
                let step = Step {
                    batch: &batch,
                    images,
                    rate,
                    number,
                };
                let StepMetrics { loss, sums } = self.network.step(&step, self.cluster)?;
                progress.state.sums += sums;
                let record = StepRecord {
                    epoch: epoch + 1,
                    step: number + 1,
                    rate,
                    loss,
                };
                if let Some(history) = &mut progress.history {
                    history.step(&record)?;
                }
                let seen = (progress.state.batch + 1) * self.recipe.batch;
                let means = progress.state.sums.means();
                self.monitor
                    .step(&record, seen.min(progress.train.dataset.len()), means);
            }
            progress.state.batch += 1;
            if any(self.cluster, (self.stop)())? {
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
        let ranks = self.cluster.ranks();
        let (mut own, mut stopped) = (Vec::new(), false);
        let mut done = 0;
        for batch in progress.validation.epoch(0, 0) {
            let batch = batch?;
            let mut sums = MetricSums::default();
            if !batch.is_empty() {
                let Scores { loss, logits } = evaluator.scores(&batch)?;
                sums = MetricSums::of(loss, &logits, &batch.labels);
            }
            own.extend(sums.to_numbers());
            done += ranks * sums.count as usize;
            self.monitor.validated(done.min(images));
            stopped = (self.stop)();
            if stopped {
                break;
            }
        }
        if any(self.cluster, stopped)? {
            return Ok(None);
        }
        // The sum has the order of the mini-batches, whichever rank evaluated them.
        let by_rank = gather_numbers(self.cluster, &own)?;
        let mut sums = MetricSums::default();
        for batch in 0..progress.validation.batches_per_epoch() {
            let (numbers, _) = by_rank[batch % ranks].as_chunks();
            let found = numbers.get(batch / ranks);
            sums += found.map_or(MetricSums::default(), |&own| MetricSums::from_numbers(own));
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
            seconds: state.seconds + progress.start.elapsed().as_secs_f64(),
        };
        if let Some(history) = &mut progress.history {
            history.epoch(&record)?;
        }
        let better = |best: &BestEpoch| validation.top1 > best.top1;
        let is_best = state.best.as_ref().is_none_or(better);
        if is_best {
            state.best = Some(BestEpoch {
                epoch: record.epoch,
                top1: validation.top1,
            });
            if progress.history.is_some() {
                let weights = self.network.weights();
                let weights = weights.with_metadata(progress.metadata.clone());
                self.folder.write_best(&weights)?;
            }
        }
        state.batch = 0;
        state.sums = MetricSums::default();
        state.skipped = 0;
        self.save_checkpoint(progress)?;
        if let Some(history) = &progress.history {
            history.draw(&self.folder.curves())?;
        }
        self.monitor.end_epoch(&record, is_best);
        Ok(())
    }

    /// Counts and reports the skipped images of a mini-batch, and returns the number of its readable
    /// images on all ranks.
    fn count_images(&mut self, state: &mut State, batch: &Batch) -> Result<usize, TrainError> {
        for error in &batch.skipped {
            self.monitor.skipped(error);
        }
        let numbers = [batch.len() as u64, batch.skipped.len() as u64];
        let mut images = 0;
        for rank in gather_numbers(self.cluster, &numbers)? {
            images += rank.first().copied().unwrap_or(0) as usize;
            state.skipped += rank.get(1).copied().unwrap_or(0);
        }
        Ok(images)
    }

    /// Writes a checkpoint, on the rank that uses the folder.
    fn save_checkpoint(&mut self, progress: &mut Progress) -> Result<(), TrainError> {
        let Some(history) = &mut progress.history else {
            return Ok(());
        };
        progress.state.metrics_bytes = history.flush()?;
        let mut state = progress.state.clone();
        state.seconds += progress.start.elapsed().as_secs_f64();
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
    /// The metrics file, on the rank that uses the folder.
    history: Option<History>,
    train: Loader,
    validation: Loader,
    /// Metadata of the weights of the run.
    metadata: Metadata,
    start: Instant,
    last_save: Instant,
}
