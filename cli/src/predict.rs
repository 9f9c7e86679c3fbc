//! Runs a network on many images, and delivers a row for each of them in order.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar};
use receptive_layers::classifier::ClassifierError;
use receptive_layers::image::{ImageError, LeftOut, RgbImage};
use receptive_layers::{pipeline, printable};

use crate::args::{ComputeArgs, Engine, OutputArgs, RowFormat};
use crate::engine::threads_or_cores;
use crate::error::{CliError, one_line, print_note};
use crate::explainer::Preview;
use crate::inputs::{Input, Inputs};
use crate::progress::image_bar;
use crate::rows::{self, Answer, Columns, Failure, Opened, Row, RowFile, Settings, WrittenRow};

/// Images in a batch of a compiled network. Larger batches use more memory and are not faster. The
/// size affects the last digits of results, so it is the same for every run of several images or to a
/// file.
pub const BATCH: usize = 8;

/// Kind of failure of an image whose picture cannot be written, which ends the run.
pub const NOT_DRAWN: &str = "not drawn";

/// A network that computes answers for images.
pub trait Predictor: Sync {
    /// Converts the photo of the image at `path` to the network's input.
    fn prepare(&self, path: &str, photo: RgbImage) -> (Vec<f32>, Prepared);

    /// Computes the answers of prepared images, whose inputs are `images`,
    /// `[count, channels, height, width]`.
    ///
    /// # Errors
    ///
    /// [`ClassifierError`] if the network cannot run.
    fn run(
        &self,
        images: &[f32],
        prepared: &[Prepared],
    ) -> Result<Vec<Result<Answer, Failure>>, ClassifierError>;

    /// Largest number of images in a run.
    fn max_batch(&self) -> usize;

    /// Number of pixels to which the shorter side of an image is resized.
    fn shorter_side(&self) -> usize;
}

/// State of a decoded image beside the network's input.
#[derive(Default)]
pub struct Prepared {
    /// Whether the photo was inverted.
    pub inverted: bool,
    /// The picture that explains the answer: its file, and the photo.
    pub picture: Option<(PathBuf, Preview)>,
}

/// Threads of a command that processes many images, and of each of its plans.
#[derive(Debug, Clone, Copy)]
pub struct Workers {
    /// Threads that decode images and run the network.
    pub count: NonZero<usize>,
    /// Options of each thread's network.
    pub compute: ComputeArgs,
    /// Images in a batch.
    pub batch: usize,
    /// Whether the network runs on one batch at a time, by threads or a device of its own.
    serial: bool,
}

impl Workers {
    /// Returns the threads for `images` images, or for any number of images. One image is computed by
    /// all threads together; several are computed by threads of their own.
    ///
    /// # Errors
    ///
    /// [`CliError::CompiledDevice`] if `compute` names the compiled engine and a device.
    pub fn new(images: Option<u64>, compute: &ComputeArgs) -> Result<Self, CliError> {
        if images == Some(1) {
            return Ok(Self {
                count: NonZero::<usize>::MIN,
                compute: *compute,
                batch: 1,
                serial: false,
            });
        }
        let serial = compute.engine()? == Engine::Eager;
        Ok(Self {
            count: threads_or_cores(compute.threads),
            compute: ComputeArgs {
                // Burn's backends have one pool of threads for all workers.
                threads: if serial { compute.threads } else { Some(1) },
                ..*compute
            },
            batch: BATCH,
            serial,
        })
    }
}

/// The outcome of a run.
pub struct Summary {
    /// Number of images without an answer, by the kind of failure.
    failures: BTreeMap<&'static str, u64>,
    /// Number of images, with those of an interrupted run.
    images: u64,
    /// Number of failures of an interrupted run.
    earlier_failures: u64,
    /// Number of images of an interrupted run.
    earlier: u64,
    time: Duration,
    left_out: LeftOut,
}

