//! A fully connected layer, fast in training where the kernels run it.

use burn::nn::Linear;
use burn::tensor::Tensor;
use receptive_kernels::ops;

/// `layer(x)`: `[batch, inputs]` to `[batch, outputs]`; on an autodiff device as [`ops::linear`] runs it.
pub fn fully_connected(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    if !x.device().is_autodiff() {
        return layer.forward(x);
    }
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    ops::linear(x, layer.weight.val(), bias)
}
