//! The partially connected convolution of LeNet-5's layer C3.

use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::convolve;

/// The maps of S2 that each of the sixteen maps of C3 reads (Gradient-Based Learning Applied to
/// Document Recognition, Table I, by column): six read three contiguous maps, six read four
/// contiguous maps, three read four maps that are not contiguous, and one reads all six. Map 0
/// follows map 5.
pub const C3_CONNECTIONS: [&[usize]; 16] = [
    &[0, 1, 2],
    &[1, 2, 3],
    &[2, 3, 4],
    &[3, 4, 5],
    &[0, 4, 5],
    &[0, 1, 5],
    &[0, 1, 2, 3],
    &[1, 2, 3, 4],
    &[2, 3, 4, 5],
    &[0, 3, 4, 5],
    &[0, 1, 4, 5],
    &[0, 1, 2, 5],
    &[0, 1, 3, 4],
    &[1, 2, 4, 5],
    &[0, 2, 3, 5],
    &[0, 1, 2, 3, 4, 5],
];

/// A convolution whose output maps each read a subset of the input maps.
#[derive(Module, Debug)]
pub struct PartialConv2d {
    /// The convolution of each output map: from its input maps to one channel.
    pub maps: Vec<Conv2d>,
    /// The input maps that each output map reads, ascending.
    #[module(skip)]
    pub connections: Vec<Vec<usize>>,
}

impl PartialConv2d {
    /// Builds the layer on `device`, with `kernel` by `kernel` weights per connection and no
    /// padding.
    ///
    /// The weights and the bias of an output map start uniform in `±2.4 / fan_in` (appendix A).
    pub fn init(connections: &[&[usize]], kernel: usize, device: &Device) -> Self {
        let map = |inputs: &&[usize]| {
            let bound = 2.4 / (inputs.len() * kernel * kernel) as f64;
            Conv2dConfig::new([inputs.len(), 1], [kernel; 2])
                .with_initializer(Initializer::Uniform {
                    min: -bound,
                    max: bound,
                })
                .init(device)
        };
        Self {
            maps: connections.iter().map(map).collect(),
            connections: connections.iter().map(|inputs| inputs.to_vec()).collect(),
        }
    }

    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, h - kernel + 1, w - kernel + 1]`, where
    /// `c_out` is the length of `connections` and `c_in` is larger than every map number in them.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let channels = x.dims()[1];
        let inputs = x.chunk(channels, 1);
        let outputs = self.maps.iter().zip(&self.connections).map(|(map, read)| {
            let read = read.iter().map(|&input| inputs[input].clone()).collect();
            convolve(map, Tensor::cat(read, 1))
        });
        Tensor::cat(outputs.collect(), 1)
    }
}
