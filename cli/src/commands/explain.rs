//! `receptive explain`: the parts of an image that speak for a class.

use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::thread;

use receptive_layers::classifier::{Classifier, ClassifierError, Prediction};
use receptive_layers::explain::{Heatmap, Occlusion};
use receptive_layers::graph::LOGITS;
use receptive_layers::{image, printable};
use serde::Serialize;

use crate::args::{ComputeArgs, ExplainArgs, Method};
use crate::bars;
use crate::classifier::{Inversion, class_labels};
use crate::engine::Runner;
use crate::error::CliError;
use crate::explain_error::ExplainError;
use crate::explainer::{MapExplainer, Preview, finite};
use crate::json::write_json;
use crate::npy::ArrayFile;
use crate::predict::BATCH;
use crate::registry::{self, Model};
use crate::resolve::ResolvedModel;
use crate::same_file::is_same_file;
use crate::weights::{Description, ModelWeights};

/// Largest length of a side of the picture, in pixels.
const LONGEST: usize = 1024;

/// Largest number of columns of a map that is printed as a table.
const PRINTED: usize = 14;

/// Explains the image, prints the map's numbers, and writes the picture and the map.
///
/// # Errors
///
/// [`CliError`] when the image or the weights cannot be used, the network or the program does not have the method,
/// or a file cannot be written.
pub fn run(args: &ExplainArgs, out: &mut dyn Write) -> Result<(), CliError> {
    for output in [&args.output, &args.map].into_iter().flatten() {
        if is_same_file(output, &args.image) {
            return Err(CliError::OutputIsInput {
                path: output.clone(),
            });
        }
    }
    if let Some(path) = args.output.as_ref().filter(|path| !is_png(path)) {
        return Err(ExplainError::NotPng { path: path.clone() }.into());
    }
    // Opened before the computation, so that an output that cannot be written costs no time.
    let array = args.map.as_deref().map(ArrayFile::create).transpose()?;
    let mut photo = image::open(&args.image)?;
    let model = registry::model(&args.model.name)?;
    let network = Explained::open(args, &model)?;
    let classifier = &network.classifier;
    let preview = Preview::new(&photo, classifier.preprocessing(), LONGEST);
    let inversion = Inversion::new(&args.inversion, classifier.labels());
    let inverted = inversion.apply(&mut photo);
    let image = classifier.prepare(&photo);
    let outputs = classifier.run(&image)?;
    let scores = outputs.get(LOGITS).unwrap_or_default();
    let classification = classifier.classification(scores)?;
    let ranking = classification.top(usize::MAX);
    let class = chosen(args.class.as_deref(), &ranking)?;
    let map = match &network.method {
        Computation::Maps(explainer) => explainer.map(&outputs, 0, class.index)?,
        Computation::Occlusion(occlusion) => {
            let threads = args.threads.and_then(NonZero::new);
            let cores = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
            let workers = threads.unwrap_or_else(cores);
            occlusion.map(classifier, &image, class.index, workers)?
        }
        #[cfg(feature = "train")]
        Computation::Gradients(gradients) => {
            let shape = network.input;
            finite(gradients.integrated_gradients(&image, shape, class.index, args.steps)?)?
        }
    };
    // The score of a grey image, of which the values of integrated gradients are the difference.
    let baseline = match network.method() {
        Method::IntegratedGradients => {
            let outputs = classifier.run(&vec![0.0; image.len()])?;
            let scores = outputs.get(LOGITS).unwrap_or_default();
            scores.get(class.index).copied()
        }
        _ => None,
    };
    if let Some(array) = array {
        array.write(map.values(), [map.height(), map.width()])?;
    }
    if let Some(path) = &args.output {
        preview.save(&map, path)?;
    }
    let report = Report {
        image: args.image.display().to_string(),
        model: model.name,
        inverted,
        class,
        score: scores[class.index],
        baseline_score: baseline,
        method: network.method_name(),
        stage: network.stage(),
        rows: map.height(),
        columns: map.width(),
        values: map.values(),
    };
    if args.json {
        return write_json(&report, out);
    }
    report.write(&map, out)
}

fn is_png(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Returns the class of a number or a label; without one, the most probable class.
fn chosen<'a>(
    requested: Option<&str>,
    ranking: &'a [Prediction],
) -> Result<&'a Prediction, CliError> {
    let Some(requested) = requested else {
        return ranking
            .first()
            .ok_or_else(|| ClassifierError::NoScores.into());
    };
    if let Ok(index) = requested.parse::<usize>() {
        let found = ranking.iter().find(|class| class.index == index);
        return found.ok_or_else(|| {
            ClassifierError::Class {
                requested: index,
                classes: ranking.len(),
            }
            .into()
        });
    }
    let found: Vec<&Prediction> = (ranking.iter())
        .filter(|class| class.label == requested)
        .collect();
    match found[..] {
        [class] => Ok(class),
        _ => Err(ExplainError::Label {
            requested: requested.to_owned(),
            found: found.len(),
        }
        .into()),
    }
}

/// A network with the computation of a method.
struct Explained {
    classifier: Classifier,
    /// `[channels, height, width]` of an image.
    #[cfg_attr(
        not(feature = "train"),
        expect(dead_code, reason = "shape of gradients")
    )]
    input: [usize; 3],
    method: Computation,
}

enum Computation {
    Maps(MapExplainer),
    Occlusion(Occlusion),
    #[cfg(feature = "train")]
    Gradients(Box<dyn crate::registry::AnyGradients>),
}

