#![doc = include_str!("../README.md")]

pub mod augment;
pub mod cluster;
mod confusion;
pub mod data;
mod error;
mod image;
pub mod loader;
pub mod loss;
mod metrics;
pub mod monitor;
pub mod optimizer;
mod random;
pub mod recipe;
mod records;
pub mod run;
pub mod session;
mod write;

pub use self::image::Image;
pub use confusion::{ClassAccuracy, ConfusionMatrix};
pub use error::TrainError;
pub use metrics::{MetricMeans, MetricSums};
pub use random::{Purpose, Random, seed, stream};
