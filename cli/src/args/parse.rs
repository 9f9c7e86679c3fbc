//! Parsers of option values. Their errors say what was expected.

use super::export::ExportBatch;
use super::inputs::Shard;

/// Parses a shape such as `1x3x224x224`, with every dimension at least 1.
pub(super) fn shape(text: &str) -> Result<[usize; 4], String> {
    let error = || {
        "expected batch x channels x height x width, each at least 1, such as 1x3x224x224"
            .to_owned()
    };
    let dimensions = text
        .split('x')
        .map(|dimension| dimension.parse().ok().filter(|&n: &usize| n > 0))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(error)?;
    dimensions.try_into().map_err(|_| error())
}

/// Parses a whole number of at least 1.
pub(super) fn positive(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| n > 0)
        .ok_or_else(|| "expected a whole number of at least 1".to_owned())
}

/// Parses a number for each of three channels, separated by commas, or one number for all.
pub(super) fn channels(text: &str) -> Result<[f32; 3], String> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    let numbers = numbers.map(|number| number.filter(|number: &f32| number.is_finite()));
    match numbers.collect::<Option<Vec<f32>>>().as_deref() {
        Some(&[all]) => Ok([all; 3]),
        Some(&[red, green, blue]) => Ok([red, green, blue]),
        _ => Err(
            "expected three numbers such as 0.485,0.456,0.406, or one for all channels".to_owned(),
        ),
    }
}

/// Parses a version of ONNX's operators, from 13 to 23.
pub(super) fn opset(text: &str) -> Result<i64, String> {
    text.parse()
        .ok()
        .filter(|n| (13..=23).contains(n))
        .ok_or_else(|| "expected a whole number from 13 to 23".to_owned())
}

/// Parses a batch size, or `dynamic`.
pub(super) fn batch(text: &str) -> Result<ExportBatch, String> {
    if text == "dynamic" {
        return Ok(ExportBatch::Dynamic);
    }
    text.parse()
        .ok()
        .filter(|n| (1..=65_536).contains(n))
        .map(ExportBatch::Fixed)
        .ok_or_else(|| "expected a whole number from 1 to 65536, or dynamic".to_owned())
}

/// Parses a number of steps, from 1 to 10,000.
pub(super) fn steps(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| (1..=10_000).contains(&n))
        .ok_or_else(|| "expected a whole number from 1 to 10000".to_owned())
}

/// Parses a number of threads, from 1 to 1024.
pub(super) fn threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| (1..=1024).contains(&n))
        .ok_or_else(|| "expected a whole number from 1 to 1024".to_owned())
}

/// Parses a duration in seconds, above 0 and at most 3600.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&seconds: &f64| seconds > 0.0 && seconds <= 3600.0)
        .ok_or_else(|| "expected a number above 0 and at most 3600".to_owned())
}

/// Parses a duration in minutes, from 0 to 1,000,000.
#[cfg(feature = "train")]
pub(super) fn minutes(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|minutes| (0.0..=1e6).contains(minutes))
        .ok_or_else(|| "expected a number from 0 to 1000000".to_owned())
}

/// Parses a part of a list such as `1/4`.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let numbers = text.split_once('/').and_then(|(number, count)| {
        Some(Shard {
            number: number.parse().ok()?,
            count: count.parse().ok()?,
        })
    });
    numbers
        .filter(|shard| (1..=shard.count).contains(&shard.number))
        .ok_or_else(|| "expected K/N with K from 1 to N, such as 1/4".to_owned())
}

/// Parses a cosine, from -1 to 1.
pub(super) fn cosine(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|cosine| (-1.0..=1.0).contains(cosine))
        .ok_or_else(|| "expected a number from -1 to 1".to_owned())
}

/// Parses a number of folds, from 2 to 100.
pub(super) fn folds(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| (2..=100).contains(&n))
        .ok_or_else(|| "expected a whole number from 2 to 100".to_owned())
}

/// Parses a number of at least 0.
pub(super) fn non_negative(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&n: &f64| n >= 0.0 && n.is_finite())
        .ok_or_else(|| "expected a number of at least 0".to_owned())
}
