//! burn-train's dashboard on a terminal.

use std::sync::Arc;

use burn::train::Interrupter;
use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::{
    MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};

use super::{About, Monitor};
use crate::metrics::Means;
use crate::run::{EpochRecord, StepRecord};

/// burn-train's dashboard: curves and progress, full screen. Its key `q` asks the run to stop, as
/// Ctrl-C does.
pub struct Dashboard {
    renderer: TuiMetricsRendererWrapper,
}

/// What is plotted.
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
    /// Takes the terminal over, until it is dropped; `interrupter` tells when its user asks for a stop.
    pub fn new(interrupter: Interrupter) -> Self {
        Self {
            renderer: TuiMetricsRendererWrapper::new(interrupter, None),
        }
    }
}

/// Lets Ctrl-C be a signal again, which the dashboard's raw mode makes a key of no meaning.
#[cfg(unix)]
fn keep_interrupt() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let stdin = std::io::stdin();
    if let Ok(mut modes) = tcgetattr(&stdin)
        && !modes.local_modes.contains(LocalModes::ISIG)
    {
        modes.local_modes.insert(LocalModes::ISIG);
        // Without it the key `q` still stops the run.
        let _ = tcsetattr(&stdin, OptionalActions::Now, &modes);
    }
}

#[cfg(not(unix))]
fn keep_interrupt() {}

impl Monitor for Dashboard {
    fn begin(&mut self, about: &About) {
        for metric in Metric::ALL {
            self.renderer.register_metric(metric.definition());
        }
        self.renderer
            .start(about.epochs, about.first_epoch, None, None);
    }

    fn train(&mut self, _epoch: usize, images: usize) {
        self.renderer.start_split("train", images);
    }

    fn step(&mut self, record: &StepRecord, images: usize, means: Option<Means>) {
        keep_interrupt();
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

    fn validate(&mut self, _epoch: usize, images: usize) {
        self.renderer.end_split();
        self.renderer.start_split("valid", images);
    }

    fn validated(&mut self, images: usize) {
        self.renderer.update_split(images);
    }

    fn epoch(&mut self, record: &EpochRecord, _is_best: bool) {
        let Means { loss, top1, .. } = record.validation;
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

    fn end(&mut self) {
        self.renderer.end();
    }
}
