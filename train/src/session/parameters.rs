//! All parameters of a network at once.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::number;
use crate::error::TrainError;

/// The module with its parameters numbered in their order, in the place of Burn's random
/// identities: an optimizer's memory of one process is another's then.
pub fn numbered<M: Module>(module: M) -> M {
    module.map(&mut Numbering { next: 0 })
}

struct Numbering {
    next: u64,
}

impl ModuleMapper for Numbering {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (_, value, mapper) = param.consume();
        let id = ParamId::from(self.next);
        self.next += 1;
        Param::from_mapped_value(id, value, mapper)
    }
}

/// The gradient, shortened to a norm of `most` over all parameters of `module` together where it is
/// longer (Pascanu et al. 2012, On the Difficulty of Training Recurrent Neural Networks, algorithm 1).
pub fn clipped<M: Module>(
    gradients: GradientsParams,
    module: &M,
    most: f64,
) -> Result<GradientsParams, TrainError> {
    let mut squares = Squares {
        gradients: &gradients,
        sum: None,
    };
    module.visit(&mut squares);
    let Some(sum) = squares.sum else {
        return Ok(gradients);
    };
    let norm = number(sum)?.sqrt();
    if norm <= most {
        return Ok(gradients);
    }
    Ok(scaled(gradients, module, most / norm))
}

/// Every gradient times `factor`.
pub fn scaled<M: Module>(
    mut gradients: GradientsParams,
    module: &M,
    factor: f64,
) -> GradientsParams {
    let mut scaling = Scaling {
        gradients: &mut gradients,
        factor,
    };
    module.visit(&mut scaling);
    gradients
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
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

struct Scaling<'a> {
    gradients: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scaling<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let scaled = gradient.mul_scalar(self.factor);
            self.gradients.register(param.id, scaled);
        }
    }
}
