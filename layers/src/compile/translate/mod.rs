//! Translation of a recorded graph to layers over feature maps.
//!
//! A value of shape `[batch, ..]` becomes a map without the batch axis, whose elements are those of
//! an image in row-major order. Reshapes become aliases of their input's map; a layer that needs
//! the axes of the value reads a copy in its shape. Values that do not depend on the input become
//! the weights of layers. A graph that combines images becomes a network of one image, the whole
//! input.
//!
//! Imports run one way: `node` → `general`, `weighted` → `data_movement` → `translation` → `axes`;
//! `node`, `data_movement` → `refusal`.

mod axes;
mod data_movement;
mod general;
mod node;
mod refusal;
mod translation;
mod weighted;

pub(super) use node::{Translated, translate};
