//! Compilation of a recorded network to a CPU execution plan.
//!
//! [`compile`] records a network's `forward` and lowers the [`Graph`] to the steps of a
//! [`Program`](receptive_kernels::plan::Program). Batch norms and scales are folded into
//! neighbouring convolutions, activations and residual sums are fused into the steps that compute
//! their operands, concatenations are computed in place, every convolution gets an algorithm, and
//! all feature maps share one planned arena. [`Compiled::from_graph`] compiles the graph of any
//! Burn module.
//!
//! ```text
//! Graph --translate--> Net --passes--> Net --choose, layout, lower--> Program --pack--> Compiled
//! ```

mod choose;
mod compiled;
mod constant;
mod draw;
mod error;
mod file;
mod layout;
mod lifetimes;
mod liveness;
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
mod views;
mod weights;

pub use receptive_kernels::cpu::{
    Algorithm, ConvWorkload, CostModel, Isa, UnknownIsa, WinogradTile,
};
pub use receptive_kernels::plan::{Machine, ProgramError, RunError};

pub use compiled::{Compiled, measure_convolutions};
pub use error::{CompileError, FileError, Problem};
pub use lower::StepCost;
pub use measure::{MeasuredConvolution, Measurements};
pub use options::{Options, Precision, Tuning};

use crate::graph::Graph;
use crate::network::Network;

/// Compiles `network` for images of shape `input`, `[batch, channels, height, width]`. The steps of
/// the compiled network have the reference names of the layers.
///
/// # Errors
///
/// [`CompileError`] if the network cannot be recorded, contains an operation that cannot be
/// compiled, or does not fit `options`.
///
/// # Panics
///
/// If the network's `forward` panics on an input of this shape.
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
