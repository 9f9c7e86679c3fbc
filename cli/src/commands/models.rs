//! `receptive models`: every network with its size, input, published weights and paper.

use std::io::Write;

use receptive_layers::weights::{Checkpoint, Source};
use serde::Serialize;

use super::write_json;
use crate::args::ModelsArgs;
use crate::error::CliError;
use crate::registry::{self, Model, Paper};

/// Writes the list.
pub fn run(args: &ModelsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let entries = registry::models()
        .iter()
        .map(Entry::of)
        .collect::<Result<Vec<_>, _>>()?;
    if args.json {
        return write_json(&entries, out);
    }
    for line in table(&entries) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    family: &'static str,
    parameters: u64,
    input: [usize; 3],
    classes: usize,
    weights: Vec<Published>,
    paper: Paper,
}

#[derive(Serialize)]
struct Published {
    tag: &'static str,
    publisher: &'static str,
    url: &'static str,
    top1: f32,
    top5: f32,
}

impl Entry {
    fn of(model: &Model) -> Result<Self, CliError> {
        let [_, channels, height, width] = model.input.shape();
        Ok(Self {
            name: model.name,
            family: model.family,
            parameters: model.parameters()?,
            input: [channels, height, width],
            classes: model.classes,
            weights: model.checkpoints.iter().map(Published::of).collect(),
            paper: model.paper,
        })
    }
}

impl Published {
    fn of(checkpoint: &Checkpoint) -> Self {
        Self {
            tag: checkpoint.tag,
            publisher: match checkpoint.source {
                Source::Torchvision => "torchvision",
                Source::Timm => "timm",
            },
            url: checkpoint.url,
            top1: checkpoint.top1,
            top5: checkpoint.top5,
        }
    }
}

/// Lines of aligned columns, the heading first.
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

/// `61,100,840`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
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
    fn thousands_are_set_apart() {
        for (number, text) in [(7, "7"), (1000, "1,000"), (61_100_840, "61,100,840")] {
            assert_eq!(thousands(number), text);
        }
    }
}
