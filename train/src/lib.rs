#![doc = include_str!("../README.md")]

pub mod augment;
mod confusion;
pub mod data;
mod error;
pub mod loader;
pub mod loss;
mod metrics;
pub mod monitor;
pub mod optimizer;
mod picture;
mod random;
pub mod recipe;
pub mod run;
pub mod session;

pub use confusion::{ClassMeans, Confusion};
pub use error::TrainError;
pub use metrics::{Means, MetricSums, place, rows};
pub use picture::Picture;
pub use random::{Purpose, Random, seed, stream};
