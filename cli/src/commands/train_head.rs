//! `receptive train --freeze all`: a new last layer, trained on the embeddings of labelled images.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::Arc;

use receptive_layers::embedder::Embedder;
use receptive_layers::graph::EMBEDDING;
use receptive_layers::logistic::LogisticRegression;
use receptive_layers::pipeline;
use receptive_layers::vectors::VectorSet;
use receptive_layers::weights::Format;
use receptive_train::data::{DataError, Dataset};
use receptive_train::loader::Preprocessing;
use receptive_train::run::Folder;
use receptive_train::{Purpose, TrainError, stream};

use crate::args::{PlanPrecision, PlanTuning, TrainArgs, TuningArgs};
use crate::device;
use crate::engine::{compiler_options, limit_backend_threads, threads_or_cores};
use crate::error::{CliError, one_line, print_note};
use crate::head::Head;
use crate::head_error::HeadError;
use crate::predict::BATCH;
use crate::progress::image_bar;
use crate::registry::Model;
use crate::training_data;
use crate::weights::ModelWeights;

/// Options of the compiler.
const TUNING: TuningArgs = TuningArgs {
    precision: PlanPrecision::Fast,
    tuning: PlanTuning::Modelled,
};

/// Strength of the regularization, the inverse of scikit-learn's `C`.
const L2: f64 = 1.0;

/// The result of training the last layer alone.
pub struct Trained {
    /// Number of validation images that are classified correctly.
    right: usize,
    /// Number of validation images.
    validated: usize,
}

impl Trained {
    /// Returns the accuracy on the validation images, as the end of a run prints it.
    pub fn accuracy(&self) -> String {
        let percent = 100.0 * self.right as f64 / self.validated.max(1) as f64;
        format!("{percent:.2} % of {} validation images, ", self.validated)
    }
}

/// Embeds every image once by the compiled network, trains the last layer by logistic regression, and writes the
/// weights.
///
/// # Errors
///
/// [`CliError`] when an option has no effect on the last layer alone, the weights or the data cannot be used, or the
/// weights cannot be written.
pub fn run(args: &TrainArgs, model: &Model, folder: &Folder) -> Result<Trained, CliError> {
    check_options(args)?;
    folder.check_is_new()?;
    if model.head().is_none() {
        return Err(CliError::NoHead { model: model.name });
    }
    // Before the first operation of the backend.
    limit_backend_threads(args.threads);
    let weights = match &args.from {
        Some(path) => ModelWeights::open(model, path, args.key.key())?,
        None => ModelWeights::pretrained(model).map_err(|error| match error {
            CliError::NoWeights { model, .. } => CliError::NoWeights {
                model,
                option: "--from",
            },
            error => error,
        })?,
    };
    let head = Head::new(weights)?;
    let recipe = model.default_recipe(Some(&head.weights.description.preprocessing), &[])?;
    let data = training_data::open(args, model, &recipe)?;
    if !data.left_out.is_empty() {
        print_note(&format!("left out of the folders: {}", data.left_out));
    }
    // Created before the computation, so that a folder that cannot be written costs no time.
    let _lock = folder.create_for_weights()?;
    if data.classes.len() < 2 {
        return Err(HeadError::FewClasses {
            model: model.name,
            found: data.classes.len(),
        }
        .into());
    }
    let embedded = Embedded::new(args, &head.weights, data.classes.len())?;
    let train = embedded.vectors(&data.train)?;
    let validation = embedded.vectors(&data.validation)?;
    let missing = (0..data.classes.len()).find(|class| !train.classes.contains(class));
    if let Some(class) = missing {
        return Err(HeadError::EmptyClass {
            class: data.classes[class].clone(),
        }
        .into());
    }
    let rows: Vec<usize> = (0..train.classes.len()).collect();
    let (set, classes) = (&train.vectors, &train.classes);
    let regression = LogisticRegression::fit(set, &rows, classes, data.classes.len(), L2);
    let regression = regression.map_err(|source| HeadError::Regression {
        model: model.name,
        source,
    })?;
    let right = (validation.classes.iter().enumerate())
        .filter(|&(row, &class)| regression.predict(validation.vectors.vector(row)) == class)
        .count();
    head.write(
        &regression,
        &data.classes,
        &folder.model(),
        Format::SafeTensors,
    )?;
    Ok(Trained {
        right,
        validated: validation.classes.len(),
    })
}

