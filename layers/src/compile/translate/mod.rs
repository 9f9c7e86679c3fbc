//! Translation of a recorded graph to layers over feature maps.
//!
//! A value of shape `[batch, ..]` becomes a map without the batch axis. Reshapes become aliases of
//! their input's map. Values that do not depend on the input become the weights of layers.
//!
//! Imports run one way: `node` → `weighted` → `data_movement` → `translation`;
//! `node` → `refusal`.

mod data_movement;
mod node;
mod refusal;
mod translation;
mod weighted;

pub(super) use node::translate;
