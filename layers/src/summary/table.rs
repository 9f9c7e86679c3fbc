//! Table of a summary as text.

use std::fmt;

use super::channel_axis::usual_axis;
use super::kind::joined;
use super::report::{Layer, Summary};

const HEADER: [&str; 7] = [
    "layer",
    "kind",
    "output HxWxC",
    "memory",
    "parameters",
    "",
    "multiply-adds",
];

/// Indices of the right-aligned columns.
const RIGHT_ALIGNED: [usize; 3] = [3, 5, 6];

impl fmt::Display for Summary {
    /// Writes the table, whose first row is the input, and the totals below it, without a final
    /// newline.
    ///
    /// Units of memory are powers of 1000. The units of the parameters' size are powers of 1024, as
    /// is usual for the sizes of weight files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, input {}\n", self.model, joined(&self.input))?;
        let layers: u64 = self.layers.iter().map(|layer| layer.memory_bytes).sum();
        let mut input: [String; 7] = Default::default();
        input[0] = "input".to_owned();
        input[2] = shape(&self.input, usual_axis(self.input.len()));
        input[3] = bytes(self.activation_bytes.saturating_sub(layers));
        let rows: Vec<[String; 7]> = [HEADER.map(str::to_owned), input]
            .into_iter()
            .chain(self.layers.iter().map(row))
            .collect();
        write_rows(f, &rows)?;
        writeln!(f)?;
        write_totals(f, self)
    }
}

fn row(layer: &Layer) -> [String; 7] {
    let kind = match &layer.activation {
        Some(activation) => format!("{}, {activation}", layer.kind),
        None => layer.kind.clone(),
    };
    [
        layer.name.clone(),
        kind,
        shape(&layer.output, layer.channel_axis),
        nonzero(layer.memory_bytes, bytes),
        layer.formula.clone(),
        nonzero(layer.parameters, thousands),
        match &layer.uncounted[..] {
            [] => nonzero(layer.macs, thousands),
            _ => "?".to_owned(),
        },
    ]
}

fn write_rows(f: &mut fmt::Formatter<'_>, rows: &[[String; 7]]) -> fmt::Result {
    let mut widths = [0; 7];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths).enumerate();
        let line: Vec<String> = cells
            .map(|(column, (cell, width))| {
                if RIGHT_ALIGNED.contains(&column) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:width$}")
                }
            })
            .collect();
        writeln!(f, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

fn write_totals(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    writeln!(
        f,
        "parameters       {} ({})",
        thousands(summary.parameters),
        binary_bytes(summary.parameter_bytes)
    )?;
    if summary.fixed > 0 {
        writeln!(f, "fixed values     {}", thousands(summary.fixed))?;
    }
    writeln!(
        f,
        "activations      {} ({})",
        thousands(summary.activation_values),
        bytes(summary.activation_bytes)
    )?;
    writeln!(
        f,
        "multiply-adds    {} ({})",
        thousands(summary.macs),
        scaled(summary.macs, 1000.0, ["", " k", " M", " G"])
    )?;
    if !summary.uncounted.is_empty() {
        writeln!(f, "not counted      {}", summary.uncounted.join(", "))?;
    }
    write!(f, "connections      {}", thousands(summary.connections))?;
    if let Some(widest) = &summary.widest {
        write!(f, "\nwidest layer     {widest}")?;
    }
    if let Some([height, width]) = summary.receptive_field {
        write!(f, "\nreceptive field  {height}x{width}")?;
    }
    Ok(())
}

/// Returns the formatted number, or an empty string for zero.
fn nonzero(number: u64, format: fn(u64) -> String) -> String {
    if number == 0 {
        String::new()
    } else {
        format(number)
    }
}

/// Returns height, width and channels of a tensor with the channels in `axis`: `224x224x64`;
/// `1x1x1000` for a vector, and `196x768` for a sequence of vectors.
fn shape(shape: &[usize], axis: usize) -> String {
    match *shape {
        [_, channels] => joined(&[1, 1, channels]),
        [_, ref rest @ ..] => {
            let mut lengths = rest.to_vec();
            if (1..=lengths.len()).contains(&axis) {
                lengths[axis - 1..].rotate_left(1);
            }
            joined(&lengths)
        }
        [] => String::new(),
    }
}

/// Returns a size in powers of 1000: `60.95 MB`.
fn bytes(bytes: u64) -> String {
    scaled(bytes, 1e3, [" B", " kB", " MB", " GB"])
}

/// Returns a size in powers of 1024: `527.79 MiB`.
fn binary_bytes(bytes: u64) -> String {
    scaled(bytes, 1024.0, [" B", " KiB", " MiB", " GiB"])
}

/// Returns a number with two decimals in the largest unit in which it is at least 1.
fn scaled(number: u64, base: f64, units: [&str; 4]) -> String {
    if (number as f64) < base {
        return format!("{number}{}", units[0]);
    }
    let mut scaled = number as f64 / base;
    let mut unit = 1;
    while scaled >= base && unit + 1 < units.len() {
        scaled /= base;
        unit += 1;
    }
    format!("{scaled:.2}{}", units[unit])
}

/// Returns a number with thousands separators: `138,357,544`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
