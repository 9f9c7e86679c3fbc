//! The shortcut of a block: the block's input in the shape of the residual.

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor, s};
use receptive_layers::block::{Activation, conv_norm};
use serde::{Deserialize, Serialize};

use crate::conv::{conv, norm};

/// The shortcuts of a network (section 3.3, and options A, B and C of Table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortcut {
    /// Option A: no shortcut has parameters. Where the shape changes, the shortcut takes every
    /// `stride`-th row and column, and appends channels of zeros.
    ZeroPad,
    /// Option B: a projection (1x1 convolution and batch norm) where the shape changes, and the
    /// identity elsewhere.
    ProjectWhenChanged,
    /// Option C: every shortcut is a projection.
    ProjectAlways,
}

/// The 1x1 convolution and the batch norm of a projection (equation 2).
pub type Projection = (Conv2d, BatchNorm);

impl Shortcut {
    /// Builds the projection of a block from `channels[0]` to `channels[1]` channels, or `None` if
    /// this option has none.
    pub(crate) fn projection(
        self,
        channels: [usize; 2],
        stride: usize,
        device: &Device,
    ) -> Option<Projection> {
        let changed = stride != 1 || channels[0] != channels[1];
        let project = match self {
            Self::ZeroPad => false,
            Self::ProjectWhenChanged => changed,
            Self::ProjectAlways => true,
        };
        project.then(|| (conv(channels, 1, stride, device), norm(channels[1], device)))
    }
}

/// Computes the shortcut: maps `[batch, c_in, h, w]` to
/// `[batch, channels, ceil(h / stride), ceil(w / stride)]`, the shape of the residual.
pub(crate) fn forward(
    projection: &Option<Projection>,
    x: Tensor<4>,
    channels: usize,
    stride: usize,
) -> Tensor<4> {
    match projection {
        Some((conv, bn)) => conv_norm(conv, Some(bn), Activation::Identity, x),
        None => zero_pad(subsample(x, stride), channels),
    }
}

/// Takes every `stride`-th row and column.
fn subsample(x: Tensor<4>, stride: usize) -> Tensor<4> {
    if stride == 1 {
        return x;
    }
    x.slice(s![.., .., ..; stride, ..; stride])
}

/// Appends channels of zeros up to `channels` channels.
fn zero_pad(x: Tensor<4>, channels: usize) -> Tensor<4> {
    let [batch, existing, height, width] = x.dims();
    if existing == channels {
        return x;
    }
    let added = [batch, channels - existing, height, width];
    let zeros = Tensor::zeros(added, (&x.device(), x.dtype()));
    Tensor::cat(vec![x, zeros], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, TensorData};
    use proptest::prelude::*;

    #[test]
    fn zero_padding_keeps_the_data_type() {
        for dtype in [DType::F16, DType::F64] {
            let x = Tensor::ones([1, 2, 3, 3], (&Device::flex(), dtype));
            assert_eq!(forward(&None, x, 4, 2).dtype(), dtype);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Compares option A with its definition, value by value.
        #[test]
        fn zero_padding_subsamples_and_appends_zeros(
            channels in 1_usize..5,
            added in 0_usize..5,
            height in 1_usize..8,
            width in 1_usize..8,
            stride in 1_usize..4,
        ) {
            let values: Vec<f32> = (1..=channels * height * width).map(|i| i as f32).collect();
            let data = TensorData::new(values.clone(), [1, channels, height, width]);
            let x = Tensor::from_data(data, &Device::flex());
            let y = forward(&None, x, channels + added, stride);

            let [h, w] = [height.div_ceil(stride), width.div_ceil(stride)];
            prop_assert_eq!(y.dims(), [1, channels + added, h, w]);
            let y = y.into_data().try_to_vec::<f32>().unwrap();
            for c in 0..channels + added {
                for i in 0..h {
                    for j in 0..w {
                        let expected = match c < channels {
                            true => values[(c * height + i * stride) * width + j * stride],
                            false => 0.0,
                        };
                        prop_assert_eq!(y[(c * h + i) * w + j], expected);
                    }
                }
            }
        }
    }
}
