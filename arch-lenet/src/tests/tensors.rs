//! The tensors of a module under the names and shapes that PyTorch gives them, no value drawn.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// Name and shape of every tensor of `module`, sorted by name.
pub fn tensors<M: Module>(module: &M) -> Vec<(String, Vec<usize>)> {
    let mut visitor = Names::default();
    module.visit(&mut visitor);
    visitor.found.sort();
    visitor.found
}

/// How many values of `module` training changes: running statistics are left out.
pub fn parameters<M: Module>(module: &M) -> usize {
    tensors(module)
        .iter()
        .filter(|(name, _)| !name.contains("running_"))
        .map(|(_, shape)| shape.iter().product::<usize>())
        .sum()
}

#[derive(Default)]
struct Names {
    path: Vec<String>,
    containers: Vec<String>,
    found: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for Names {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.containers.push(container.to_owned());
        if !container.starts_with("Enum:") {
            let name = match name {
                "gamma" => "weight",
                "beta" => "bias",
                name => name,
            };
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.containers.pop();
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.lazy_shape().to_vec();
        if self.containers.last().is_some_and(|c| c == "Struct:Linear") {
            shape.reverse();
        }
        self.found.push((self.path.join("."), shape));
    }
}
