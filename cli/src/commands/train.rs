//! `receptive train`: trains a network from random or pretrained weights.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use burn::tensor::Device;
use receptive_layers::weights::Heads;
use receptive_train::TrainError;
use receptive_train::cluster::{Cluster, broadcast};
use receptive_train::data::DataSplits;
use receptive_train::monitor::{Monitor, Plain};
use receptive_train::recipe::Recipe;
use receptive_train::run::{Folder, Outcome, Run};

use super::train_head;
use crate::args::TrainArgs;
use crate::cluster;
use crate::device;
use crate::engine;
use crate::error::{CliError, print_note};
use crate::head_error::HeadError;
use crate::onnx_file::{self, OnnxOptions};
use crate::registry::{self, InitialWeights, Model, Pretrained};
use crate::signals;
use crate::training_data;
use crate::weights::ModelWeights;

/// Value of `--freeze` that freezes all layers but the last.
const ALL: &str = "all";

/// Trains the network, or resumes a run, and prints the result. The exit code is 0, or that of the
/// signal that stopped the run.
///
/// # Errors
///
/// [`CliError`] when the recipe, data or weights cannot be used, or the run fails.
pub fn run(args: &TrainArgs, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    cluster::run(&args.ranks, |cluster| run_rank(args, out, cluster))
}

