#![doc = include_str!("../README.md")]

#[cfg(feature = "train")]
mod allocator;
pub mod args;
mod bars;
mod classifier;
#[cfg(feature = "train")]
mod cluster;
mod commands;
pub mod device;
#[cfg(feature = "train")]
mod digits;
mod embedded;
mod embedder;
mod engine;
pub mod error;
pub mod explain_error;
mod explainer;
mod groups;
mod head;
#[cfg(feature = "train")]
pub mod head_error;
mod image_grid;
pub mod inputs;
mod json;
mod label_file;
pub mod npy;
mod onnx_classifier;
mod onnx_file;
mod onnx_images;
mod onnx_network;
mod panics;
mod picture;
mod predict;
mod profile;
mod progress;
pub mod registry;
mod resolve;
mod roofline;
mod rows;
mod same_file;
mod signals;
#[cfg(feature = "train")]
mod training_data;
pub mod vector_error;
pub mod vector_file;
mod weights;

use std::io;
use std::process::ExitCode;

use clap::builder::Styles;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use error::{CliError, one_line, print_error};

/// Parses the command line, runs the command and returns the exit code: 0 for success, 1 if some of
/// the images could not be classified, 2 for wrong usage or input, 128 plus the number of the signal
/// that stopped a training run.
pub fn main() -> ExitCode {
    signals::handle();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return usage(&error),
    };
    match panics::catch_panics(|| execute(command)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            error.print();
            ExitCode::from(2)
        }
        Err(panic) if panics::is_without_threads(&panic) => fail(
            "cannot start a thread: the system or the user has too many of them, or no memory is left; \
             lower --threads, or raise the limit",
        ),
        Err(panic) => fail(&format!("internal error, please report it: {panic}")),
    }
}

/// Prints the help that was asked for, or the error of the arguments on one line.
fn usage(error: &clap::Error) -> ExitCode {
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || is_help {
        return match error.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                fail(&one_line(&CliError::Output(error)))
            }
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        };
    }
    // Without styles, the only control characters of the error are those of the arguments. The text
    // of a styled error lacks them.
    let plain = Cli::command().styles(Styles::plain());
    let text = match plain.try_get_matches() {
        Err(error) => error.render().ansi().to_string(),
        Ok(_) => error.render().to_string(),
    };
    fail(&usage_line(&text))
}

/// Returns the message and the tips of an error of clap, without its usage, on one line.
fn usage_line(text: &str) -> String {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let paragraphs = text.split("\n\n").map(words);
    let parts = paragraphs.filter(|paragraph| {
        !paragraph.is_empty()
            && !paragraph.starts_with("Usage:")
            && !paragraph.starts_with("For more information")
    });
    let parts: Vec<String> = parts.collect();
    let line = parts.join("; ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn execute(command: Command) -> Result<ExitCode, CliError> {
    // Not locked: the dashboard of a training run writes to standard output from its own thread.
    let mut out = io::stdout();
    match command {
        #[cfg(feature = "train")]
        Command::Train(args) => return commands::train::run(&args, &mut out),
        #[cfg(feature = "train")]
        Command::Eval(args) => commands::eval::run(&args, &mut out),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Models(args) => commands::models::run(&args, &mut out),
        Command::Summary(args) => commands::summary::run(&args, &mut out),
        Command::Draw(args) => commands::draw::run(&args, &mut out),
        Command::Classify(args) => return commands::classify::run(&args, &mut out),
        Command::Explain(args) => commands::explain::run(&args, &mut out),
        Command::Embed(args) => return commands::embed::run(&args),
        Command::Similar(args) => commands::similar::run(&args, &mut out),
        Command::Duplicates(args) => commands::duplicates::run(&args, &mut out),
        Command::Probe(args) => commands::probe::run(&args, &mut out),
        Command::Run(args) => commands::run::run(&args),
        Command::Bench(args) => commands::bench::run(&args, &mut out),
        Command::Compile(args) => commands::compile::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Convert(args) => commands::convert::run(&args),
        Command::Completions(args) => commands::completions::run(&args, &mut out),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn fail(message: &str) -> ExitCode {
    print_error(message);
    ExitCode::from(2)
}