/// Writes the rows of `inputs` to the file that `output` names, or to standard output. Returns `None` if
/// the run that is to be continued is complete.
///
/// # Errors
///
/// The errors of [`run`] and of [`RowFile`].
pub fn write(
    predictor: &dyn Predictor,
    inputs: Inputs,
    workers: &Workers,
    output: &OutputArgs,
    columns: Columns,
    settings: &Settings,
) -> Result<Option<Summary>, CliError> {
    let Some(path) = output.file() else {
        if output.resume {
            return Err(CliError::ResumeDevice {
                path: "standard output".into(),
            });
        }
        let format = output.format.unwrap_or(RowFormat::Jsonl);
        let mut rows = rows::to_standard_output(format, columns)?;
        let summary = run(
            predictor,
            inputs,
            workers,
            &[],
            Path::new(""),
            |row, progress| {
                progress.suspend(|| rows.write(row).and_then(|()| rows.flush()))?;
                Ok(())
            },
        )?;
        rows.finish()?;
        return Ok(Some(summary));
    };
    let paths = rows::paths_file(path);
    for output in [path, &paths] {
        if inputs.contain(output) {
            return Err(CliError::OutputIsInput {
                path: output.to_owned(),
            });
        }
    }
    let (mut file, written) = match RowFile::open(path, output, columns, settings)? {
        Opened::Rows(file, written) => (file, written),
        Opened::Complete => {
            print_note(&format!(
                "{} is complete; its options are not compared",
                path.display()
            ));
            return Ok(None);
        }
    };
    let summary = run(predictor, inputs, workers, &written, path, |row, _| {
        file.write(row)
    })?;
    if summary.images > 0 && summary.failed() == summary.images && path.is_file() {
        // A missing disk must not cost the results of another day.
        file.discard();
        return Err(CliError::NothingProcessed {
            path: path.to_owned(),
            images: summary.images,
        });
    }
    file.finish()?;
    Ok(Some(summary))
}

