//! `receptive models`: the list of all networks.

use std::io::Write;

use receptive_layers::weights::Checkpoint;
use serde::Serialize;

use crate::args::ModelsArgs;
use crate::error::CliError;
use crate::json::write_json;
use crate::registry::{self, Model, Paper};

/// Writes the list as a table or as JSON.
///
/// # Errors
///
/// [`CliError`] when the parameters of a network cannot be counted, or the output cannot be
/// written.
pub fn run(args: &ModelsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let entries = registry::models()
        .iter()
        .map(Entry::from_model)
        .collect::<Result<Vec<_>, _>>()?;
    if args.json {
        return write_json(&entries, out);
    }
    for line in table(&entries) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// A network in the list.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    family: &'static str,
    parameters: u64,
    input: [usize; 3],
    classes: usize,
    weights: Vec<PublishedWeights>,
    paper: Paper,
}

/// Published weights of a network, with their ImageNet or CIFAR accuracy in percent.
#[derive(Serialize)]
struct PublishedWeights {
    tag: &'static str,
    publisher: &'static str,
    url: &'static str,
    top1: f32,
    top5: f32,
}

impl Entry {
    fn from_model(model: &Model) -> Result<Self, CliError> {
        let [_, channels, height, width] = model.input.shape();
        Ok(Self {
            name: model.name,
            family: model.family,
            parameters: model.parameters()?,
            input: [channels, height, width],
            classes: model.classes,
            weights: model
                .checkpoints
                .iter()
                .map(PublishedWeights::from_checkpoint)
                .collect(),
            paper: model.paper,
        })
    }
}

impl PublishedWeights {
    fn from_checkpoint(checkpoint: &Checkpoint) -> Self {
        Self {
            tag: checkpoint.tag,
            publisher: checkpoint.source.name(),
            url: checkpoint.url,
            top1: checkpoint.top1,
            top5: checkpoint.top5,
        }
    }
}

/// Formats the entries as lines with aligned columns, after a heading.
fn table(entries: &[Entry]) -> Vec<String> {
    let heading = [
        "NAME",
        "PARAMETERS",
        "INPUT",
        "WEIGHTS: TOP-1 / TOP-5 %",
        "PAPER",
    ]
    .map(str::to_owned);
    let mut rows = vec![heading];
    rows.extend(entries.iter().map(|entry| {
        let [channels, height, width] = entry.input;
        let accuracy: Vec<String> = entry
            .weights
            .iter()
            .map(|weights| format!("{:.1} / {:.1}", weights.top1, weights.top5))
            .collect();
        [
            entry.name.to_owned(),
            thousands(entry.parameters),
            format!("{channels}x{height}x{width}"),
            if accuracy.is_empty() {
                "-".to_owned()
            } else {
                accuracy.join(", ")
            },
            format!("{} {}", entry.paper.authors, entry.paper.year),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let [name, parameters, input, accuracy] = [width(0), width(1), width(2), width(3)];
    rows.iter()
        .map(|row| {
            format!(
                "{:<name$}  {:>parameters$}  {:<input$}  {:<accuracy$}  {}",
                row[0], row[1], row[2], row[3], row[4]
            )
        })
        .collect()
}

/// Formats a number with commas between groups of three digits, such as `61,100,840`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [(7, "7"), (1000, "1,000"), (61_100_840, "61,100,840")] {
            assert_eq!(thousands(number), text);
        }
    }
}