fn run_rank(
    args: &TrainArgs,
    out: &mut dyn Write,
    cluster: &dyn Cluster,
) -> Result<ExitCode, CliError> {
    let model = registry::model(&args.model)?;
    let output = args.output.clone();
    let output = output.unwrap_or_else(|| PathBuf::from("runs").join(model.name));
    let folder = Folder::new(&output);
    if args.freeze.as_deref() == Some(ALL) {
        if cluster.ranks() > 1 {
            return Err(HeadError::Ranks.into());
        }
        let trained = train_head::run(args, &model, &folder)?;
        write_onnx(args, &model, &folder)?;
        print_weights(&model, &trained.accuracy(), &folder, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let is_first = cluster.rank() == 0;
    let locked = match is_first {
        true => folder.lock_existing()?,
        false => None,
    };
    // A resumed run loads its checkpoint, and needs these weights only to compare its recipe.
    let needs_from = !args.resume || changes_recipe(args);
    let from = args.from.as_ref().filter(|_| needs_from);
    let from = from.map(|path| ModelWeights::open(&model, path, args.key.key()));
    let from = from.transpose()?;
    let recipe = recipe(args, &model, from.as_ref(), &folder, cluster)?;
    let data = training_data::open(args, &model, &recipe)?;
    if is_first && !data.left_out.is_empty() {
        print_note(&format!("left out of the folders: {}", data.left_out));
    }
    engine::limit_backend_threads(args.threads);
    crate::allocator::retain_freed_memory();
    let devices = devices(args)?;
    if is_first && devices.len() > recipe.parts {
        print_note(&format!(
            "a step has {} parts, so that {} of the devices are idle",
            recipe.parts,
            devices.len() - recipe.parts
        ));
    }
    let initial = initial_weights(args, from, &data);
    let mut network = model.trainable(&recipe, &initial, devices)?;

    signals::stop_at_next_step();
    let Progress { mut monitor, quit } = match is_first {
        true => Progress::new(args.plain),
        false => Progress::none(),
    };
    let stop = || signals::received().is_some() || quit();
    let input = model.input;
    let run = Run {
        name: model.name,
        network: &mut *network,
        recipe: &recipe,
        data: &data,
        input: [input.channels, input.size, input.size],
        folder: &folder,
        workers: engine::threads_or_cores(args.workers).get(),
        skip_bad: args.skip_bad,
        accept_changes: args.accept_changes,
        save_every: Duration::from_secs_f64(args.save_minutes * 60.0),
        stop: &stop,
        monitor: &mut *monitor,
        cluster,
    };
    // The run locks the folder itself.
    drop(locked);
    let outcome = if args.resume {
        run.resume()
    } else {
        run.start()
    };
    // Dropping the dashboard restores the terminal.
    drop(monitor);
    let outcome = outcome?;
    if is_first && matches!(outcome, Outcome::Finished(_)) {
        write_onnx(args, &model, &folder)?;
    }
    let printed = match is_first {
        true => print_outcome(&outcome, &folder, &model, out),
        false => Ok(()),
    };
    match (outcome, signals::received()) {
        // The signal may have come with the end of the terminal, so that nothing can be printed.
        (Outcome::Stopped { .. }, Some(code)) => Ok(code),
        _ => printed.map(|()| ExitCode::SUCCESS),
    }
}

/// The report of a run, and the way in which its reader stops the run.
struct Progress {
    monitor: Box<dyn Monitor>,
    /// Whether the reader asked to stop the run.
    quit: Box<dyn Fn() -> bool>,
}

impl Progress {
    /// Returns no report, for ranks other than rank 0.
    fn none() -> Self {
        Self {
            monitor: Box::new(Plain::new(io::sink())),
            quit: Box::new(|| false),
        }
    }

    /// Returns the dashboard if the program has it and standard output is a terminal, unless
    /// `plain`; otherwise lines of text.
    fn new(plain: bool) -> Self {
        #[cfg(feature = "dashboard")]
        if !plain && io::IsTerminal::is_terminal(&io::stdout()) {
            let interrupter = burn::train::Interrupter::new();
            let dashboard = receptive_train::monitor::Dashboard::new(interrupter.clone());
            return Self {
                monitor: Box::new(dashboard),
                quit: Box::new(move || interrupter.should_stop()),
            };
        }
        #[cfg(not(feature = "dashboard"))]
        let _ = plain;
        Self {
            monitor: Box::new(Plain::new(io::stdout())),
            quit: Box::new(|| false),
        }
    }
}

/// Writes the weights of the run as an ONNX file, if `args` ask for it.
fn write_onnx(args: &TrainArgs, model: &Model, folder: &Folder) -> Result<(), CliError> {
    if !args.onnx {
        return Ok(());
    }
    let weights = ModelWeights::open(model, &folder.model(), None)?;
    onnx_file::write(&weights, &OnnxOptions::default(), &folder.onnx())
}

/// Prints where the weights are, after their accuracy.
fn print_weights(
    model: &Model,
    accuracy: &str,
    folder: &Folder,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let path = folder.model();
    writeln!(
        out,
        "{}: {accuracy}weights in {}",
        model.name,
        path.display()
    )?;
    Ok(())
}

fn print_outcome(
    outcome: &Outcome,
    folder: &Folder,
    model: &Model,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match outcome {
        Outcome::Stopped { epoch } => writeln!(
            out,
            "stopped in epoch {epoch}, checkpoint saved; run the same command with --resume to continue"
        )?,
        Outcome::Finished(last) => {
            let accuracy = last.as_ref().map_or(String::new(), |record| {
                let validation = &record.validation;
                let percent = 100.0 * validation.top1;
                format!("{percent:.2} % of {} validation images, ", validation.count)
            });
            print_weights(model, &accuracy, folder, out)?;
        }
    }
    Ok(())
}

/// Returns the recipe of the command line, or the saved recipe of a run to resume.
///
/// # Errors
///
/// [`CliError::OtherRecipe`] when the options change the recipe of a run to resume.
fn recipe(
    args: &TrainArgs,
    model: &Model,
    from: Option<&ModelWeights>,
    folder: &Folder,
    cluster: &dyn Cluster,
) -> Result<Recipe, CliError> {
    let preprocessing = from.map(|weights| &weights.description.preprocessing);
    let requested = || -> Result<Recipe, CliError> {
        let mut recipe = match &args.recipe {
            Some(path) => Recipe::open(path, &args.set)?,
            None => model.default_recipe(preprocessing, &args.set)?,
        };
        if args.freeze.is_some() {
            recipe.freeze.clone_from(&args.freeze);
        }
        if let Some(parts) = args.parts {
            recipe.parts = parts;
        }
        recipe.validate()?;
        Ok(recipe)
    };
    // Without a number of parts, a new run has as many as there are devices on all ranks.
    let is_set = args.parts.is_some() || args.set.iter().any(|set| set.trim().starts_with("parts"));
    if !args.resume {
        let mut recipe = requested()?;
        if recipe.parts == 1 && !is_set {
            let devices = cluster.ranks() * args.device.len().max(1);
            recipe.parts = devices.min(recipe.batch);
        }
        return Ok(recipe);
    }
    let saved = match cluster.rank() {
        0 => folder.read_recipe()?.text()?.into_bytes(),
        _ => Vec::new(),
    };
    let saved = broadcast(cluster, saved).map_err(TrainError::from)?;
    let saved = String::from_utf8_lossy(&saved);
    let saved = Recipe::parse(&saved, "the recipe of the run", &[])?;
    if changes_recipe(args) {
        let mut requested = requested()?;
        if requested.parts == 1 && !is_set {
            requested.parts = saved.parts;
        }
        if requested != saved {
            return Err(CliError::OtherRecipe {
                path: folder.recipe(),
            });
        }
    }
    Ok(saved)
}

/// Whether an option sets the recipe or a field of it.
fn changes_recipe(args: &TrainArgs) -> bool {
    args.recipe.is_some() || !args.set.is_empty() || args.freeze.is_some() || args.parts.is_some()
}

/// Returns the weights that training starts from: `from`, or else random weights.
///
/// The heads of `from` are loaded if they have the classes of the data, and `--classes` is not given.
fn initial_weights(
    args: &TrainArgs,
    from: Option<ModelWeights>,
    data: &DataSplits,
) -> InitialWeights {
    let classes = data.classes.len();
    // A resumed run loads the weights of its checkpoint.
    let Some(weights) = from.filter(|_| !args.resume) else {
        return InitialWeights {
            classes,
            pretrained: None,
        };
    };
    let description = &weights.description;
    // A head for the same number of other classes would start from wrong weights.
    let other_classes = description.own_labels && description.labels != data.classes;
    let same_classes = args.classes.is_none() && description.classes == classes && !other_classes;
    InitialWeights {
        classes,
        pretrained: Some(Pretrained {
            weights: weights.tensors,
            origin: weights.origin,
            heads: if same_classes {
                Heads::Load
            } else {
                Heads::Keep
            },
        }),
    }
}

/// Opens the devices of `--device`, or else the default device.
fn devices(args: &TrainArgs) -> Result<Vec<Device>, CliError> {
    if args.device.is_empty() {
        return Ok(vec![device::open(None)?]);
    }
    let open = |&name| device::open(Some(name)).map_err(CliError::from);
    args.device.iter().map(open).collect()
}