impl Explained {
    fn open(args: &ExplainArgs, model: &Model) -> Result<Self, CliError> {
        let compute = ComputeArgs {
            device: None,
            engine: None,
            threads: args.threads,
            tuning: args.tuning,
        };
        let key = args.model.key.key();
        let resolved = ResolvedModel::open(model, args.model.weights.as_deref(), key, &compute)?;
        let labels = class_labels(args.labels.as_deref(), resolved.description())?;
        let Description {
            input,
            preprocessing,
            ..
        } = *resolved.description();
        let classifier = |plan| Classifier::from_plan(plan, preprocessing, labels);
        let weights = match (resolved, args.method) {
            (resolved, Some(Method::Occlusion)) => {
                // Each worker runs whole batches by a plan of one thread.
                let compute = ComputeArgs {
                    threads: Some(1),
                    ..compute
                };
                let [channels, height, width] = input;
                let runner = Runner::new(resolved, [BATCH, channels, height, width], &compute)?;
                let Runner::Compiled(plan) = runner else {
                    return Err(ExplainError::Engine.into());
                };
                let places = Occlusion::new(args.places, preprocessing.crop);
                return Ok(Self {
                    classifier: classifier(*plan)?,
                    input,
                    method: Computation::Occlusion(Occlusion {
                        window: args.window.unwrap_or(places.window),
                        ..places
                    }),
                });
            }
            (ResolvedModel::Weights(weights), _) => weights,
            (ResolvedModel::Plan(plan), _) => {
                return Err(ExplainError::Plan { path: plan.path }.into());
            }
        };
        if args.method == Some(Method::IntegratedGradients) {
            let (plan, gradients) = gradients(&weights, args)?;
            return Ok(Self {
                classifier: classifier(plan)?,
                input,
                method: gradients,
            });
        }
        let (plan, explainer) =
            MapExplainer::compile(&weights, args.method, 1, args.threads, &args.tuning)?;
        Ok(Self {
            classifier: classifier(plan)?,
            input,
            method: Computation::Maps(explainer),
        })
    }

    fn method(&self) -> Method {
        match &self.method {
            Computation::Maps(explainer) => explainer.method(),
            Computation::Occlusion(_) => Method::Occlusion,
            #[cfg(feature = "train")]
            Computation::Gradients(_) => Method::IntegratedGradients,
        }
    }

    fn method_name(&self) -> &'static str {
        match self.method() {
            Method::Cam => "class activation map",
            Method::GradCam => "Grad-CAM",
            Method::Occlusion => "occlusion",
            Method::IntegratedGradients => "integrated gradients",
        }
    }

    /// Name of the stage with the feature maps.
    fn stage(&self) -> Option<&'static str> {
        match &self.method {
            Computation::Maps(explainer) => Some(explainer.stage),
            _ => None,
        }
    }
}

#[cfg(feature = "train")]
fn gradients(
    weights: &ModelWeights,
    args: &ExplainArgs,
) -> Result<(receptive_layers::compile::Compiled, Computation), CliError> {
    let device = crate::device::cpu()?;
    let network = weights.load(&device)?;
    let [channels, height, width] = weights.description.input;
    let options = crate::engine::compiler_options(&args.tuning, 1, args.threads);
    let plan = network.compile([1, channels, height, width], &[LOGITS], &options);
    let plan = plan.map_err(|source| weights.model.uncompiled(source))?;
    crate::engine::limit_backend_threads(args.threads);
    let gradients = network.input_gradients(&device);
    Ok((plan, Computation::Gradients(gradients)))
}

#[cfg(not(feature = "train"))]
fn gradients(
    _: &ModelWeights,
    _: &ExplainArgs,
) -> Result<(receptive_layers::compile::Compiled, Computation), CliError> {
    Err(ExplainError::NoGradients {
        method: "integrated-gradients",
        others: &["cam", "occlusion"],
    }
    .into())
}

/// The explanation of an image.
#[derive(Serialize)]
struct Report<'a> {
    image: String,
    model: &'static str,
    /// Whether the image was inverted.
    inverted: bool,
    class: &'a Prediction,
    /// Score of the class before softmax.
    score: f32,
    /// Score of a grey image.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_score: Option<f32>,
    method: &'static str,
    /// Stage with the feature maps.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
    rows: usize,
    columns: usize,
    /// Values of the map in row-major order.
    values: &'a [f32],
}

impl Report<'_> {
    fn write(&self, map: &Heatmap, out: &mut dyn Write) -> Result<(), CliError> {
        let class = self.class;
        writeln!(out, "{}", printable(&self.image))?;
        writeln!(
            out,
            "  class   {} {}, {}, score {:.2}",
            class.index,
            printable(&class.label),
            bars::percent(class.probability),
            self.score
        )?;
        let stage = self
            .stage
            .map_or(String::new(), |stage| format!(" of the stage {stage}"));
        writeln!(
            out,
            "  method  {}{stage}, {} x {} places",
            self.method, self.rows, self.columns
        )?;
        let peak = map.peak();
        writeln!(
            out,
            "  peak    {:.4} in row {}, column {}",
            peak.value, peak.row, peak.column
        )?;
        let sum: f64 = self.values.iter().map(|&value| f64::from(value)).sum();
        match self.baseline_score {
            Some(baseline) => writeln!(
                out,
                "  sum     {sum:.2}; the score of a grey image is {:.2} lower",
                self.score - baseline
            )?,
            None => {
                writeln!(out, "  mean    {:.4}", sum / self.values.len() as f64)?;
            }
        }
        if self.columns <= PRINTED {
            for row in self.values.chunks(self.columns) {
                let row: Vec<String> = row.iter().map(|value| format!("{value:8.2}")).collect();
                writeln!(out, "{}", row.concat())?;
            }
        }
        Ok(())
    }
}
