//! What a network's parameters are called, and their shapes, without drawing any of them.

use std::collections::BTreeMap;

use burn::module::{ModuleVisitor, Param};
use burn::tensor::Tensor;
use receptive_layers::network::Network;

/// Shapes by reference name, in PyTorch's order of dimensions.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Those of `network`.
pub fn shapes<N: Network>(network: &N) -> Shapes {
    let mut collector = Collector::default();
    network.visit(&mut collector);
    collector
        .shapes
        .into_iter()
        .map(|(path, shape)| (N::reference_name(&path), shape))
        .collect()
}

/// Those of a list of lines such as `conv1.weight 64x3x7x7`.
pub fn listed(list: &str) -> Shapes {
    list.lines()
        .map(|line| {
            let (name, shape) = line.split_once(' ').expect("a name and a shape");
            let shape = shape.split('x').map(|n| n.parse().expect("a number"));
            (name.to_owned(), shape.collect())
        })
        .collect()
}

/// Trainable values: running statistics are not.
pub fn trainable<N: Network>(network: &N) -> usize {
    shapes(network)
        .iter()
        .filter(|(name, _)| !name.contains(".running_"))
        .map(|(_, shape)| shape.iter().product::<usize>())
        .sum()
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    shapes: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(match name {
            _ if container.starts_with("Enum:") => String::new(),
            "gamma" => "weight".to_owned(),
            "beta" => "bias".to_owned(),
            _ => name.to_owned(),
        });
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let names: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let path: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let mut shape = param.lazy_shape().to_vec();
        if shape.len() == 2 {
            shape.reverse();
        }
        self.shapes.push((path.join("."), shape));
    }
}
