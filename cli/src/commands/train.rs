//! `receptive train`: a network from nothing, or from pretrained weights, to a saved model.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use burn::tensor::Device;
use burn::train::Interrupter;
use receptive_layers::weights::{Heads, StateDict};
use receptive_train::TrainError;
use receptive_train::data::{DataSplits, Holdout, PublicDataset};
use receptive_train::monitor::{Dashboard, Monitor, Plain};
use receptive_train::recipe::Recipe;
use receptive_train::run::{Folder, Outcome, Run};

use crate::args::train::{Dataset, TrainArgs};
use crate::device;
use crate::digits;
use crate::engine;
use crate::error::CliError;
use crate::pretrained;
use crate::recipes;
use crate::registry::{self, InitialWeights, Model, Pretrained};

/// What a shell calls the end by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Trains, and tells what came of it.
pub fn run(args: &TrainArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let output = args.output.clone();
    let output = output.unwrap_or_else(|| PathBuf::from("runs").join(model.name));
    let folder = Folder::new(&output);
    let recipe = recipe(args, &model, &folder)?;
    let data = data(args, &model, &recipe)?;
    engine::limit_threads(args.threads);
    crate::allocator::retain_freed_memory();
    let devices = devices(args)?;
    let initial = initial(args, &model, &data)?;
    let mut network = model.trainable(&recipe, &initial, devices)?;

    let interrupter = Interrupter::new();
    let stopped = stop_on_interrupt();
    let stop = || stopped.load(Ordering::Relaxed) || interrupter.should_stop();
    let mut monitor: Box<dyn Monitor> = if !args.plain && io::stdout().is_terminal() {
        Box::new(Dashboard::new(interrupter.clone()))
    } else {
        Box::new(Plain::new(io::stdout()))
    };
    let input = model.input;
    let run = Run {
        network: &mut *network,
        recipe: &recipe,
        data: &data,
        input: [input.channels, input.size, input.size],
        folder: &folder,
        workers: args.workers.unwrap_or_else(cores),
        skip_bad: args.skip_bad,
        save_every: Duration::from_secs_f64(args.save_minutes * 60.0),
        stop: &stop,
        monitor: &mut *monitor,
    };
    let outcome = if args.resume {
        run.resume()
    } else {
        run.start()
    };
    // The terminal is a terminal again.
    drop(monitor);
    tell(&outcome?, &folder, &model, out)
}

fn tell(
    outcome: &Outcome,
    folder: &Folder,
    model: &Model,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match outcome {
        Outcome::Stopped { epoch } => writeln!(
            out,
            "stopped in epoch {epoch} and saved; the same command with --resume goes on"
        )?,
        Outcome::Finished(last) => {
            let accuracy = last.as_ref().map_or(String::new(), |record| {
                let validation = &record.validation;
                let part = 100.0 * validation.top1;
                format!("{part:.2} % of {} validation images, ", validation.count)
            });
            let path = folder.model();
            writeln!(
                out,
                "{}: {accuracy}weights in {}",
                model.name,
                path.display()
            )?;
        }
    }
    Ok(())
}

/// The recipe that the command line asks for; of a run that goes on, its own.
fn recipe(args: &TrainArgs, model: &Model, folder: &Folder) -> Result<Recipe, CliError> {
    let asked = || -> Result<Recipe, CliError> {
        let mut recipe = match &args.recipe {
            Some(path) => Recipe::open(path, &args.set)?,
            None => recipes::default_for(model, args.from.is_some(), &args.set)?,
        };
        if args.freeze.is_some() {
            recipe.freeze.clone_from(&args.freeze);
        }
        Ok(recipe)
    };
    if !args.resume {
        return asked();
    }
    let own = folder.read_recipe()?;
    let says_more = args.recipe.is_some() || !args.set.is_empty() || args.freeze.is_some();
    if says_more && asked()? != own {
        return Err(CliError::OtherRecipe {
            path: folder.recipe(),
        });
    }
    Ok(own)
}

fn data(args: &TrainArgs, model: &Model, recipe: &Recipe) -> Result<DataSplits, CliError> {
    let downloaded = args.download.map(download).transpose()?;
    let data = match args.data.as_ref().or(downloaded.as_ref()) {
        Some(folder) => DataSplits::open(
            folder,
            Holdout {
                fraction: recipe.data.holdout,
                seed: recipe.seed,
            },
        )
        .map_err(TrainError::from)?,
        None if model.input.channels == 1 => digits::open().map_err(TrainError::from)?,
        None => return Err(CliError::NoData { model: model.name }),
    };
    match args.classes {
        Some(asked) if asked != data.classes.len() => Err(CliError::ClassCount {
            asked,
            found: data.classes.len(),
        }),
        _ => Ok(data),
    }
}

/// The folder of a dataset in the cache, downloaded with a bar if it is not there.
fn download(dataset: Dataset) -> Result<PathBuf, CliError> {
    let bar = pretrained::download_bar();
    let mut report = |name: &str, done: u64, total: Option<u64>| {
        bar.set_message(name.to_owned());
        bar.set_length(total.unwrap_or(done));
        bar.set_position(done);
    };
    let published = match dataset {
        Dataset::Mnist => PublicDataset::Mnist,
        Dataset::Cifar10 => PublicDataset::Cifar10,
        Dataset::Cifar100 => PublicDataset::Cifar100,
    };
    let folder = published.fetch(&mut report).map_err(TrainError::from);
    bar.finish_and_clear();
    Ok(folder?)
}

/// The weights that training begins with.
fn initial(args: &TrainArgs, model: &Model, data: &DataSplits) -> Result<InitialWeights, CliError> {
    let classes = data.classes.len();
    // A run that goes on has its weights in its checkpoint.
    let Some(path) = args.from.as_ref().filter(|_| !args.resume) else {
        return Ok(InitialWeights {
            classes,
            pretrained: None,
        });
    };
    let weights = StateDict::open(path)?;
    let same_classes = args.classes.is_none() && model.classes_of(&weights) == classes;
    Ok(InitialWeights {
        classes,
        pretrained: Some(Pretrained {
            weights,
            origin: path.display().to_string(),
            heads: if same_classes {
                Heads::Load
            } else {
                Heads::Keep
            },
        }),
    })
}

fn devices(args: &TrainArgs) -> Result<Vec<Device>, CliError> {
    if args.device.is_empty() {
        return Ok(vec![device::open(None)?]);
    }
    let open = |&name| device::open(Some(name)).map_err(CliError::from);
    args.device.iter().map(open).collect()
}

/// Becomes true at the first Ctrl-C (or termination); the second one ends the program where it is.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    // It fails where a handler is there already: then that one decides.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
    });
    stopped
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}
