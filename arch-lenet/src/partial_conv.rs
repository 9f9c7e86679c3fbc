//! The convolution of LeNet-5's C3, whose maps see some of the maps before them.

use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::convolve;

/// Which of S2's six maps each of C3's sixteen sees (Gradient-Based Learning Applied to Document
/// Recognition, Table I, by column): six see three neighbours, six see four neighbours, three see
/// four that are not all neighbours, one sees all. Neighbours go round from the last to the first.
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

/// One small convolution for each output map, over the input maps that it is connected to.
#[derive(Module, Debug)]
pub struct PartialConv2d {
    /// The convolution of each output map, from as many channels as it sees to one.
    pub maps: Vec<Conv2d>,
    /// The input maps that each output map sees, ascending.
    #[module(skip)]
    pub connections: Vec<Vec<usize>>,
}

impl PartialConv2d {
    /// `kernel` by `kernel` weights per connection, no padding, each output map's weights and bias
    /// uniform in `±2.4 / fan in` (appendix A), on `device`.
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

    /// `[batch, c_in, h, w]` to `[batch, c_out, h - kernel + 1, w - kernel + 1]`, where `c_in` is
    /// more than any number among the connections and `c_out` is how many there are.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let channels = x.dims()[1];
        let inputs = x.chunk(channels, 1);
        let outputs = self.maps.iter().zip(&self.connections).map(|(map, seen)| {
            let seen = seen.iter().map(|&input| inputs[input].clone()).collect();
            convolve(map, Tensor::cat(seen, 1))
        });
        Tensor::cat(outputs.collect(), 1)
    }
}
