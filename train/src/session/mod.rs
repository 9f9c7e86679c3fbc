//! A network while it is trained: its weights, the optimizer's memory, the moving average.

mod average;
mod gradients;
mod parameters;
#[cfg(test)]
mod tests;

use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Device, Tensor, TensorData};
use receptive_layers::network::{Network, NetworkConfig, UnknownStage};
use receptive_layers::weights::{self, Heads, StateDict, WeightsError};

use crate::error::TrainError;
use crate::loader::Batch;
use crate::loss::Loss;
use crate::random::{Purpose, seed};
use crate::recipe::Recipe;
use gradients::Part;

/// The names under which [`TrainableNetwork::state`] keeps the weights, their average and the optimizer.
const WEIGHTS: &str = "weights/";
const AVERAGE: &str = "average/";
const OPTIMIZER: &str = "optimizer";

/// What a step or an evaluation gave.
#[derive(Debug, Clone)]
pub struct Scores {
    /// The loss, a mean over the images; of the auxiliary heads too in a step.
    pub loss: f64,
    /// Class scores `[images, classes]`, row by row.
    pub logits: Vec<f32>,
}

/// A network of any type while it is trained.
pub trait TrainableNetwork {
    /// Moves the weights against the gradient of the batch's loss, with this learning rate; `step`
    /// counts from 0 and seeds what is random in the network.
    ///
    /// # Errors
    ///
    /// [`TrainError::Device`] when the device fails, [`TrainError::Diverged`] when the loss is not
    /// finite: the weights are then as before.
    fn step(&mut self, batch: &Batch, rate: f64, step: u64) -> Result<Scores, TrainError>;

    /// The network for validation: the average, if one is kept.
    fn evaluator(&self) -> Box<dyn Evaluator>;

    /// What [`evaluator`](Self::evaluator) has, under the reference's names.
    fn weights(&self) -> StateDict;

    /// All that the next step depends on.
    ///
    /// # Errors
    ///
    /// [`TrainError::Device`] when it cannot be read from the device.
    fn state(&self) -> Result<StateDict, TrainError>;

    /// Puts a [`state`](Self::state) in the place of this one.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] when it is another network's.
    fn restore(&mut self, state: &StateDict) -> Result<(), TrainError>;
}

/// A network that only looks.
pub trait Evaluator {
    /// The scores of a batch without auxiliary heads and dropout.
    ///
    /// # Errors
    ///
    /// [`TrainError::Device`] when the device fails.
    fn scores(&self, batch: &Batch) -> Result<Scores, TrainError>;
}

/// A network of one type while it is trained.
pub struct Session<N: Network> {
    /// `None` only within a step.
    network: Option<N>,
    average: Option<N>,
    optimizer: ModuleOptimizer,
    devices: Vec<Device>,
    loss: Loss,
    accumulate: usize,
    clip_norm: Option<f64>,
    decay: Option<f64>,
    seed: u64,
}

impl<N: Network> Session<N> {
    /// The network that `config` describes, its first weights those of the run's seed.
    pub fn fresh<C: NetworkConfig<Network = N>>(config: &C, device: &Device, run: u64) -> N {
        device.seed(seed(run, Purpose::Weights, [0, 0]));
        config.init(device)
    }

    /// `network`, which is on the first of `devices`, trained by `recipe` on all of them: each computes
    /// an equal part of every batch.
    ///
    /// # Errors
    ///
    /// [`UnknownStage`] when the recipe freezes a stage that the network has not.
    ///
    /// # Panics
    ///
    /// Where there is no device.
    pub fn new(network: N, devices: Vec<Device>, recipe: &Recipe) -> Result<Self, UnknownStage> {
        let devices: Vec<Device> = devices.into_iter().map(Device::autodiff).collect();
        let network = network.train().fork(&devices[0]);
        let network = match &recipe.freeze {
            None => network,
            Some(stage) => network.freeze_through(stage)?,
        };
        let network = parameters::numbered(network);
        Ok(Self {
            optimizer: recipe.optimizer.init(&network),
            average: recipe.ema.map(|_| network.valid()),
            network: Some(network),
            devices,
            loss: recipe.loss.clone(),
            accumulate: recipe.accumulate,
            clip_norm: recipe.clip_norm,
            decay: recipe.ema,
            seed: recipe.seed,
        })
    }

