//! Pooling.

mod adaptive;
mod max;
mod mean;
mod window;

pub use adaptive::AdaptiveMean;
pub use max::MaxPool;
pub use mean::MeanPool;
