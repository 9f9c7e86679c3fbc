//! A recorded network made ready to run on the CPU.
//!
//! [`compile`] records a network's `forward` and turns the [`Graph`] into the steps of a
//! [`Program`](receptive_kernels::plan::Program): batch norms and scales folded into the convolutions
//! beside them, activations and residual sums into the steps that compute their operands, concatenations
//! computed in place, an algorithm for each convolution, and all maps in one planned arena.
//! [`Compiled::from_graph`] does the same for the graph of any Burn module.
//!
//! ```text
//! Graph --translate--> Net --passes--> Net --choose, layout--> Program --pack--> Compiled
//! ```

mod choose;
mod compiled;
mod constant;
mod draw;
mod error;
mod file;
mod layout;
mod lifetimes;
mod lower;
mod measure;
mod net;
mod options;
mod passes;
mod segments;
#[cfg(test)]
mod tests;
mod text;
mod threads;
mod translate;
mod values;
mod weights;

pub use receptive_kernels::cpu::{Algorithm, Isa, UnknownIsa, WinogradTile};
pub use receptive_kernels::plan::{Machine, ProgramError, RunError};

pub use compiled::Compiled;
pub use error::{CompileError, FileError, Problem};
pub use lower::StepCost;
pub use options::{Options, Precision, Tuning};

use crate::graph::Graph;
use crate::network::Network;

/// Compiles `network` for images of shape `input`, `[batch, channels, height, width]`. Layers have their
/// reference names.
///
/// # Errors
///
/// [`CompileError`] when the network cannot be recorded, does something that there is no step for, or
/// `options` cannot be followed.
///
/// # Panics
///
/// Where the network's `forward` panics on an input of this shape.
pub fn compile<N: Network>(
    network: &N,
    input: [usize; 4],
    options: &Options,
) -> Result<Compiled, CompileError> {
    let graph = Graph::record(network, input, |network, images| {
        Network::forward(network, images)
    })?;
    Compiled::from_graph(graph.renamed(N::reference_name), options)
}
