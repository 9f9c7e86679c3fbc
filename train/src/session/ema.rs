//! Exponential moving average (EMA) of the weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Returns `decay * average + (1 - decay) * network`, for every parameter and every running
/// statistic.
///
/// `average` is a module without autodiff. Both modules have the same parameters with the same ids.
pub fn update<M: Module>(average: M, network: &M, decay: f64) -> M {
    let mut values = Values(GradientsParams::new());
    // `valid` synchronizes the running statistics of the normalization layers.
    network.valid().visit(&mut values);
    average.map(&mut Blend {
        values: values.0,
        decay,
    })
}

/// The parameter values of a module by id. `GradientsParams` is a map from ids to tensors of any
/// rank; it stores values instead of gradients.
struct Values(GradientsParams);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

/// Blends every parameter with the value of the same id.
struct Blend {
    values: GradientsParams,
    decay: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.values.remove::<D>(param.id) {
            None => param,
            Some(value) => param
                .map(|average| average.mul_scalar(self.decay) + value.mul_scalar(1.0 - self.decay)),
        }
    }
}
