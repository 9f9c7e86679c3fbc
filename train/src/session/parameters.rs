//! Operations on all parameters of a network.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::readback::read_scalar;
use crate::error::TrainError;

/// Replaces Burn's random parameter ids with sequential numbers, so that another process can load
/// the optimizer state.
pub fn with_sequential_ids<M: Module>(module: M) -> M {
    module.map(&mut SequentialIds { next: 0 })
}

/// Assigns sequential parameter ids.
struct SequentialIds {
    next: u64,
}

impl ModuleMapper for SequentialIds {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (_, value, mapper) = param.consume();
        let id = ParamId::from(self.next);
        self.next += 1;
        Param::from_mapped_value(id, value, mapper)
    }
}

/// Clips the gradient to a global norm of `max_norm`, over all parameters of `module` (Pascanu et
/// al. 2012, On the Difficulty of Training Recurrent Neural Networks, algorithm 1).
pub fn clip_by_global_norm<M: Module>(
    gradients: GradientsParams,
    module: &M,
    max_norm: f64,
) -> Result<GradientsParams, TrainError> {
    let mut squares = SumOfSquares {
        gradients: &gradients,
        sum: None,
    };
    module.visit(&mut squares);
    let Some(sum) = squares.sum else {
        return Ok(gradients);
    };
    let norm = read_scalar(sum)?.sqrt();
    if norm <= max_norm {
        return Ok(gradients);
    }
    Ok(scale(gradients, module, max_norm / norm))
}

/// Multiplies the gradient of every parameter by `factor`.
fn scale<M: Module>(mut gradients: GradientsParams, module: &M, factor: f64) -> GradientsParams {
    let mut scale = Scale {
        gradients: &mut gradients,
        factor,
    };
    module.visit(&mut scale);
    gradients
}

/// Sums the squares of all gradients.
struct SumOfSquares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let square = gradient.square().sum();
            self.sum = Some(match self.sum.take() {
                None => square,
                Some(sum) => sum + square,
            });
        }
    }
}

/// Multiplies all gradients by a factor.
struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let scaled = gradient.mul_scalar(self.factor);
            self.gradients.register(param.id, scaled);
        }
    }
}
