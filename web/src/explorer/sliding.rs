//! One layer by itself, for a window that is set by hand.

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::block::convolve;
use receptive_layers::graph::{Graph, Op};

use super::{Explorer, Frame, Pool};
use crate::arithmetic::Sliding;
use crate::error::Error;

impl Explorer {
    /// A convolution of one channel to one, without bias: `[1, 1, n, n]` to `[1, 1, n', n']`. `weights` are its
    /// kernel's, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::KernelSize`] when they are too few or too many.
    pub fn convolution(sliding: Sliding, weights: &[f32]) -> Result<Self, Error> {
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
        Self::single(&sliding, Graph::trace(init, shape(&sliding), forward)?)
    }

    /// A pool over one channel, `[1, 1, n, n]` to `[1, 1, n', n']`, which leaves the padding out.
    ///
    /// # Errors
    ///
    /// [`Error::PoolPadding`] and [`Error::PoolDilation`] where it has windows without values, or with gaps.
    pub fn pool(pool: Pool, sliding: Sliding) -> Result<Self, Error> {
        let Sliding {
            window,
            padding: around,
            ..
        } = sliding;
        if window.dilation != 1 {
            return Err(Error::PoolDilation(window.dilation));
        }
        if around > window.kernel / 2 {
            return Err(Error::PoolPadding {
                padding: around,
                kernel: window.kernel,
            });
        }
        // A graph is recorded without pools that change nothing. Such a one is explained as any other here: what is
        // recorded is the pool of 3x3 with the same output, whose window is then made what it should be.
        let nothing = [window.kernel, window.stride] == [1, 1];
        let (kernel, around) = if nothing {
            (3, 1)
        } else {
            (window.kernel, around)
        };
        let (kernel, stride, padding) = ([kernel; 2], [window.stride; 2], explicit(around));
        let mut graph = match pool {
            Pool::Max => {
                let pool = MaxPool2dConfig::new(kernel)
                    .with_strides(stride)
                    .with_padding(padding)
                    .init();
                let forward = |pool: &MaxPool2d, x: Tensor<4>| pool.forward(x);
                Graph::trace(|_: &Device| pool, shape(&sliding), forward)?
            }
            Pool::Average => {
                let pool = AvgPool2dConfig::new(kernel)
                    .with_strides(stride)
                    .with_padding(padding)
                    .with_count_include_pad(false)
                    .init();
                let forward = |pool: &AvgPool2d, x: Tensor<4>| pool.forward(x);
                Graph::trace(|_: &Device| pool, shape(&sliding), forward)?
            }
        };
        if nothing {
            for node in &mut graph.nodes {
                if let Op::MaxPool2d { window, .. } | Op::AvgPool2d { window, .. } = &mut node.op {
                    window.kernel = [1; 2];
                    window.padding = [0; 2];
                }
            }
        }
        Self::single(&sliding, graph)
    }

    /// The layer of `graph`, on pictures as they are.
    fn single(sliding: &Sliding, graph: Graph) -> Result<Self, Error> {
        let frame = Frame {
            size: sliding.input,
            padding: 0,
            mean: 0.0,
            std: 1.0,
        };
        Self::from_graph(graph, frame)
    }
}

fn shape(sliding: &Sliding) -> [usize; 4] {
    [1, 1, sliding.input, sliding.input]
}

fn explicit(around: usize) -> PaddingConfig2d {
    PaddingConfig2d::Explicit(around, around, around, around)
}
