//! Progress reports of a training run: lines of text, or a terminal dashboard (feature `dashboard`).

#[cfg(feature = "dashboard")]
mod dashboard;
mod interface;
mod plain;

#[cfg(feature = "dashboard")]
pub use dashboard::Dashboard;
pub use interface::{Monitor, RunInfo};
pub use plain::Plain;
