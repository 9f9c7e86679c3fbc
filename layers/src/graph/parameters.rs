//! The module paths of a module's parameters on the recording device.

use std::collections::HashMap;

use burn::backend::capture::TensorId;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

use super::record::recorded;

/// The path of every parameter and running statistic of `module` that has a value there, by the
/// id of the tensor. A parameter that was never read has none, and is left out.
pub(super) fn paths<M: Module>(module: &M) -> HashMap<TensorId, String> {
    let mut visitor = Paths::default();
    module.visit(&mut visitor);
    visitor.found
}

#[derive(Default)]
struct Paths {
    /// Names from the root, enum variants left out.
    path: Vec<String>,
    /// Types of the modules entered, the innermost last.
    containers: Vec<String>,
    found: HashMap<TensorId, String>,
}

impl Paths {
    fn add(&mut self, id: Option<TensorId>) {
        if let Some(id) = id {
            let mut path = self.path.clone();
            let in_norm = self
                .containers
                .iter()
                .rev()
                .find_map(|container| container.strip_prefix("Struct:"))
                .is_some_and(|container| container.ends_with("Norm"));
            if let Some(last) = path.last_mut().filter(|_| in_norm) {
                match last.as_str() {
                    "gamma" => *last = "weight".to_owned(),
                    "beta" => *last = "bias".to_owned(),
                    _ => {}
                }
            }
            self.found.insert(id, path.join("."));
        }
    }
}

impl ModuleVisitor for Paths {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_initialized() {
            self.add(recorded(param.base()));
        }
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        if param.is_initialized() {
            self.add(recorded(param.base()));
        }
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        if param.is_initialized() {
            self.add(recorded(param.base()));
        }
    }
}
