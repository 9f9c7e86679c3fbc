//! Fully connected layers.

use burn::nn::Linear;
use burn::tensor::Tensor;
use receptive_kernels::ops;

use super::fused_calls::{FusedCall, record};

/// Computes `layer(x)`: `[batch, inputs]` to `[batch, outputs]`.
///
/// On an autodiff device the layer runs as [`ops::linear`], in inference as Burn's own operation.
pub fn fully_connected(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    record(|| FusedCall::Linear {
        weight: layer.weight.id,
    });
    if !x.device().is_autodiff() {
        return layer.forward(x);
    }
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    ops::linear(x, layer.weight.val(), bias)
}
