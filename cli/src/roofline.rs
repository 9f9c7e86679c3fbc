//! A profile as a picture: what each layer reaches, under what the machine allows.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use plotters::prelude::*;
use receptive_layers::atomic_file::AtomicFile;

use crate::profile::{Profile, StepProfile};

const SIZE: (u32, u32) = (1000, 640);
/// Layers that are named: those that take the most time.
const NAMED: usize = 6;

/// The picture, in SVG.
pub fn draw(profile: &Profile, title: &str) -> Result<String, String> {
    let mut svg = String::new();
    paint(
        &SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(),
        profile,
        title,
    )
    .map_err(|error| error.to_string())?;
    Ok(svg)
}

/// Writes it under another name, then renames it.
pub fn write(svg: &str, path: &Path) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut file = AtomicFile::create(path).map_err(text)?;
    file.write_all(svg.as_bytes()).map_err(text)?;
    file.commit().map_err(text)
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
        .x_desc("floating point operations for each byte moved")
        .y_desc("GFLOP/s")
        .light_line_style(WHITE)
        .draw()?;

    let roof = |intensity: f64| (machine.flops.min(machine.bandwidth * intensity)) / 1e9;
    let points = (0..=200).map(|i| x.0 * (x.1 / x.0).powf(f64::from(i) / 200.0));
    chart.draw_series(LineSeries::new(
        points
            .map(|at| (at, roof(at)))
            .filter(|&(_, height)| height >= y.0),
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
                // The area is the share of the time.
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
    let mut longest = steps;
    longest.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    chart.draw_series(longest.iter().take(NAMED).map(|step| {
        let place = (step.intensity(), step.gflops());
        Text::new(step.name.clone(), place, ("sans-serif", 13).into_font())
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

/// A range of powers of ten around all values.
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
