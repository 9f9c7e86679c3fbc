//! Tests of the compiler on small networks.

mod choose;
mod errors;
mod layout;
mod passes;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::net::Net;
use super::translate::translate;
use super::values::Values;
use crate::graph::{Graph, Outputs};

/// Translates `forward` for one image of shape `[channels, height, width]`, without running any
/// pass.
fn net<M: Module, O: Outputs>(
    init: impl FnOnce(&Device) -> M,
    [channels, height, width]: [usize; 3],
    forward: impl FnMut(&M, Tensor<4>) -> O,
) -> Net {
    let graph = Graph::trace(init, [1, channels, height, width], forward).unwrap();
    let mut values = Values::new(graph.clone(), None);
    translate(&graph, &mut values).unwrap().net
}

/// Returns the text of the network before and after `pass`.
fn before_and_after(mut net: Net, pass: impl FnOnce(&mut Net)) -> String {
    let before = net.to_string();
    pass(&mut net);
    format!("{before}\n{net}")
}

/// Returns a convolution whose padding keeps the height and width.
fn conv(channels: [usize; 2], kernel: usize, device: &Device) -> Conv2d {
    let p = kernel / 2;
    Conv2dConfig::new(channels, [kernel; 2])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .init(device)
}
