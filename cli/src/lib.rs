#![doc = include_str!("../README.md")]

#[cfg(feature = "train")]
mod allocator;
pub mod args;
mod bars;
mod classifier;
mod commands;
pub mod device;
#[cfg(feature = "train")]
mod digits;
mod engine;
pub mod error;
mod mosaic;
pub mod npy;
mod panics;
pub mod pretrained;
mod profile;
#[cfg(feature = "train")]
mod recipes;
pub mod registry;
mod roofline;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use error::CliError;

/// Reads the command line, does what it says, and tells how it went: 0 all is well, 1 some images
/// could not be classified, 2 bad usage or input.
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    match panics::catch_panics(|| execute(command)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error::one_line(&error)),
        Err(message) => fail(&format!(
            "receptive failed in a way that it should not: {message}"
        )),
    }
}

fn execute(command: Command) -> Result<ExitCode, CliError> {
    // Not locked: training's dashboard writes from a thread of its own.
    let mut out = io::stdout();
    match command {
        #[cfg(feature = "train")]
        Command::Train(args) => commands::train::run(&args, &mut out),
        #[cfg(feature = "train")]
        Command::Eval(args) => commands::eval::run(&args, &mut out),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Models(args) => commands::models::run(&args, &mut out),
        Command::Summary(args) => commands::summary::run(&args, &mut out),
        Command::Draw(args) => commands::draw::run(&args, &mut out),
        Command::Classify(args) => return commands::classify::run(&args, &mut out),
        Command::Run(args) => commands::run::run(&args),
        Command::Bench(args) => commands::bench::run(&args, &mut out),
        Command::Compile(args) => commands::compile::run(&args),
        Command::Convert(args) => commands::convert::run(&args),
        Command::Completions(args) => commands::completions::run(&args, &mut out),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn fail(message: &str) -> ExitCode {
    complain(message);
    ExitCode::from(2)
}

/// Tells an error on standard error, unless nobody reads it.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}
