//! A run: epochs of steps, each epoch judged, everything written so that it can go on after any end.

mod curves;
mod folder;
mod history;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use receptive_layers::weights::StateDict;

pub use folder::Folder;
pub(crate) use folder::write as write_whole;
pub use history::{EpochRecord, Line, StepRecord};
pub use state::{Best, State};

use crate::data::{Data, DataError, Dataset};
use crate::error::TrainError;
use crate::loader::{Loader, Preparation};
use crate::metrics::{Means, MetricSums};
use crate::monitor::{About, Monitor};
use crate::recipe::{Place, Recipe};
use crate::session::{Scores, TrainableNetwork};
use history::History;

/// All that a run needs.
pub struct Run<'a> {
    /// The network.
    pub network: &'a mut dyn TrainableNetwork,
    /// How it is trained.
    pub recipe: &'a Recipe,
    /// With what.
    pub data: &'a Data,
    /// What the network takes: channels, height, width.
    pub input: [usize; 3],
    /// Where the run is written.
    pub folder: &'a Folder,
    /// Threads that prepare images, at least 1.
    pub workers: usize,
    /// Whether images that cannot be read are left out.
    pub skip_bad: bool,
    /// The longest time between two checkpoints.
    pub save_every: Duration,
    /// Whether the run should be saved and left; asked after every step.
    pub stop: &'a dyn Fn() -> bool,
    /// Who is told.
    pub monitor: &'a mut dyn Monitor,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// After its last epoch, which judged so.
    Finished(Option<EpochRecord>),
    /// Before, saved, in this epoch (from 1).
    Stopped {
        /// The epoch.
        epoch: usize,
    },
}

