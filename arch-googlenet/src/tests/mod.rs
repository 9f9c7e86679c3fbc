mod config;
mod network;

use std::collections::BTreeMap;

use burn::tensor::{Device, Distribution, Tensor};

/// Returns uniform random images in [-1, 1].
fn noise(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

/// Parses a list of tensors, one per line, such as `conv1.weight 64x3x7x7`.
fn listed(list: &str) -> BTreeMap<String, Vec<usize>> {
    let tensor = |line: &str| {
        let (name, shape) = line.split_once(' ').expect("a name and a shape");
        let shape = shape.split('x').map(|n| n.parse().expect("a number"));
        (name.to_owned(), shape.collect())
    };
    list.lines().map(tensor).collect()
}
