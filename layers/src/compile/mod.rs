//! Compilation of a recorded network to a CPU execution plan.
//!
//! [`compile`] records a network's `forward` and lowers the [`Graph`] to the steps of a
//! [`Program`](receptive_kernels::plan::Program). Batch norms and scales are folded into
//! neighbouring convolutions, activations and residual sums are fused into the steps that compute
//! their operands, concatenations are computed in place, every convolution gets an algorithm, and
//! all feature maps share one planned arena. [`Compiled::from_graph`] compiles the graph of a Burn
//! module of your own.
//!
//! The compiler supports the operations of convolutional networks: convolutions, also transposed;
//! fully connected layers and products of tensors; norms with and without running statistics; pools;
//! activation functions; arithmetic with broadcasts; reductions and softmax over any axis;
//! interpolation; reshapes, permutations, slices, selections, concatenations and padding. Any other
//! operation is an error that names the layer. The tables in `docs/compiler.md` of the repository
//! list the operations of Burn and the operators of ONNX.
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
mod outputs;
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
pub use outputs::Outputs;

use crate::graph::{Graph, LOGITS};
use crate::network::Network;

/// Compiles `network` for images of shape `input`, `[batch, channels, height, width]`. The compiled
/// network has one output, [`LOGITS`]; its steps have the reference names of the layers.
///
/// # Errors
///
/// [`CompileError`] if the network does not accept images of this shape or cannot be recorded,
/// contains an operation that cannot be compiled, or does not fit `options`.
pub fn compile<N: Network>(
    network: &N,
    input: [usize; 4],
    options: &Options,
) -> Result<Compiled, CompileError> {
    compile_outputs(network, input, &[LOGITS], options)
}

/// Compiles `network` as [`compile`] does, with the outputs called `outputs`:
/// [`LOGITS`], [`EMBEDDING`](crate::graph::EMBEDDING), and the names of the network's
/// [`STAGES`](Network::STAGES).
///
/// # Errors
///
/// As [`compile`], and if the network has no output of one of the names.
pub fn compile_outputs<N: Network>(
    network: &N,
    input: [usize; 4],
    outputs: &[&str],
    options: &Options,
) -> Result<Compiled, CompileError> {
    let graph = Graph::record_network(network, input, outputs)?;
    Compiled::from_graph(graph, options)
}
