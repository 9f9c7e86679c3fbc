//! The names of a module's parameters on the recording device.

use std::collections::HashMap;

use burn::backend::capture::TensorId;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

use super::record::recorded;
use crate::weights::slots::slots;

/// The path of every parameter and running statistic of `module` that has a value there, by the
/// id of the tensor. A parameter that was never read has none, and is left out.
pub(super) fn paths<M: Module>(module: &M) -> HashMap<TensorId, String> {
    let mut ids = Ids(Vec::new());
    module.visit(&mut ids);
    let names = slots(module).into_iter().map(|slot| slot.reference);
    let all = ids.0.into_iter().zip(names);
    all.filter_map(|(id, name)| Some((id?, name))).collect()
}

/// In the order in which a module is visited.
struct Ids(Vec<Option<TensorId>>);

impl ModuleVisitor for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id = param.is_initialized().then(|| recorded(param.base()));
        self.0.push(id.flatten());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        let id = param.is_initialized().then(|| recorded(param.base()));
        self.0.push(id.flatten());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        let id = param.is_initialized().then(|| recorded(param.base()));
        self.0.push(id.flatten());
    }
}
