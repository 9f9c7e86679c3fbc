//! `receptive explain`: the parts of an image that increase the score of a class.

use std::io::Write;
use std::path::Path;

use receptive_layers::classifier::{Classifier, ClassifierError, Prediction};
use receptive_layers::compile::{Compiled, Outputs};
use receptive_layers::explain::{Heatmap, Occlusion};
#[cfg(feature = "train")]
use receptive_layers::graph::LOGITS;
use receptive_layers::{image, printable};
use serde::Serialize;

use crate::args::{ComputeArgs, ExplainArgs, Method};
use crate::bars;
use crate::classifier::{Inversion, class_labels};
use crate::engine::{Runner, threads_or_cores};
use crate::error::{CliError, print_note};
use crate::explain_error::ExplainError;
use crate::explainer::{MapExplainer, Preview};
use crate::json::write_json;
use crate::npy::ArrayFile;
use crate::picture::PictureFile;
use crate::predict::BATCH;
use crate::registry::{self, Model};
use crate::resolve::ResolvedModel;
use crate::same_file::check_output;
use crate::weights::ModelWeights;

/// Largest length of a side of the picture, in pixels.
const LONGEST: usize = 1024;

/// Rows and columns of the map of `occlusion` by default.
const PLACES: usize = 14;

/// Images between baseline and image of `integrated-gradients` by default.
#[cfg(feature = "train")]
const STEPS: usize = 50;

/// Largest number of columns of a map that is printed as a table.
const PRINTED: usize = 14;

