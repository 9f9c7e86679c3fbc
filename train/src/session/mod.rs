//! Network in training: weights, optimizer state and the moving average of the weights.

mod ema;
mod evaluator;
mod exchange;
mod gradients;
mod interface;
mod parameters;
mod readback;
mod step;
mod sum;
#[cfg(test)]
mod tests;
mod values;

use burn::optim::ModuleOptimizer;
use burn::tensor::{Bytes, Device, TensorData};
use receptive_layers::network::{Network, NetworkConfig, UnknownStage};
use receptive_layers::weights::{self, Heads, StateDict, WeightsError};

pub use interface::{Evaluator, Scores, Step, StepMetrics, TrainableNetwork};

use crate::cluster::Cluster;
use crate::error::TrainError;
use crate::loss::Loss;
use crate::random::{Purpose, seed};
use crate::recipe::{GradientType, Recipe};
use evaluator::NetworkEvaluator;
use gradients::StepResult;

/// Name prefixes of the weights and of the averaged weights, and name of the optimizer state, in
/// [`TrainableNetwork::state`].
const WEIGHTS: &str = "weights/";
const AVERAGE: &str = "average/";
const OPTIMIZER: &str = "optimizer";

/// Network in training.
pub struct Session<N: Network> {
    /// The network with autodiff; `None` only during a step.
    network: Option<N>,
    /// Exponential moving average of the weights, without autodiff.
    average: Option<N>,
    optimizer: ModuleOptimizer,
    devices: Vec<Device>,
    loss: Loss,
    parts: usize,
    accumulate: usize,
    gradient_type: GradientType,
    clip_norm: Option<f64>,
    /// Decay of the average.
    decay: Option<f64>,
    seed: u64,
}

impl<N: Network> Session<N> {
    /// Initializes the network of `config` with random weights, which depend on the seed of the
    /// run.
    pub fn init_network<C: NetworkConfig<Network = N>>(
        config: &C,
        device: &Device,
        run_seed: u64,
    ) -> N {
        device.seed(seed(run_seed, Purpose::Weights, [0, 0]));
        config.init(device)
    }

    /// Returns a session that trains `network` on `devices`, which compute the parts of a step.
    /// `network` is on the first device. With fewer parts than devices, the last devices are idle.
    ///
    /// # Errors
    ///
    /// [`UnknownStage`] when the recipe freezes a stage that the network does not have.
    ///
    /// # Panics
    ///
    /// Panics if `devices` is empty.
    pub fn new(network: N, devices: Vec<Device>, recipe: &Recipe) -> Result<Self, UnknownStage> {
        let devices: Vec<Device> = devices.into_iter().map(Device::autodiff).collect();
        let network = network.train().fork(&devices[0]);
        let network = match &recipe.freeze {
            None => network,
            Some(stage) => network.freeze_through(stage)?,
        };
        let network = parameters::with_sequential_ids(network);
        Ok(Self {
            optimizer: recipe.optimizer.init(&network),
            average: recipe.ema.map(|_| network.valid()),
            network: Some(network),
            devices,
            loss: recipe.loss.clone(),
            parts: recipe.parts,
            accumulate: recipe.accumulate,
            gradient_type: recipe.gradients,
            clip_norm: recipe.clip_norm,
            decay: recipe.ema,
            seed: recipe.seed,
        })
    }

    fn network(&self) -> &N {
        self.network.as_ref().expect("a network between steps")
    }
}

impl<N: Network + 'static> TrainableNetwork for Session<N> {
    fn step(&mut self, step: &Step, cluster: &dyn Cluster) -> Result<StepMetrics, TrainError> {
        let Step { rate, number, .. } = *step;
        let StepResult {
            mut gradients,
            metrics,
        } = self.gradient(step, cluster)?;
        let loss = metrics.loss;
        if !loss.is_finite() {
            let step = number;
            return Err(TrainError::Diverged { loss, step, rate });
        }
        if let Some(max_norm) = self.clip_norm {
            gradients = parameters::clip_by_global_norm(gradients, self.network(), max_norm)?;
        }
        let network = self.network.take().expect("a network between steps");
        let network = self.optimizer.step(rate, network, gradients);
        if let (Some(average), Some(decay)) = (self.average.take(), self.decay) {
            self.average = Some(ema::update(average, &network, decay));
        }
        self.network = Some(network);
        Ok(metrics)
    }

    fn evaluator(&self) -> Box<dyn Evaluator> {
        let network = match &self.average {
            Some(average) => average.clone(),
            None => self.network().valid(),
        };
        Box::new(NetworkEvaluator {
            network,
            device: self.devices[0].clone().inner(),
            loss: self.loss.clone(),
        })
    }

    fn weights(&self) -> StateDict {
        match &self.average {
            Some(average) => weights::state_dict(average),
            None => weights::state_dict(&self.network().valid()),
        }
    }

    fn state(&self) -> Result<StateDict, TrainError> {
        let mut state = StateDict::new();
        let mut insert = |prefix: &str, weights: StateDict| -> Result<(), WeightsError> {
            for (name, tensor) in weights.iter() {
                state.insert(format!("{prefix}{name}"), tensor.data()?);
            }
            Ok(())
        };
        insert(WEIGHTS, weights::state_dict(&self.network().valid()))?;
        if let Some(average) = &self.average {
            insert(AVERAGE, weights::state_dict(average))?;
        }
        let bytes = self.optimizer.into_bytes().map_err(TrainError::device)?;
        let bytes = TensorData::new(bytes.to_vec(), [bytes.len()]);
        state.insert(OPTIMIZER, bytes);
        Ok(state)
    }

    fn restore(&mut self, state: &StateDict) -> Result<(), TrainError> {
        let with_prefix = |prefix: &str| -> Result<StateDict, WeightsError> {
            let tensors = state.iter().filter_map(|(name, tensor)| {
                let name = name.strip_prefix(prefix)?;
                Some(tensor.data().map(|data| (name.to_owned(), data)))
            });
            tensors.collect()
        };
        let network = self.network().clone();
        let network = weights::load(network, &with_prefix(WEIGHTS)?, Heads::Load)?;
        let network = parameters::with_sequential_ids(network);
        if let Some(average) = &self.average {
            let average = weights::load(average.clone(), &with_prefix(AVERAGE)?, Heads::Load)?;
            self.average = Some(parameters::with_sequential_ids(average));
        }
        let bytes = state
            .get(OPTIMIZER)
            .ok_or_else(|| TrainError::MissingTensor {
                name: OPTIMIZER.to_owned(),
            })?
            .data()?
            .try_to_vec::<u8>()
            .map_err(TrainError::device)?;
        let optimizer = self.optimizer.clone();
        let bytes = Bytes::from_bytes_vec(bytes);
        self.optimizer = optimizer.from_bytes(bytes).map_err(TrainError::device)?;
        self.network = Some(network);
        Ok(())
    }
}
