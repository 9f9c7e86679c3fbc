//! Layout of feature maps and weights in memory, and one thread's view of it.

mod accesses;
mod buffer;
mod check;
mod context;
mod conv;
mod map;
mod offsets;
mod output;
mod strips;
mod taps;

pub(crate) use accesses::AccessSet;
pub use buffer::Buffer;
pub(crate) use check::{CheckError, Memory, disjoint, elementwise, ensure};
pub(crate) use context::Context;
pub use conv::ConvSpec;
pub use map::{Border, Map};
pub(crate) use offsets::Offsets;
pub use output::Output;
pub(crate) use strips::{Rows, Strip};
pub(crate) use taps::Taps;