/// Runs `predictor` on `inputs`, and calls `deliver` for the row of each image, in order. The first images
/// are those of an interrupted run, whose rows are `written`.
///
/// # Errors
///
/// [`CliError::OtherImages`] if the first images are not those of `written`, and the errors of `deliver`.
/// `path` is the file of rows, for error messages.
pub fn run(
    predictor: &dyn Predictor,
    inputs: Inputs,
    workers: &Workers,
    written: &[WrittenRow],
    path: &Path,
    mut deliver: impl FnMut(&Row, &ProgressBar) -> Result<(), CliError>,
) -> Result<Summary, CliError> {
    let started = Instant::now();
    let earlier = written.len() as u64;
    let count = inputs.known_count();
    let progress = image_bar(count);
    // Few images are divided among all workers.
    let share = count.map_or(usize::MAX, |count| {
        let remaining = count
            .saturating_sub(earlier)
            .div_ceil(workers.count.get() as u64);
        usize::try_from(remaining).unwrap_or(usize::MAX)
    });
    let device = Mutex::new(());
    let turn = || {
        let lock = || device.lock().unwrap_or_else(PoisonError::into_inner);
        workers.serial.then(lock)
    };
    let mut summary = Summary {
        failures: BTreeMap::new(),
        images: earlier,
        earlier_failures: written.iter().filter(|row| row.failed).count() as u64,
        earlier,
        time: Duration::ZERO,
        left_out: inputs.left_out,
    };
    let shorter = (inputs.scale_on_decode).then(|| predictor.shorter_side());
    let mut images = inputs.into_iter(earlier);
    for (index, row) in written.iter().enumerate() {
        let expected = images.next().map(|input| input.path);
        if expected.as_ref() != Some(&row.path) {
            return Err(CliError::OtherImages {
                path: path.to_owned(),
                row: index + 1,
                found: row.path.clone(),
                expected: expected.unwrap_or_else(|| "no image".to_owned()),
            });
        }
    }
    progress.set_position(earlier);
    progress.reset_eta();
    let mut delivered = Ok(());
    pipeline::run(
        images,
        predictor.max_batch().min(share),
        workers.count,
        |batch| rows(predictor, batch, shorter, turn),
        |row| {
            if let Err(failure) = &row.answer
                && failure.kind == NOT_DRAWN
            {
                // The row is not written, so that a continued run draws the picture.
                delivered = Err(CliError::NotDrawn {
                    image: row.path,
                    reason: failure.reason.clone(),
                });
                return ControlFlow::Break(());
            }
            summary.images += 1;
            if let Err(failure) = &row.answer {
                *summary.failures.entry(failure.kind).or_default() += 1;
            }
            delivered = deliver(&row, &progress);
            progress.inc(1);
            match delivered {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        },
    );
    progress.finish_and_clear();
    summary.time = started.elapsed();
    delivered.map(|()| summary)
}

/// Decodes a batch of images and runs the network on those that can be decoded. `shorter` is that of
/// [`Input::decode`].
/// `turn` waits until the network may run.
fn rows<T>(
    predictor: &dyn Predictor,
    batch: Vec<Input>,
    shorter: Option<usize>,
    turn: impl Fn() -> T,
) -> Vec<Row> {
    let (mut images, mut prepared, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = Vec::with_capacity(batch.len());
    for mut input in batch {
        let path = std::mem::take(&mut input.path);
        // A fault of a decoder must not end a run of millions of images.
        let photo = catch_unwind(AssertUnwindSafe(|| input.decode(shorter)));
        let answer = match photo.unwrap_or_else(|_| Err(decoder_fault())) {
            Ok(photo) => {
                let (values, image) = predictor.prepare(&path, photo);
                images.extend(values);
                prepared.push(image);
                decoded.push(rows.len());
                // Replaced by the answer of the network.
                Ok(Answer::Vector(Vec::new()))
            }
            Err(error) => Err(Failure {
                kind: error.kind(),
                reason: printable(&one_line(&error)).into_owned(),
            }),
        };
        rows.push(Row { path, answer });
    }
    if decoded.is_empty() {
        return rows;
    }
    let turn = turn();
    let answers = predictor.run(&images, &prepared);
    drop(turn);
    match answers {
        Ok(answers) => {
            for (row, answer) in decoded.into_iter().zip(answers) {
                rows[row].answer = answer;
            }
        }
        Err(error) => {
            for row in decoded {
                rows[row].answer = Err(Failure::from(&error));
            }
        }
    }
    rows
}

impl From<&ClassifierError> for Failure {
    fn from(error: &ClassifierError) -> Self {
        Self {
            kind: match error {
                ClassifierError::NotFinite => "not finite",
                _ => "not computed",
            },
            reason: format!("has no answer: {}", one_line(error)),
        }
    }
}

/// The error of an image whose decoder panics.
fn decoder_fault() -> ImageError {
    ImageError::Undecodable {
        format: "image".to_owned(),
        reason: "internal error of the decoder, please report it".to_owned(),
    }
}

impl Summary {
    /// Number of images without an answer.
    pub fn failed(&self) -> u64 {
        self.earlier_failures + self.failures.values().sum::<u64>()
    }

    /// Prints the number of images, the time and the failures by kind, if the results are in a file, standard
    /// error is a terminal, or rows with errors went to standard output; and what was left out of folders.
    pub fn print(&self, to_file: bool, rows: bool) {
        if to_file || (self.images > 1 && io::stderr().is_terminal()) || (rows && self.failed() > 0)
        {
            print_note(&self.text());
        }
        if !self.left_out.is_empty() {
            print_note(&format!("left out of the folders: {}", self.left_out));
        }
    }

    fn text(&self) -> String {
        let images = |count: u64| match count {
            1 => "1 image".to_owned(),
            _ => format!("{} images", HumanCount(count)),
        };
        let new = self.images - self.earlier;
        let seconds = self.time.as_secs_f64();
        let mut text = format!(
            "{} in {seconds:.1} s, {:.1} images/s",
            images(new),
            new as f64 / seconds.max(1e-9)
        );
        if self.earlier > 0 {
            text += &format!("; {} of the interrupted run", images(self.earlier));
        }
        if self.failed() > 0 {
            let mut kinds: Vec<String> = self
                .failures
                .iter()
                .map(|(kind, count)| format!("{} {kind}", HumanCount(*count)))
                .collect();
            if self.earlier_failures > 0 {
                let count = HumanCount(self.earlier_failures);
                kinds.push(format!("{count} of the interrupted run"));
            }
            text += &format!(
                "; {} failed: {}",
                HumanCount(self.failed()),
                kinds.join(", ")
            );
        }
        text
    }

    /// Returns the exit code: 0 if no image failed, 1 if some failed, 2 if all failed.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.failed() {
            0 => 0,
            some if some < self.images => 1,
            _ => 2,
        })
    }
}
