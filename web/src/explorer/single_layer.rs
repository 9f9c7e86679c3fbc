//! Explorers of a single convolution or pool, whose window the visitor sets.

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::block::convolve;
use receptive_layers::graph::{Graph, Op};

use super::Explorer;
use crate::arithmetic::SlidingWindow;
use crate::chain::{InputFrame, PoolKind};
use crate::error::Error;

impl Explorer {
    /// Returns a convolution from one channel to one channel, without bias: `[1, 1, n, n]` to
    /// `[1, 1, n', n']`. `weights` holds the kernel, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::KernelSize`] if the number of weights is not the square of the kernel size.
    pub fn convolution(sliding: SlidingWindow, weights: &[f32]) -> Result<Self, Error> {
        let kernel = sliding.window.kernel;
        if weights.len() != kernel * kernel {
            return Err(Error::KernelSize {
                found: weights.len(),
                expected: kernel * kernel,
            });
        }
        let init = |device: &Device| {
            let mut conv = Conv2dConfig::new([1, 1], [kernel; 2])
                .with_stride([sliding.window.stride; 2])
                .with_padding(explicit(sliding.padding))
                .with_dilation([sliding.window.dilation; 2])
                .with_bias(false)
                .init(device);
            let data = TensorData::new(weights.to_vec(), [1, 1, kernel, kernel]);
            conv.weight = Param::from_data(data, device);
            conv
        };
        let forward = |conv: &Conv2d, x: Tensor<4>| convolve(conv, x);
        Self::from_single_layer(&sliding, Graph::trace(init, shape(&sliding), forward)?)
    }

    /// Returns a pool over one channel, `[1, 1, n, n]` to `[1, 1, n', n']`. The average excludes
    /// the padding.
    ///
    /// # Errors
    ///
    /// [`Error::PoolDilation`] if the dilation is not 1, [`Error::PoolPadding`] if the padding is
    /// more than half of the kernel size.
    pub fn pool(pool: PoolKind, sliding: SlidingWindow) -> Result<Self, Error> {
        let SlidingWindow {
            window, padding, ..
        } = sliding;
        if window.dilation != 1 {
            return Err(Error::PoolDilation(window.dilation));
        }
        if padding > window.kernel / 2 {
            return Err(Error::PoolPadding {
                padding,
                kernel: window.kernel,
            });
        }
        // Recording drops a pool that is the identity. To keep it as a layer, a 3x3 pool with the
        // same output size is recorded, and its window is replaced in the graph afterwards.
        let identity = [window.kernel, window.stride] == [1, 1];
        let (kernel, padding) = if identity {
            (3, 1)
        } else {
            (window.kernel, padding)
        };
        let (kernel, stride, padding) = ([kernel; 2], [window.stride; 2], explicit(padding));
        let mut graph = match pool {
            PoolKind::Max => {
                let pool = MaxPool2dConfig::new(kernel)
                    .with_strides(stride)
                    .with_padding(padding)
                    .init();
                let forward = |pool: &MaxPool2d, x: Tensor<4>| pool.forward(x);
                Graph::trace(|_: &Device| pool, shape(&sliding), forward)?
            }
            PoolKind::Average => {
                let pool = AvgPool2dConfig::new(kernel)
                    .with_strides(stride)
                    .with_padding(padding)
                    .with_count_include_pad(false)
                    .init();
                let forward = |pool: &AvgPool2d, x: Tensor<4>| pool.forward(x);
                Graph::trace(|_: &Device| pool, shape(&sliding), forward)?
            }
        };
        if identity {
            for node in &mut graph.nodes {
                if let Op::MaxPool2d { window, .. } | Op::AvgPool2d { window, .. } = &mut node.op {
                    window.kernel = [1; 2];
                    window.padding = [[0; 2]; 2];
                }
            }
        }
        Self::from_single_layer(&sliding, graph)
    }

    /// Returns an explorer of a one-layer graph, for pictures without padding or normalisation.
    fn from_single_layer(sliding: &SlidingWindow, graph: Graph) -> Result<Self, Error> {
        let frame = InputFrame {
            size: sliding.input,
            padding: 0,
            mean: 0.0,
            std: 1.0,
        };
        Self::from_graph(graph, frame)
    }
}

/// Returns the input shape, `[1, 1, n, n]`.
fn shape(sliding: &SlidingWindow) -> [usize; 4] {
    [1, 1, sliding.input, sliding.input]
}

/// Returns a padding of `padding` positions on all four sides.
fn explicit(padding: usize) -> PaddingConfig2d {
    PaddingConfig2d::Explicit(padding, padding, padding, padding)
}
