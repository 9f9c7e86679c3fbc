//! The inference graph of a network, recorded from its `forward`.
//!
//! A network is written once, as a Burn module. [`Graph::record`] runs the module's `forward` on
//! Burn's capture device, which records operations instead of computing them. The result is a list
//! of [`Node`]s with static shapes, the parameters under their module paths, and the values of the
//! weights. [`Graph::trace`] records the same graph without the values, for the
//! [`summary`](crate::summary): no parameter is initialized or allocated.
//!
//! Recording needs only the module's `forward`, so any Burn module can be recorded. A layer that
//! Burn records as several operations is one node ([`Op::Linear`], [`Op::AdaptiveAvgPool2d`]).
//! Operations that change nothing, and operations that no output depends on, are removed.
//!
//! [`Graph::trace_network`] records chosen outputs of a [`Network`](crate::network::Network): the
//! logits, the embedding, and the feature maps of stages.
//!
//! [`GraphBuilder`] builds a graph without a module, from a list of operations such as that of a file.
//!
//! Imports run one way: `network` uses `record`; `record` uses `outputs`, `translate`, `simplify`,
//! `activations`, `batch`, `names` and `panic`; `translate` uses `composite`, which uses `masks` and
//! `recorded`; `builder` uses `simplify` and `activations`; these use `capture` and `structure`;
//! `structure` uses `op` and `value`.

mod activations;
mod batch;
mod builder;
mod capture;
mod composite;
mod error;
mod masks;
mod names;
mod network;
mod op;
mod outputs;
mod panic;
mod parameters;
mod products;
mod record;
mod recorded;
mod simplify;
mod structure;
mod translate;
mod value;
mod windows;

pub use builder::GraphBuilder;
pub use error::GraphError;
pub use network::{EMBEDDING, LOGITS};
pub use op::{Arithmetic, Conv2d, ConvTranspose2d, Function, Op, Pool2d, Reduction, SliceRange};
pub use outputs::{OutputList, Outputs};
pub use structure::{Graph, Node};
pub use value::{Origin, ParameterKind, Value, ValueData, ValueId};
