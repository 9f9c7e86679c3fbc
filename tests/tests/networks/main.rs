//! Test cases of every network of [`receptive_tests::networks::Tested`].
//!
//! A case is called by its check and its network, such as `parity::flex::resnet50`, and selected as
//! the tests of any binary are: `cargo test --test networks -- resnet50`. The cases come from the
//! registry and from the reference files, so a new network has all of them.
//!
//! The slow cases of all networks but the first of each configuration type are ignored:
//! `-- --include-ignored` runs them, as CI does.

mod compiled;
mod configurations;
mod drawings;
mod explanations;
mod fused;
mod gradients;
mod onnx;
mod outputs;
mod parity;
mod published;
mod round_trips;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = [
        compiled::trials(),
        configurations::trials(),
        drawings::trials(),
        explanations::trials(),
        fused::trials(),
        gradients::trials(),
        onnx::trials(),
        outputs::trials(),
        parity::trials(),
        published::trials(),
        round_trips::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}

/// Returns the test case called `name`, which fails when `test` panics.
fn case(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// Returns a test case `group::network` for each of `networks`, which fails when `test` panics.
fn cases(group: &str, networks: impl IntoIterator<Item: AsRef<str>>, test: fn(&str)) -> Vec<Trial> {
    let networks = networks.into_iter();
    networks
        .map(|network| {
            let network = network.as_ref().to_owned();
            Trial::test(format!("{group}::{network}"), move || {
                test(&network);
                Ok(())
            })
        })
        .collect()
}

/// As [`cases`], for a slow test. The cases of which `is_quick` is false are ignored by default.
fn slow_cases(
    group: &str,
    networks: impl IntoIterator<Item: AsRef<str>>,
    is_quick: fn(&str) -> bool,
    test: fn(&str),
) -> Vec<Trial> {
    let networks: Vec<String> = networks
        .into_iter()
        .map(|network| network.as_ref().to_owned())
        .collect();
    let cases = cases(group, &networks, test);
    let pairs = networks.iter().zip(cases);
    pairs
        .map(|(network, case)| case.with_ignored_flag(!is_quick(network)))
        .collect()
}