    fn network(&self) -> &N {
        self.network.as_ref().expect("a network between steps")
    }

    /// The gradient of the batch's mean loss, and what the batch scored.
    fn gradients(&self, batch: &Batch) -> Result<(GradientsParams, Scores), TrainError> {
        let parts = Part::of(batch.len(), self.accumulate, self.devices.len());
        gradients::sum(self.network(), &self.devices, &self.loss, batch, &parts)
    }
}

impl<N: Network + 'static> TrainableNetwork for Session<N> {
    fn step(&mut self, batch: &Batch, rate: f64, step: u64) -> Result<Scores, TrainError> {
        for device in &self.devices {
            device.seed(seed(self.seed, Purpose::Device, [step, 0]));
        }
        let (mut gradients, scores) = self.gradients(batch)?;
        if !scores.loss.is_finite() {
            return Err(TrainError::Diverged {
                loss: scores.loss,
                step,
                rate,
            });
        }
        if let Some(most) = self.clip_norm {
            gradients = parameters::clipped(gradients, self.network(), most)?;
        }
        let network = self.network.take().expect("a network between steps");
        let network = self.optimizer.step(rate, network, gradients);
        if let (Some(average), Some(decay)) = (self.average.take(), self.decay) {
            self.average = Some(average::moved(average, &network, decay));
        }
        self.network = Some(network);
        Ok(scores)
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
        let mut put = |prefix: &str, weights: StateDict| -> Result<(), WeightsError> {
            for (name, tensor) in weights.iter() {
                state.insert(format!("{prefix}{name}"), tensor.data()?);
            }
            Ok(())
        };
        put(WEIGHTS, weights::state_dict(&self.network().valid()))?;
        if let Some(average) = &self.average {
            put(AVERAGE, weights::state_dict(average))?;
        }
        let memory = self.optimizer.into_bytes().map_err(TrainError::device)?;
        let memory = TensorData::new(memory.to_vec(), [memory.len()]);
        state.insert(OPTIMIZER, memory);
        Ok(state)
    }

    fn restore(&mut self, state: &StateDict) -> Result<(), TrainError> {
        let under = |prefix: &str| -> Result<StateDict, WeightsError> {
            let tensors = state.iter().filter_map(|(name, tensor)| {
                let name = name.strip_prefix(prefix)?;
                Some(tensor.data().map(|data| (name.to_owned(), data)))
            });
            tensors.collect()
        };
        let network = self.network().clone();
        let network = weights::load(network, &under(WEIGHTS)?, Heads::Load)?;
        let network = parameters::numbered(network);
        if let Some(average) = &self.average {
            let average = weights::load(average.clone(), &under(AVERAGE)?, Heads::Load)?;
            self.average = Some(parameters::numbered(average));
        }
        let memory = state
            .get(OPTIMIZER)
            .ok_or_else(|| TrainError::Incomplete {
                lacking: OPTIMIZER.to_owned(),
            })?
            .data()?
            .try_to_vec::<u8>()
            .map_err(TrainError::device)?;
        let optimizer = self.optimizer.clone();
        let memory = Bytes::from_bytes_vec(memory);
        self.optimizer = optimizer.from_bytes(memory).map_err(TrainError::device)?;
        self.network = Some(network);
        Ok(())
    }
}

struct NetworkEvaluator<N> {
    network: N,
    device: Device,
    loss: Loss,
}

impl<N: Network> Evaluator for NetworkEvaluator<N> {
    fn scores(&self, batch: &Batch) -> Result<Scores, TrainError> {
        let images = batch.images(0, batch.len(), &self.device);
        let logits = self.network.forward(images);
        let targets = batch.targets(0, batch.len(), &self.device);
        let loss = self.loss.sum(logits.clone(), targets);
        Ok(Scores {
            loss: number(loss)? / batch.len() as f64,
            logits: floats(logits)?,
        })
    }
}

/// The only value of a tensor.
fn number(tensor: Tensor<1>) -> Result<f64, TrainError> {
    let value = tensor
        .try_into_vec_as::<f64>()
        .map_err(TrainError::device)?;
    Ok(value.first().copied().unwrap_or(f64::NAN))
}

/// The values of a tensor, row by row.
fn floats(tensor: Tensor<2>) -> Result<Vec<f32>, TrainError> {
    tensor.try_into_vec_as::<f32>().map_err(TrainError::device)
}
