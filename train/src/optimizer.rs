//! Optimizers of a recipe.

mod sgd;

use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer, RmsPropConfig};
use burn::tensor::Tensor;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use sgd::Sgd;

/// Optimizer and its hyperparameters.
///
/// `lr` is the base learning rate of the schedule, above 0. `decay_vectors` says whether weight
/// decay also applies to vector parameters (the gains of normalization layers, and all biases);
/// default true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Optimizer {
    /// Stochastic gradient descent: `v = momentum v + g + weight_decay w`, `w = w - lr v`; with
    /// Nesterov momentum, `w = w - lr (g + weight_decay w + momentum v)`.
    Sgd {
        /// Base learning rate.
        lr: f64,
        /// Momentum, at least 0 and below 1; default 0.
        #[serde(default)]
        momentum: f64,
        /// Whether the momentum is Nesterov momentum; default false.
        #[serde(default)]
        nesterov: bool,
        /// Weight decay, at least 0; default 0.
        #[serde(default)]
        weight_decay: f64,
        /// Whether weight decay applies to vector parameters; default true.
        #[serde(default = "default_decay_vectors")]
        decay_vectors: bool,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2017, algorithm 2): every step
    /// subtracts `lr weight_decay w` from `w`.
    Adamw {
        /// Base learning rate.
        lr: f64,
        /// Decay of the first moment, at least 0 and below 1; default 0.9.
        #[serde(default = "default_beta1")]
        beta1: f64,
        /// Decay of the second moment, at least 0 and below 1; default 0.999.
        #[serde(default = "default_beta2")]
        beta2: f64,
        /// Term added to the denominator for numerical stability, above 0; default 1e-8.
        #[serde(default = "default_epsilon")]
        epsilon: f64,
        /// Weight decay, at least 0; default 0.
        #[serde(default)]
        weight_decay: f64,
        /// Whether weight decay applies to vector parameters; default true.
        #[serde(default = "default_decay_vectors")]
        decay_vectors: bool,
    },
    /// RMSprop with momentum: the gradient divided by the root of its running mean square.
    Rmsprop {
        /// Base learning rate.
        lr: f64,
        /// Decay of the mean square, at least 0 and below 1; default 0.9.
        #[serde(default = "default_alpha")]
        alpha: f64,
        /// Momentum, at least 0 and below 1; default 0.
        #[serde(default)]
        momentum: f64,
        /// Term added to the denominator for numerical stability, above 0; default 1e-8.
        #[serde(default = "default_epsilon")]
        epsilon: f64,
        /// Weight decay, at least 0; default 0.
        #[serde(default)]
        weight_decay: f64,
        /// Whether weight decay applies to vector parameters; default true.
        #[serde(default = "default_decay_vectors")]
        decay_vectors: bool,
    },
}

fn default_decay_vectors() -> bool {
    true
}

fn default_beta1() -> f64 {
    0.9
}

fn default_alpha() -> f64 {
    0.9
}

fn default_beta2() -> f64 {
    0.999
}

fn default_epsilon() -> f64 {
    1e-8
}

impl Optimizer {
    /// Returns the base learning rate of the schedule.
    pub fn rate(&self) -> f64 {
        let (Self::Sgd { lr, .. } | Self::Adamw { lr, .. } | Self::Rmsprop { lr, .. }) = *self;
        lr
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidConfig> {
        let positive = |field, value: f64| {
            let valid = value > 0.0 && value.is_finite();
            InvalidConfig::unless(valid, field, value, "above 0")
        };
        positive("lr", self.rate())?;
        let (Self::Sgd { weight_decay, .. }
        | Self::Adamw { weight_decay, .. }
        | Self::Rmsprop { weight_decay, .. }) = *self;
        let valid = weight_decay >= 0.0 && weight_decay.is_finite();
        InvalidConfig::unless(valid, "weight_decay", weight_decay, "at least 0")?;
        match *self {
            Self::Sgd { momentum, .. } => InvalidConfig::unless_probability("momentum", momentum),
            Self::Adamw {
                beta1,
                beta2,
                epsilon,
                ..
            } => {
                InvalidConfig::unless_probability("beta1", beta1)?;
                InvalidConfig::unless_probability("beta2", beta2)?;
                positive("epsilon", epsilon)
            }
            Self::Rmsprop {
                alpha,
                momentum,
                epsilon,
                ..
            } => {
                InvalidConfig::unless_probability("alpha", alpha)?;
                InvalidConfig::unless_probability("momentum", momentum)?;
                positive("epsilon", epsilon)
            }
        }
    }

    /// Returns the optimizer for the parameters of `module`.
    pub fn init<M: Module>(&self, module: &M) -> ModuleOptimizer {
        let (Self::Sgd { decay_vectors, .. }
        | Self::Adamw { decay_vectors, .. }
        | Self::Rmsprop { decay_vectors, .. }) = *self;
        let vectors = (!decay_vectors).then(|| {
            let mut vectors = VectorParams(Vec::new());
            module.visit(&mut vectors);
            ParamGroup::from_ids(vectors.0)
        });
        match *self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
                ..
            } => {
                let build = |decay: f64| Sgd {
                    momentum,
                    nesterov,
                    decay,
                };
                with_decay(build, weight_decay, vectors)
            }
            Self::Adamw {
                beta1,
                beta2,
                epsilon,
                weight_decay,
                ..
            } => {
                let build = |decay: f64| {
                    AdamWConfig::new()
                        .with_beta_1(beta1 as f32)
                        .with_beta_2(beta2 as f32)
                        .with_epsilon(epsilon as f32)
                        .with_weight_decay(decay as f32)
                        .build()
                };
                with_decay(build, weight_decay, vectors)
            }
            Self::Rmsprop {
                alpha,
                momentum,
                epsilon,
                weight_decay,
                ..
            } => {
                let build = |decay: f64| {
                    RmsPropConfig::new()
                        .with_alpha(alpha as f32)
                        .with_momentum(momentum as f32)
                        .with_epsilon(epsilon as f32)
                        .with_weight_decay(weight_decay_config(decay))
                        .build()
                };
                with_decay(build, weight_decay, vectors)
            }
        }
    }
}

/// Returns the optimizer that `build` makes with weight decay `decay`; the parameters in
/// `undecayed` have no weight decay.
fn with_decay<O: burn::optim::Optimizer>(
    build: impl Fn(f64) -> O,
    decay: f64,
    undecayed: Option<ParamGroup>,
) -> ModuleOptimizer {
    let optimizer = ModuleOptimizer::from(build(decay));
    match undecayed {
        None => optimizer,
        Some(undecayed) => optimizer.with_group(undecayed, build(0.0), None),
    }
}

/// Returns the weight decay of RMSprop; `None` if it is 0.
fn weight_decay_config(decay: f64) -> Option<WeightDecayConfig> {
    (decay > 0.0).then(|| WeightDecayConfig::new(decay as f32))
}

/// Ids of the vector parameters: the gains of normalization layers, and every bias.
struct VectorParams(Vec<ParamId>);

impl ModuleVisitor for VectorParams {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D == 1 {
            self.0.push(param.id);
        }
    }
}
