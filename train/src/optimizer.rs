//! What makes the loss small.

mod descent;

use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer, RmsPropConfig};
use burn::tensor::Tensor;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use descent::Descent;

/// An optimizer of Burn's. `lr` is the learning rate that the schedule starts from, above 0;
/// `decay_vectors` says whether weight decay is on norms' gains and all biases too, by default it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// `v = momentum v + g + weight_decay w`, `w = w - lr v`; with Nesterov's,
    /// `w = w - lr (g + weight_decay w + momentum v)`.
    Sgd {
        /// The learning rate.
        lr: f64,
        /// At least 0 and below 1; by default 0.
        #[serde(default)]
        momentum: f64,
        /// Whether the gradient is taken a step ahead; by default it is not.
        #[serde(default)]
        nesterov: bool,
        /// At least 0; by default 0.
        #[serde(default)]
        weight_decay: f64,
        /// Whether norms and biases decay.
        #[serde(default = "yes")]
        decay_vectors: bool,
    },
    /// Adam with decay apart from the gradient (Loshchilov and Hutter 2017, algorithm 2): `w` loses
    /// `lr weight_decay w` in every step.
    Adamw {
        /// The learning rate.
        lr: f64,
        /// At least 0 and below 1; by default 0.9.
        #[serde(default = "beta1")]
        beta1: f64,
        /// At least 0 and below 1; by default 0.999.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Above 0; by default 1e-8.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// At least 0; by default 0.
        #[serde(default)]
        weight_decay: f64,
        /// Whether norms and biases decay.
        #[serde(default = "yes")]
        decay_vectors: bool,
    },
    /// The gradient over the root of its mean square, with momentum.
    Rmsprop {
        /// The learning rate.
        lr: f64,
        /// The decay of the mean square, at least 0 and below 1; by default 0.9.
        #[serde(default = "beta1")]
        alpha: f64,
        /// At least 0 and below 1; by default 0.
        #[serde(default)]
        momentum: f64,
        /// Above 0; by default 1e-8.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// At least 0; by default 0.
        #[serde(default)]
        weight_decay: f64,
        /// Whether norms and biases decay.
        #[serde(default = "yes")]
        decay_vectors: bool,
    },
}

fn yes() -> bool {
    true
}

fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn epsilon() -> f64 {
    1e-8
}

impl Optimizer {
    /// The learning rate that the schedule starts from.
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

    /// The optimizer for the parameters of `module`.
    pub fn init<M: Module>(&self, module: &M) -> ModuleOptimizer {
        let (Self::Sgd { decay_vectors, .. }
        | Self::Adamw { decay_vectors, .. }
        | Self::Rmsprop { decay_vectors, .. }) = *self;
        let vectors = (!decay_vectors).then(|| {
            let mut vectors = Vectors(Vec::new());
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
                let build = |decay: f64| Descent {
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
                        .with_weight_decay(penalty(decay))
                        .build()
                };
                with_decay(build, weight_decay, vectors)
            }
        }
    }
}

/// What `build` makes with `decay`, and without any for the parameters in `spared`.
fn with_decay<O: burn::optim::Optimizer>(
    build: impl Fn(f64) -> O,
    decay: f64,
    spared: Option<ParamGroup>,
) -> ModuleOptimizer {
    let optimizer = ModuleOptimizer::from(build(decay));
    match spared {
        None => optimizer,
        Some(spared) => optimizer.with_group(spared, build(0.0), None),
    }
}

fn penalty(decay: f64) -> Option<WeightDecayConfig> {
    (decay > 0.0).then(|| WeightDecayConfig::new(decay as f32))
}

/// Parameters of one dimension: norms' gains, and every bias.
struct Vectors(Vec<ParamId>);

impl ModuleVisitor for Vectors {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D == 1 {
            self.0.push(param.id);
        }
    }
}
