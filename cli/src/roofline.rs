//! Roofline chart of a profile: throughput over arithmetic intensity, below the peaks of the
//! machine (Williams, Waterman and Patterson, Roofline, 2009).

use std::collections::BTreeMap;
use std::path::Path;

use plotters::prelude::*;

use crate::error::CliError;
use crate::picture;
use crate::profile::{Profile, StepProfile};

/// Width and height of the chart, in pixels.
const SIZE: (u32, u32) = (1000, 640);

/// Number of steps with a label: those with the longest times.
const LABELLED_STEPS: usize = 6;

/// Writes the roofline chart of `profile` to the SVG file `path`.
///
/// # Errors
///
/// [`CliError::Picture`] when the file cannot be written; an existing file is then unchanged.
pub fn save(profile: &Profile, title: &str, path: &Path) -> Result<(), CliError> {
    let mut svg = String::new();
    paint(
        &SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(),
        profile,
        title,
    )
    .map_err(|error| picture::cannot_write(path, &error))?;
    picture::save(svg.as_bytes(), path)
}

fn paint<B: DrawingBackend>(
    area: &DrawingArea<B, plotters::coord::Shift>,
    profile: &Profile,
    title: &str,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    area.fill(&WHITE)?;
    let machine = profile.machine;
    let steps: Vec<&StepProfile> = profile
        .steps
        .iter()
        .filter(|step| step.multiply_adds > 0)
        .collect();
    let total: f64 = profile.steps.iter().map(|step| step.ms).sum();
    let [x, y] = [
        bounds(steps.iter().map(|step| step.intensity())),
        bounds(
            steps
                .iter()
                .map(|step| step.gflops())
                .chain([machine.flops / 1e9]),
        ),
    ];
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{title}: {total:.2} ms"), ("sans-serif", 24))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d((x.0..x.1).log_scale(), (y.0..y.1).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("arithmetic intensity, FLOP per byte")
        .y_desc("GFLOP/s")
        .light_line_style(WHITE)
        .draw()?;

    let roof = |intensity: f64| (machine.flops.min(machine.bandwidth * intensity)) / 1e9;
    let points = (0..=200).map(|i| x.0 * (x.1 / x.0).powf(f64::from(i) / 200.0));
    chart.draw_series(LineSeries::new(
        points
            .map(|intensity| (intensity, roof(intensity)))
            .filter(|&(_, gflops)| gflops >= y.0),
        BLACK.stroke_width(2),
    ))?;

    let mut algorithms: BTreeMap<&str, Vec<&StepProfile>> = BTreeMap::new();
    for step in &steps {
        algorithms.entry(&step.algorithm).or_default().push(step);
    }
    for (index, (algorithm, steps)) in algorithms.into_iter().enumerate() {
        let colour = Palette99::pick(index).to_rgba();
        chart
            .draw_series(steps.into_iter().map(|step| {
                // The area of a circle grows with the step's share of the total time.
                let radius = (4.0 + 60.0 * (step.ms / total).sqrt()) as i32 / 2;
                Circle::new(
                    (step.intensity(), step.gflops()),
                    radius,
                    colour.mix(0.6).filled(),
                )
            }))?
            .label(algorithm)
            .legend(move |(x, y)| Circle::new((x + 8, y), 6, colour.filled()));
    }
    let mut slowest = steps;
    slowest.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    chart.draw_series(slowest.iter().take(LABELLED_STEPS).map(|step| {
        let position = (step.intensity(), step.gflops());
        Text::new(step.name.clone(), position, ("sans-serif", 13).into_font())
    }))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()
}

/// Returns the narrowest range between powers of ten that contains all finite, positive values,
/// with a margin of 5 % at the top; 0.1 to 10 if there are none.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold((f64::INFINITY, 0.0f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if high == 0.0 {
        return (0.1, 10.0);
    }
    (
        10f64.powf(low.log10().floor()),
        10f64.powf((high * 1.05).log10().ceil()),
    )
}
