//! A moving average of the weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// `decay * average + (1 - decay) * network`, for every parameter and statistic. `average` is off
/// autodiff, and both have the same parameters under the same identities.
pub fn moved<M: Module>(average: M, network: &M, decay: f64) -> M {
    let mut values = Values(GradientsParams::new());
    // A network for validation has gathered its norms' statistics.
    network.valid().visit(&mut values);
    average.map(&mut Moving {
        values: values.0,
        decay,
    })
}

/// Burn's container of tensors of any dimensions by identity, here of values.
struct Values(GradientsParams);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

struct Moving {
    values: GradientsParams,
    decay: f64,
}

impl ModuleMapper for Moving {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.values.remove::<D>(param.id) {
            None => param,
            Some(value) => param
                .map(|average| average.mul_scalar(self.decay) + value.mul_scalar(1.0 - self.decay)),
        }
    }
}
