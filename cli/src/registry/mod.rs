//! The registry of all networks.
//!
//! [`Published`] lists the configuration type of every network, [`models()`] returns their variants
//! and [`model()`] finds a variant by name. The variants' types are erased, so that the commands
//! handle all networks alike. [`networks!`](crate::networks) defines another list in the same way.

mod erased;
mod model;
mod networks;
mod published;
#[cfg(test)]
mod tests;

pub use erased::AnyNetwork;
pub use model::Model;
#[cfg(feature = "train")]
pub use model::{InitialWeights, Pretrained};
pub use networks::{ConfigVisitor, Registry};
pub use published::{Published, model, models};
pub use receptive_layers::network::Paper;
