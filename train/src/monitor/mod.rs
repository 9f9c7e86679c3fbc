//! Progress reports of a training run: a terminal dashboard, or lines of text.

mod dashboard;
mod interface;
mod plain;

pub use dashboard::Dashboard;
pub use interface::{Monitor, RunInfo};
pub use plain::Plain;
