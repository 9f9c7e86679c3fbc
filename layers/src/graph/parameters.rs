//! Module paths of the parameters on the capture device.

use std::collections::HashMap;

use burn::backend::capture::TensorId;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

use super::capture::captured_id;
use crate::weights::slots::slots;

/// Returns the path of every initialized parameter and running statistic of `module`, keyed by the
/// id of the captured tensor. A parameter that `forward` never read is not initialized, and is
/// omitted.
pub(super) fn paths<M: Module>(module: &M) -> HashMap<TensorId, String> {
    let mut ids = CapturedIds(Vec::new());
    module.visit(&mut ids);
    let names = slots(module).into_iter().map(|slot| slot.reference);
    let all = ids.0.into_iter().zip(names);
    all.filter_map(|(id, name)| Some((id?, name))).collect()
}

/// The captured ids of a module's parameters in visiting order; `None` for an uninitialized
/// parameter.
struct CapturedIds(Vec<Option<TensorId>>);

impl ModuleVisitor for CapturedIds {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id = param.is_initialized().then(|| captured_id(param.base()));
        self.0.push(id.flatten());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        let id = param.is_initialized().then(|| captured_id(param.base()));
        self.0.push(id.flatten());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        let id = param.is_initialized().then(|| captured_id(param.base()));
        self.0.push(id.flatten());
    }
}