impl Run<'_> {
    /// Trains from the weights that the network has.
    ///
    /// # Errors
    ///
    /// [`TrainError`]; the folder is untouched where it holds a run already.
    pub fn start(mut self) -> Result<Outcome, TrainError> {
        self.recipe
            .data
            .normalise
            .validate(self.input[0])
            .map_err(|source| crate::recipe::RecipeError::Invalid {
                part: "data.normalise".to_owned(),
                source,
            })?;
        self.folder.begin(self.recipe)?;
        let state = State::fresh(self.data);
        let history = History::create(&self.folder.metrics())?;
        self.go(state, history)
    }

    /// Goes on from the folder's last checkpoint.
    ///
    /// # Errors
    ///
    /// [`TrainError`], also when the folder has no checkpoint or one of other data.
    pub fn resume(mut self) -> Result<Outcome, TrainError> {
        let (weights, state) = self.folder.last_checkpoint()?;
        state.check(self.data)?;
        self.folder.sweep();
        self.network.restore(&weights)?;
        let history = History::reopen(&self.folder.metrics(), state.metrics_bytes)?;
        self.go(state, history)
    }

    fn go(&mut self, state: State, history: History) -> Result<Outcome, TrainError> {
        let (train, validation) = (self.train_loader(), self.validation_loader());
        self.monitor.begin(&About {
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
            saved: Instant::now(),
        };
        if progress.state == State::fresh(self.data) {
            self.save(&mut progress)?;
        }
        while progress.state.epoch < self.recipe.epochs {
            if !self.train_epoch(&mut progress)? || !self.judge_epoch(&mut progress)? {
                self.save(&mut progress)?;
                self.monitor.end();
                let epoch = progress.state.epoch + 1;
                return Ok(Outcome::Stopped { epoch });
            }
        }
        self.folder.write_model(&self.network.weights())?;
        self.monitor.end();
        Ok(Outcome::Finished(progress.history.last_epoch()?))
    }

    fn train_loader(&self) -> Loader {
        let data = &self.recipe.data;
        Loader {
            mix: data.mix.clone(),
            shuffle: true,
            ..self.loader(
                Arc::clone(&self.data.train),
                Preparation {
                    transforms: data.train.clone(),
                    normalisation: data.normalise.clone(),
                    shape: self.input,
                    classes: self.data.classes.len(),
                    smoothing: self.recipe.loss.smoothing() as f32,
                },
            )
        }
    }

    fn validation_loader(&self) -> Loader {
        let data = &self.recipe.data;
        self.loader(
            Arc::clone(&self.data.validation),
            Preparation {
                transforms: data.evaluate.clone(),
                normalisation: data.normalise.clone(),
                shape: self.input,
                classes: self.data.classes.len(),
                smoothing: 0.0,
            },
        )
    }

    fn loader(&self, dataset: Arc<dyn Dataset>, preparation: Preparation) -> Loader {
        // What fits in memory with its gradients fits without them.
        let batch = match self.recipe.batch {
            batch if Arc::ptr_eq(&dataset, &self.data.train) => batch,
            batch => batch.div_ceil(self.recipe.accumulate),
        };
        Loader {
            dataset,
            preparation,
            mix: None,
            batch,
            shuffle: false,
            seed: self.recipe.seed,
            workers: self.workers,
            skip_bad: self.skip_bad,
        }
    }

    /// The rest of the epoch's steps; false where the run is to be left.
    fn train_epoch(&mut self, progress: &mut Progress) -> Result<bool, TrainError> {
        let batches = progress.train.batches();
        let State { epoch, batch, .. } = progress.state;
        self.monitor.train(epoch + 1, progress.train.dataset.len());
        for batch in progress.train.epoch(epoch as u64, batch) {
            let batch = batch?;
            let step = (epoch * batches + progress.state.batch) as u64;
            self.count_skipped(&mut progress.state, &batch.skipped);
            if !batch.is_empty() {
                let place = Place {
                    step,
                    steps_per_epoch: batches as u64,
                    epochs: self.recipe.epochs,
                };
                let base = self.recipe.optimizer.rate();
                let rate = self
                    .recipe
                    .schedule
                    .rate(base, place, &progress.state.plateau);
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
            if progress.saved.elapsed() >= self.save_every {
                self.save(progress)?;
            }
        }
        Ok(true)
    }

    /// Judges the epoch and goes on to the next; false where the run is to be left.
    fn judge_epoch(&mut self, progress: &mut Progress) -> Result<bool, TrainError> {
        let empty = |split| TrainError::Data(DataError::AllBad { split });
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

    /// The validation images; `None` where the run is to be left.
    fn evaluate(&mut self, progress: &Progress) -> Result<Option<MetricSums>, TrainError> {
        let images = progress.validation.dataset.len();
        self.monitor.validate(progress.state.epoch + 1, images);
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

    fn finish_epoch(
        &mut self,
        progress: &mut Progress,
        train: Means,
        validation: Means,
    ) -> Result<(), TrainError> {
        let state = &mut progress.state;
        let schedule = &self.recipe.schedule;
        schedule.observe(&mut state.plateau, 1.0 - validation.top1, validation.loss);
        state.epoch += 1;
        let record = EpochRecord {
            epoch: state.epoch,
            step: (state.epoch * progress.train.batches()) as u64,
            train,
            validation,
            skipped: state.skipped,
            seconds: state.seconds + progress.history.elapsed().as_secs_f64(),
        };
        progress.history.epoch(&record)?;
        let better = |best: &Best| validation.top1 > best.top1;
        let is_best = state.best.as_ref().is_none_or(better);
        if is_best {
            state.best = Some(Best {
                epoch: record.epoch,
                top1: validation.top1,
            });
            self.folder.write_best(&self.network.weights())?;
        }
        state.batch = 0;
        state.sums = MetricSums::default();
        state.skipped = 0;
        self.save(progress)?;
        progress.history.draw(&self.folder.curves())?;
        self.monitor.epoch(&record, is_best);
        Ok(())
    }

    fn count_skipped(&mut self, state: &mut State, skipped: &[String]) {
        state.skipped += skipped.len() as u64;
        for error in skipped {
            self.monitor.skipped(error);
        }
    }

    fn save(&mut self, progress: &mut Progress) -> Result<(), TrainError> {
        progress.state.metrics_bytes = progress.history.flush()?;
        let mut state = progress.state.clone();
        state.seconds += progress.history.elapsed().as_secs_f64();
        let weights: StateDict = self.network.state()?;
        self.folder.write_checkpoint(weights, &state)?;
        progress.saved = Instant::now();
        Ok(())
    }
}

/// Where a run is, and what it goes on with.
struct Progress {
    state: State,
    history: History,
    train: Loader,
    validation: Loader,
    saved: Instant,
}