/// Checks that no option is given that has no effect.
fn check_options(args: &TrainArgs) -> Result<(), CliError> {
    let given = [
        ("--recipe", args.recipe.is_some()),
        ("--set", !args.set.is_empty()),
        ("--parts", args.parts.is_some()),
        ("--workers", args.workers.is_some()),
        ("--device", !args.device.is_empty()),
        ("--resume", args.resume),
    ];
    match given.into_iter().find(|&(_, is_given)| is_given) {
        Some((option, _)) => Err(HeadError::Option { option }.into()),
        None => Ok(()),
    }
}

/// Embeddings and classes of images.
struct Labelled {
    vectors: VectorSet,
    classes: Vec<usize>,
}

/// The embedding and the class of an image.
struct LabelledVector {
    vector: Vec<f32>,
    class: usize,
}

/// The embedding of an image, `None` for an image that is skipped.
type Row = Result<Option<LabelledVector>, CliError>;

/// A compiled network up to its last layer.
struct Embedded {
    embedder: Embedder,
    preprocessing: Preprocessing,
    workers: NonZero<usize>,
    skip_bad: bool,
}

impl Embedded {
    fn new(args: &TrainArgs, weights: &ModelWeights, classes: usize) -> Result<Self, CliError> {
        let [channels, height, width] = weights.description.input;
        let input = [BATCH, channels, height, width];
        // Each worker runs whole batches by a plan of one thread.
        let options = compiler_options(&TUNING, BATCH, Some(1));
        let network = weights.load(&device::cpu()?)?;
        let plan = network.compile(input, &[EMBEDDING], &options);
        let plan = plan.map_err(|source| weights.model.uncompiled(source))?;
        let preprocessing = weights.description.preprocessing;
        Ok(Self {
            embedder: Embedder::from_plan(plan, EMBEDDING, preprocessing)?,
            preprocessing: Preprocessing::evaluation(&preprocessing, channels, classes),
            workers: threads_or_cores(args.threads),
            skip_bad: args.skip_bad,
        })
    }

    /// Computes the embeddings of the images of `dataset` that can be read.
    fn vectors(&self, dataset: &Arc<dyn Dataset>) -> Result<Labelled, CliError> {
        let progress = image_bar(Some(dataset.len() as u64));
        let (mut values, mut classes) = (Vec::new(), Vec::new());
        let mut failed = None;
        pipeline::run(
            0..dataset.len(),
            BATCH,
            self.workers,
            |indices| self.batch(dataset.as_ref(), indices),
            |result| {
                match result {
                    Ok(Some(image)) => {
                        values.extend(image.vector);
                        classes.push(image.class);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                }
                progress.inc(1);
                ControlFlow::Continue(())
            },
        );
        progress.finish_and_clear();
        if let Some(error) = failed {
            return Err(error);
        }
        if classes.is_empty() {
            return Err(CliError::NothingRead);
        }
        let vectors = VectorSet::new(values, self.embedder.features()?);
        let vectors = vectors.map_err(|error| CliError::Compute(error.to_string()))?;
        Ok(Labelled { vectors, classes })
    }

    /// Computes the embedding of each image.
    fn batch(&self, dataset: &dyn Dataset, indices: Vec<usize>) -> Vec<Row> {
        let mut images = Vec::new();
        let mut rows = Vec::with_capacity(indices.len());
        for index in indices {
            let class = dataset.label(index);
            // The preprocessing of evaluation takes no random number.
            let mut random = stream(0, Purpose::Augmentation, [0, 0]);
            let sample = dataset
                .image(index)
                .and_then(|image| self.preprocessing.apply(image, class, index, &mut random));
            rows.push(match sample {
                Ok(sample) => {
                    images.extend(sample.samples);
                    Ok(Some(LabelledVector {
                        vector: Vec::new(),
                        class,
                    }))
                }
                Err(error @ DataError::Image(_)) if self.skip_bad => {
                    print_note(&format!("skipped: {}", one_line(&error)));
                    Ok(None)
                }
                Err(error) => Err(TrainError::from(error).into()),
            });
        }
        let read = rows.iter().filter(|row| matches!(row, Ok(Some(_)))).count();
        if read == 0 {
            return rows;
        }
        let mut vectors = match self.embedder.run(&images, read) {
            Ok(vectors) => vectors.into_iter(),
            Err(error) => return vec![Err(error.into())],
        };
        for row in &mut rows {
            if let Ok(Some(image)) = row {
                match vectors.next() {
                    Some(Ok(vector)) => image.vector = vector,
                    Some(Err(error)) => *row = Err(error.into()),
                    None => {}
                }
            }
        }
        rows
    }
}
