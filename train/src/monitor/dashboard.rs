//! Terminal dashboard of burn-train.

use std::sync::Arc;

use burn::train::Interrupter;
use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::{
    MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};

use super::interface::{Monitor, RunInfo};
use crate::metrics::MetricMeans;
use crate::records::{EpochRecord, StepRecord};

/// Full-screen dashboard of burn-train, with curves and progress bars. The key `q` stops the run,
/// like Ctrl-C.
pub struct Dashboard {
    renderer: TuiMetricsRendererWrapper,
}

/// Plotted metric.
#[derive(Clone, Copy)]
enum Metric {
    Loss,
    Accuracy,
    Rate,
}

impl Metric {
    const ALL: [Self; 3] = [Self::Loss, Self::Accuracy, Self::Rate];

    fn name(self) -> &'static str {
        match self {
            Self::Loss => "Loss",
            Self::Accuracy => "Accuracy",
            Self::Rate => "Learning rate",
        }
    }

    fn id(self) -> MetricId {
        MetricId::new(Arc::new(self.name().to_owned()))
    }

    fn definition(self) -> MetricDefinition {
        let attributes = NumericAttributes {
            unit: matches!(self, Self::Accuracy).then(|| "%".to_owned()),
            higher_is_better: matches!(self, Self::Accuracy),
        };
        MetricDefinition {
            metric_id: self.id(),
            name: Arc::new(self.name().to_owned()),
            description: None,
            attributes: attributes.into(),
        }
    }

    fn state(self, value: f64, epoch: f64) -> MetricState {
        let formatted = match self {
            Self::Loss => format!("epoch {epoch:.4} - batch {value:.4}"),
            Self::Accuracy => format!("epoch {epoch:.2} %"),
            Self::Rate => format!("{value:.3e}"),
        };
        let entry = MetricEntry::new(
            self.id(),
            SerializedEntry::new(formatted, value.to_string()),
        );
        MetricState::Numeric(entry, Some(NumericEntry::Value(value)))
    }
}

impl Dashboard {
    /// Takes over the terminal until the dashboard is dropped. The key `q` triggers `interrupter`.
    pub fn new(interrupter: Interrupter) -> Self {
        Self {
            renderer: TuiMetricsRendererWrapper::new(interrupter, None),
        }
    }
}

/// Enables the signal of Ctrl-C again, which the raw mode of the dashboard disables.
#[cfg(unix)]
fn enable_interrupt_signal() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let stdin = std::io::stdin();
    if let Ok(mut modes) = tcgetattr(&stdin)
        && !modes.local_modes.contains(LocalModes::ISIG)
    {
        modes.local_modes.insert(LocalModes::ISIG);
        // If this fails, the key `q` still stops the run.
        let _ = tcsetattr(&stdin, OptionalActions::Now, &modes);
    }
}

#[cfg(not(unix))]
fn enable_interrupt_signal() {}

impl Monitor for Dashboard {
    fn start_run(&mut self, info: &RunInfo) {
        for metric in Metric::ALL {
            self.renderer.register_metric(metric.definition());
        }
        self.renderer
            .start(info.epochs, info.first_epoch, None, None);
    }

    fn start_training(&mut self, _epoch: usize, images: usize) {
        self.renderer.start_split("train", images);
    }

    fn step(&mut self, record: &StepRecord, images: usize, means: Option<MetricMeans>) {
        enable_interrupt_signal();
        let (loss, top1) = means.map_or((record.loss, 0.0), |means| (means.loss, means.top1));
        let accuracy = 100.0 * top1;
        for state in [
            Metric::Loss.state(record.loss, loss),
            Metric::Accuracy.state(accuracy, accuracy),
            Metric::Rate.state(record.rate, record.rate),
        ] {
            self.renderer.update_train(state);
        }
        self.renderer.update_split(images);
        self.renderer.log_event_training("Iteration".to_owned());
    }

    fn start_validation(&mut self, _epoch: usize, images: usize) {
        self.renderer.end_split();
        self.renderer.start_split("valid", images);
    }

    fn validated(&mut self, images: usize) {
        self.renderer.update_split(images);
    }

    fn end_epoch(&mut self, record: &EpochRecord, _is_best: bool) {
        let MetricMeans { loss, top1, .. } = record.validation;
        let accuracy = 100.0 * top1;
        for state in [
            Metric::Loss.state(loss, loss),
            Metric::Accuracy.state(accuracy, accuracy),
        ] {
            self.renderer.update_valid(state);
        }
        self.renderer.end_split();
        self.renderer.update_epoch(record.epoch);
    }

    fn skipped(&mut self, _error: &str) {
        self.renderer
            .log_event_training("Skipped images".to_owned());
    }

    fn warning(&mut self, message: &str) {
        // The dashboard has no lines of text; the events of a run are counted by their names.
        self.renderer.log_event_training(message.to_owned());
    }

    fn end_run(&mut self) {
        self.renderer.end();
    }
}
