//! The registry of all networks.
//!
//! [`models()`] lists every published variant of every architecture, and [`model()`] finds a
//! variant by name. The networks' types are erased, so that the commands handle all networks alike.

mod erased;
mod list;
mod model;
#[cfg(test)]
mod tests;

pub use erased::AnyNetwork;
pub use list::{model, models};
pub use model::Model;
#[cfg(feature = "train")]
pub use model::{InitialWeights, Pretrained};
pub use receptive_layers::network::Paper;