/// Explains the image, prints the map's numbers, and writes the picture and the map.
///
/// # Errors
///
/// [`CliError`] when the image or the weights cannot be used, the network or the program does not have the method,
/// or a file cannot be written.
pub fn run(args: &ExplainArgs, out: &mut dyn Write) -> Result<(), CliError> {
    check_options(args)?;
    // Opened before the computation, so that an output that cannot be written costs no time.
    let array = args.map.as_deref().map(ArrayFile::create).transpose()?;
    let picture = args.output.as_deref().map(PictureFile::create);
    let picture = picture.transpose()?;
    let mut photo = image::open(&args.image)?;
    let model = registry::model(&args.classifier.model.name)?;
    let network = Explained::open(args, &model)?;
    let classifier = &network.classifier;
    let preview = Preview::new(&photo, classifier.preprocessing(), LONGEST);
    let inversion = Inversion::new(&args.classifier, classifier.labels());
    let inverted = inversion.apply(&mut photo);
    let image = classifier.prepare(&photo);
    let outputs = classifier.run(&image)?;
    let scores = scores(&outputs);
    let ranking = classifier.classification(scores)?.top(usize::MAX);
    let chosen = network.class;
    let mut ranking = ranking.iter();
    let class = ranking.find(|class| chosen.is_none_or(|chosen| class.index == chosen));
    let class = class.ok_or(ClassifierError::NoScores)?;
    let map = match &network.method {
        Computation::Maps(explainer) => explainer.map(&outputs, 0, class.index)?,
        Computation::Occlusion(occlusion) => {
            let workers = threads_or_cores(args.threads);
            occlusion.map(classifier, &image, class.index, workers)?
        }
        #[cfg(feature = "train")]
        Computation::Gradients(gradients) => {
            let steps = args.steps.unwrap_or(STEPS);
            let map = gradients.integrated_gradients(&image, network.input, class.index, steps)?;
            crate::explainer::finite(map)?
        }
    };
    // The score of a grey image, of which the values of integrated gradients are the difference.
    let baseline = match network.method() {
        Method::IntegratedGradients => {
            let outputs = classifier.run(&vec![0.0; image.len()])?;
            self::scores(&outputs).get(class.index).copied()
        }
        _ => None,
    };
    if map.peak().value <= 0.0 {
        print_note("no place increases the score of the class: no value of the map is above 0");
    }
    let picture = match picture {
        Some(picture) => Some(picture.fill(&preview.png(&map, &args.image)?)?),
        None => None,
    };
    if let Some(array) = array {
        array.write(map.values(), &[map.height(), map.width()])?;
    }
    if let Some(picture) = picture {
        picture.commit()?;
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
    report.write(&map, network.title(), out)
}

/// Checks the options and the outputs.
fn check_options(args: &ExplainArgs) -> Result<(), CliError> {
    if args.image.is_dir() {
        let path = args.image.clone();
        return Err(ExplainError::Folder { path }.into());
    }
    let files = [
        args.classifier.model.weights.as_deref(),
        args.classifier.labels.as_deref(),
    ];
    for output in [&args.output, &args.map].into_iter().flatten() {
        let inputs = files.into_iter().flatten();
        check_output(output, inputs.chain([args.image.as_path()]))?;
    }
    if let Some(path) = args.output.as_ref().filter(|path| !is_png(path)) {
        return Err(ExplainError::NotPng { path: path.clone() }.into());
    }
    if let Some(path) = args.map.as_ref().filter(|_| args.map == args.output) {
        return Err(ExplainError::SameOutput { path: path.clone() }.into());
    }
    let given = [
        ("--places", Method::Occlusion, args.places),
        ("--window", Method::Occlusion, args.window),
        ("--steps", Method::IntegratedGradients, args.steps),
    ];
    let useless = |&(_, method, value): &(&str, Method, Option<usize>)| {
        value.is_some() && args.method != Some(method)
    };
    if let Some((option, method, _)) = given.into_iter().find(useless) {
        let method = name(method);
        return Err(ExplainError::Option { option, method }.into());
    }
    let needs_gradients = [Method::GradCam, Method::IntegratedGradients];
    match args.method {
        Some(method) if needs_gradients.contains(&method) && !cfg!(feature = "train") => {
            let method = name(method);
            Err(ExplainError::NoGradients { method }.into())
        }
        _ => Ok(()),
    }
}

/// Returns the class scores, the first output.
fn scores(outputs: &Outputs) -> &[f32] {
    outputs.iter().next().map_or(&[], |(_, scores)| scores)
}

fn is_png(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Returns the number of the class with this label, or else with this number.
fn class(requested: &str, labels: &[String], classes: usize) -> Result<usize, ExplainError> {
    let found: Vec<usize> = (0..labels.len())
        .filter(|&class| labels[class] == requested)
        .collect();
    match found[..] {
        [class] => Ok(class),
        [] => {
            let number = requested.parse().ok();
            let number = number.filter(|&class| class < classes);
            number.ok_or_else(|| ExplainError::NoClass {
                requested: requested.to_owned(),
                classes,
            })
        }
        _ => Err(ExplainError::Label {
            requested: requested.to_owned(),
            found,
        }),
    }
}

/// Returns the name of a method on the command line.
fn name(method: Method) -> &'static str {
    match method {
        Method::Cam => "cam",
        Method::GradCam => "grad-cam",
        Method::Occlusion => "occlusion",
        Method::IntegratedGradients => "integrated-gradients",
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
    /// The requested class.
    class: Option<usize>,
    method: Computation,
}

enum Computation {
    Maps(MapExplainer),
    Occlusion(Occlusion),
    #[cfg(feature = "train")]
    Gradients(receptive_layers::explain::InputGradients),
}

impl Explained {
    fn open(args: &ExplainArgs, model: &Model) -> Result<Self, CliError> {
        let by_occlusion = args.method == Some(Method::Occlusion);
        let compute = ComputeArgs {
            device: None,
            engine: None,
            // Each worker of occlusion runs whole batches by a plan of one thread.
            threads: if by_occlusion { Some(1) } else { args.threads },
            tuning: args.tuning,
        };
        let key = args.classifier.model.key.key();
        let resolved = ResolvedModel::open(
            model,
            args.classifier.model.weights.as_deref(),
            key,
            &compute,
        )?;
        let description = resolved.description();
        let labels = class_labels(args.classifier.labels.as_deref(), description)?;
        let requested = args.class.as_ref();
        let class = requested.map(|requested| class(requested, &labels, description.classes));
        let class = class.transpose()?;
        let (input, preprocessing) = (description.input, description.preprocessing);
        let (plan, method) = match (resolved, args.method) {
            (resolved, Some(Method::Occlusion)) => {
                let occlusion = occlusion(args, preprocessing.crop)?;
                let [channels, height, width] = input;
                let input = [BATCH, channels, height, width];
                match Runner::new(resolved, input, &compute)? {
                    Runner::Compiled(plan) => (*plan, Computation::Occlusion(occlusion)),
                    Runner::Eager { .. } => return Err(ExplainError::Engine.into()),
                }
            }
            (ResolvedModel::Plan(plan), _) => {
                return Err(ExplainError::Plan { path: plan.path }.into());
            }
            (ResolvedModel::Weights(weights), Some(Method::IntegratedGradients)) => {
                gradients(*weights, args)?
            }
            (ResolvedModel::Weights(weights), method) => {
                let (threads, tuning) = (args.threads, &args.tuning);
                let (plan, explainer) =
                    MapExplainer::compile(*weights, method, 1, threads, tuning)?;
                (plan, Computation::Maps(explainer))
            }
        };
        Ok(Self {
            classifier: Classifier::from_plan(plan, preprocessing, labels)?,
            input,
            class,
            method,
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

    /// Name of the method on the command line.
    fn method_name(&self) -> &'static str {
        name(self.method())
    }

    /// Name of the method in a sentence.
    fn title(&self) -> &'static str {
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

/// Returns the windows that the options name, for prepared images of `size` by `size` pixels.
fn occlusion(args: &ExplainArgs, size: usize) -> Result<Occlusion, ExplainError> {
    let places = args.places.unwrap_or(PLACES.min(size));
    if places > size {
        return Err(ExplainError::Places { places, size });
    }
    let occlusion = Occlusion::new(places, size);
    Ok(Occlusion {
        window: args.window.unwrap_or(occlusion.window),
        ..occlusion
    })
}

#[cfg(feature = "train")]
fn gradients(
    weights: ModelWeights,
    args: &ExplainArgs,
) -> Result<(Compiled, Computation), CliError> {
    // Before the first operation of the backend.
    crate::engine::limit_backend_threads(args.threads);
    let device = crate::device::cpu()?;
    let network = weights.load(&device)?;
    let [channels, height, width] = weights.description.input;
    let options = crate::engine::compiler_options(&args.tuning, 1, args.threads);
    let model = weights.model;
    drop(weights);
    let plan = network.compile([1, channels, height, width], &[LOGITS], &options);
    let plan = plan.map_err(|source| model.uncompiled(source))?;
    let gradients = network.input_gradients(&device);
    Ok((plan, Computation::Gradients(gradients)))
}

#[cfg(not(feature = "train"))]
fn gradients(_: ModelWeights, _: &ExplainArgs) -> Result<(Compiled, Computation), CliError> {
    let method = name(Method::IntegratedGradients);
    Err(ExplainError::NoGradients { method }.into())
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
    fn write(&self, map: &Heatmap, title: &str, out: &mut dyn Write) -> Result<(), CliError> {
        let class = self.class;
        let inverted = if self.inverted { " (inverted)" } else { "" };
        writeln!(out, "{}{inverted}", printable(&self.image))?;
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
            "  method  {title}{stage}, {} x {} places",
            self.rows, self.columns
        )?;
        let peak = map.peak();
        writeln!(
            out,
            "  peak    {} in row {}, column {}",
            significant(f64::from(peak.value)),
            peak.row,
            peak.column
        )?;
        let sum: f64 = self.values.iter().map(|&value| f64::from(value)).sum();
        match self.baseline_score {
            Some(baseline) => writeln!(
                out,
                "  sum     {sum:.2}, the score minus that of a grey image is {:.2}",
                self.score - baseline
            )?,
            None => {
                let mean = sum / self.values.len() as f64;
                writeln!(out, "  mean    {}", significant(mean))?;
            }
        }
        if self.columns <= PRINTED {
            for row in self.values.chunks(self.columns) {
                let row = row.iter().map(|&value| significant(f64::from(value)));
                let row: Vec<String> = row.map(|value| format!("{value:>10}")).collect();
                writeln!(out, "{}", row.concat())?;
            }
        }
        Ok(())
    }
}

/// Formats a number with four significant digits.
fn significant(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e4).contains(&magnitude) {
        return format!("{number:.3e}");
    }
    let digits = (3 - magnitude.log10().floor() as i32).clamp(0, 6) as usize;
    format!("{number:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_significant_digits() {
        let numbers = [0.0, 21.041_7, -0.012_345, 999.96, 4e-7, 1.5e30];
        let found = numbers.map(significant);
        assert_eq!(
            found,
            ["0", "21.04", "-0.01235", "1000.0", "4.000e-7", "1.500e30"]
        );
    }
}
