//! Chart of loss and accuracy over the epochs.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::error::TrainError;
use crate::metrics::MetricMeans;
use crate::records::EpochRecord;
use crate::write::write_atomic;

/// Width and height of the drawing, in pixels.
const SIZE: (u32, u32) = (960, 420);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the loss and accuracy of `epochs` to the SVG file at `path`.
pub fn draw(epochs: &[EpochRecord], path: &Path) -> Result<(), TrainError> {
    let mut text = String::new();
    render(epochs, &mut text).map_err(|error| TrainError::Drawing {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    write_atomic(path, text.as_bytes())
}

/// Renders both charts as SVG.
fn render(epochs: &[EpochRecord], text: &mut String) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    chart(&left, epochs, "loss", |means| means.loss)?;
    chart(&right, epochs, "top-1 accuracy, %", |means| {
        100.0 * means.top1
    })?;
    area.present()?;
    drop((left, right));
    Ok(())
}

/// Draws one metric of training and validation over the epochs.
fn chart(
    area: &Area<'_>,
    epochs: &[EpochRecord],
    title: &str,
    value: impl Fn(&MetricMeans) -> f64,
) -> Result<(), Box<dyn Error>> {
    let series = |means: fn(&EpochRecord) -> &MetricMeans| -> Vec<(f64, f64)> {
        let point = |record: &EpochRecord| (record.epoch as f64, value(means(record)));
        epochs.iter().map(point).collect()
    };
    let lines = [
        ("training", BLUE, series(|record| &record.train)),
        ("validation", RED, series(|record| &record.validation)),
    ];
    let values = lines.iter().flat_map(|(_, _, points)| points);
    let (low, high) = values
        .map(|&(_, value)| value)
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    let margin = ((high - low) * 0.05).max(1e-3);
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let last = epochs.last().map_or(1, |record| record.epoch) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .caption(title, ("sans-serif", 16))
        .build_cartesian_2d(0.9..last + 0.1, low - margin..high + margin)?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .x_labels(10)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (name, colour, points) in lines {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(2))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}
